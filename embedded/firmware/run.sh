#!/usr/bin/env bash
# Builds and runs everything that needs bare metal: sizes, the no-panic link test, the log in QEMU's
# Cortex-M and RISC-V machines, and power cuts by killing the emulator.
#
#   ./run.sh            everything, with 100 kills
#   KILLS=20 ./run.sh   fewer
#   ./run.sh boards     the programs for real boards only, and where they are
#   ./run.sh demo       the demo on an emulated Cortex-M only: a login, updates, a restart
#   ./run.sh figures    sizes and instruction counts only, for the benchmarks: area, what, where, whose,
#                       unit and value, separated by tabs
#
# Needs qemu-system-arm, qemu-system-misc (riscv32), llvm-size or size, and either
#   rustup target add thumbv6m-none-eabi thumbv7em-none-eabihf riscv32imac-unknown-none-elf \
#       riscv32imc-unknown-none-elf
# or Debian's rustc-web, cargo-web, rust-web-src and lld, which build `core` themselves.
set -euo pipefail
cd "$(dirname "$0")"

ARM=thumbv7em-none-eabihf
ARM_SMALL=thumbv6m-none-eabi
RISCV=riscv32imac-unknown-none-elf

cargo=(cargo) build_std=()
if [ -d "$(rustc --print target-libdir --target $ARM 2>/dev/null)" ]; then
    linker=rust-lld
elif [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && command -v ld.lld >/dev/null; then
    echo "rustup's targets are not installed: building core with $(/usr/bin/rustc --version)" >&2
    export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc
    cargo=(/usr/bin/cargo)
    build_std=(-Zbuild-std=core)
    linker=ld.lld
else
    echo "no compiler for $ARM: see the head of this script" >&2
    exit 1
fi
build() { # target, arguments
    local target=$1 name
    shift
    name=$(tr 'a-z-' 'A-Z_' <<<"$target")
    local flags="-C link-arg=-Tlink.x"
    [ "$target" = $RISCV ] && flags="-C link-arg=-Tmemory.x $flags"
    [[ " $* " == *" demo "* ]] && flags="$flags -C link-arg=-Tdefmt.x"
    env "CARGO_TARGET_${name}_LINKER=$linker" "CARGO_TARGET_${name}_RUSTFLAGS=$flags" \
        "${cargo[@]}" build --quiet --release "${build_std[@]}" --target "$target" "$@"
}
text() { # program
    { llvm-size "$1" 2>/dev/null || size "$1"; } | awk 'NR == 2 { print $1 }'
}

sizes() { # .text and .rodata of mount, load, append and save, over an empty program and over one with
    # the caller's session in fixed memory, which it fills, changes and reads by itself
    local level out empty session program whose bytes
    for level in s z; do
        CARGO_PROFILE_RELEASE_OPT_LEVEL=$level build $ARM -p firmware-cortex-m --features peers \
            --bin empty --bin session --bin log --bin log-async --bin full --bin sequential --bin ekv
        out=target/$ARM/release
        empty=$(text $out/empty) session=$(text $out/session)
        while IFS=: read -r program whose; do
            bytes=$(text $out/"$program")
            printf 'firmware\tcode, opt %s\t%s\t%s\tbytes\t%s\n' \
                "$level" $ARM "$whose" $((bytes - empty))
            printf 'firmware\tcode beside a session, opt %s\t%s\t%s\tbytes\t%s\n' \
                "$level" $ARM "$whose" $((bytes - session))
        done <<'PROGRAMS'
log:mtsession
log-async:mtsession, async
full:mtsession, whole API
sequential:sequential-storage 8
ekv:ekv 1.0
PROGRAMS
    done
}
counts() { # on QEMU mps2-an386, next to sequential-storage with all caches
    build $ARM -p firmware-cortex-m --features count --bin count
    timeout 120 qemu-system-arm -cpu cortex-m4 -machine mps2-an386 -icount shift=0 -nographic \
        -semihosting-config enable=on,target=native -kernel target/$ARM/release/count </dev/null
}
board() { # name, target, linker arguments
    local name=$1 target=$2 upper
    shift 2
    upper=$(tr 'a-z-' 'A-Z_' <<<"$target")
    if [ ${#build_std[@]} -eq 0 ] && [ ! -d "$(rustc --print target-libdir --target "$target")" ]; then
        echo "skipped: $name, since rustup's target $target is not installed"
        return
    fi
    (
        cd boards
        env "CARGO_TARGET_${upper}_LINKER=$linker" "CARGO_TARGET_${upper}_RUSTFLAGS=$*" \
            "${cargo[@]}" build --quiet --release "${build_std[@]/%=core/=core,alloc}" --target "$target" -p "board-$name"
    )
    local program="boards/target/$target/release/board-$name"
    echo "$name links for $target, $(text "$program") bytes: $program"
}
boards() {
    echo "== real boards: programs over the flash drivers of their HALs =="
    board rp2040 $ARM_SMALL -C link-arg=--nmagic -C link-arg=-Tlink.x -C link-arg=-Tlink-rp.x
    board nrf52840 $ARM -C link-arg=--nmagic -C link-arg=-Tlink.x
    board esp32c3 riscv32imc-unknown-none-elf -C link-arg=-Tlinkall.x -C force-frame-pointers
    build $ARM -p firmware-cortex-m --bin h7
    echo "the driver for the STM32H7 links for $ARM"
}
demo() {
    echo "== Cortex-M: QEMU mps2-an386, defmt over semihosting =="
    DEFMT_LOG=info build $ARM -p firmware-cortex-m --features demo --bin demo
    timeout 60 qemu-system-arm -cpu cortex-m4 -machine mps2-an386 -nographic \
        -semihosting-config enable=on,target=native -kernel target/$ARM/release/demo >target/demo.log </dev/null
    echo "a login, 5,000 updates and a restart: right ($(wc -c <target/demo.log) bytes of defmt log)"
}
case ${1:-} in
"") ;;
boards | demo)
    "$1"
    exit
    ;;
figures)
    echo "# $("${RUSTC:-rustc}" --version)"
    sizes
    counts
    exit
    ;;
*)
    sed -n '2,18s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

echo "== sizes (.text and .rodata over an empty program, opt-level s and z) =="
sizes

echo "== no panic: a program whose panic handler calls a function that does not exist =="
build $ARM -p firmware-cortex-m --features no-panic --bin log
echo "links for $ARM"
build $ARM_SMALL -p firmware-cortex-m --features no-panic --bin log
echo "links for $ARM_SMALL, $(text target/$ARM_SMALL/release/log) bytes in all"

boards

demo

echo "== instructions and memory, QEMU mps2-an386, next to sequential-storage with all caches =="
counts

echo "== stack below the caller, QEMU mps2-an386 =="
build $ARM -p firmware-cortex-m --features count --bin stack
timeout 120 qemu-system-arm -cpu cortex-m4 -machine mps2-an386 -nographic \
    -semihosting-config enable=on,target=native -kernel target/$ARM/release/stack </dev/null

echo "== RISC-V: QEMU virt, CFI flash in a file, ${KILLS:=100} kills =="
build $RISCV -p firmware-riscv
image=target/flash.img
head -c $((32 << 20)) /dev/zero | tr '\0' '\377' >$image
keys=0 pts=0 most=0
for kill in $(seq "$KILLS"); do
    log=target/boots.log
    : >$log
    qemu-system-riscv32 -M virt -nographic -semihosting-config enable=on,target=native \
        -drive if=pflash,unit=1,file=$image,format=raw \
        -bios target/$RISCV/release/boots >$log 2>&1 </dev/null &
    emulator=$!
    sleep "0.$((RANDOM % 700 + 200))"
    kill -KILL $emulator
    wait $emulator 2>/dev/null || true
    if grep -q failed $log; then
        echo "boot $kill: $(grep failed $log)" >&2
        exit 1
    fi
    # A line that the kill cut short was not acknowledged as a whole: only whole lines count.
    found=$(grep -m1 "^found" $log || true)
    if [ -n "$found" ]; then
        read -r _ _ _ found_keys _ found_pts _ <<<"$found"
        # One call may have been carried out and not printed.
        if ((found_keys < keys || found_keys > keys + 1 || found_pts < pts || found_pts > pts + 1)); then
            echo "boot $kill: acknowledged keys $keys pts $pts, found $found" >&2
            exit 1
        fi
        keys=$found_keys pts=$found_pts
    fi
    # Drops a last line without its end.
    [ -n "$(tail -c1 $log)" ] && sed -i '$d' $log
    last=$(awk '$1 == "keys" { print $2 }' $log | tail -n1)
    keys=${last:-$keys}
    last=$(awk '$1 == "pts" { print $2 }' $log | tail -n1)
    pts=${last:-$pts}
    ((pts > most)) && most=$pts
done
((most > 0))
echo "$KILLS kills: all of $keys acknowledged keys and $pts updates were there after each"

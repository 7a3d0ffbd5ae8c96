#!/usr/bin/env bash
# The codec on bare metal: it builds for three kinds of microcontrollers, and a program that uses all
# of it links with a panic handler that cannot.
#
#   usage: tests/bare-metal/run.sh
#
# Takes rustup's targets where they are installed, else Debian's compiler with its own `core` source
# (apt-get install rustc-web cargo-web rust-web-src lld), else says that it is skipped.
set -euo pipefail
cd "$(dirname "$0")"
targets=(thumbv6m-none-eabi thumbv7em-none-eabihf riscv32imac-unknown-none-elf)
target_dir=${CARGO_TARGET_DIR:-$PWD/../../target}/bare-metal

installed=$(rustup target list --installed 2>/dev/null || true)
have_all=yes
for target in "${targets[@]}"; do
    grep -qx "$target" <<<"$installed" || have_all=no
done
if [ "$have_all" = yes ]; then
    cargo=(cargo)
    build_std=()
    linker=rust-lld
elif [ -x /usr/bin/rustc ] && [ -d /usr/src/rustc-"$(/usr/bin/rustc --version | cut -d' ' -f2)" ] && command -v ld.lld >/dev/null; then
    export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
    cargo=(/usr/bin/cargo)
    build_std=(-Zbuild-std=core)
    linker=ld.lld
else
    echo "skipped: neither rustup's targets (${targets[*]}) nor Debian's rustc-web and rust-web-src are installed"
    exit 0
fi
unset CARGO_BUILD_RUSTFLAGS RUSTFLAGS

build() { # target, more arguments
    local target=$1
    shift
    CARGO_TARGET_DIR=$target_dir "${cargo[@]}" rustc --quiet --release "${build_std[@]}" --target "$target" "$@" \
        -- -C linker="$linker" -C link-arg=--gc-sections -C link-arg=-e_start -C relocation-model=static
}

for target in "${targets[@]}"; do
    (cd ../../core && CARGO_TARGET_DIR=$target_dir "${cargo[@]}" build --quiet --release "${build_std[@]}" --target "$target" --features defmt)
    echo "$target: mtsession-core builds, with defmt"
    build "$target"
    echo "$target: decode, copy, apply, encode and strings of every library link without a panic"
    if build "$target" --features control 2>"$target_dir/control.log"; then
        echo "$target: the control program with one index expression linked as well: this test proves nothing" >&2
        exit 1
    fi
    grep -q a_panic_can_be_reached "$target_dir/control.log" || {
        cat "$target_dir/control.log" >&2
        echo "$target: the control program failed for another reason" >&2
        exit 1
    }
    echo "$target: the control program with one index expression does not"
done

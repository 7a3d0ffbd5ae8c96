#!/usr/bin/env bash
# The command, and the wheel and the npm packages that bring it.
#
#   ./build.sh OUT            as they are released: one static file that runs on every Linux
#   ./build.sh --quick OUT    for tests: the program that tests build, for this machine
#
# Needs npm and maturin; for the static file Debian's musl-tools and libunwind-14-dev (where there is no target of
# rustup's), and what tests/compiler.sh says.
set -euo pipefail
quick=
if [ "$1" = --quick ]; then
    quick=yes
    shift
fi
out=$(mkdir -p "$1" && realpath "$1")
cd "$(dirname "$0")"
root=$(realpath ../..)
export PATH="$root/target/tools/bin:$PATH"

# maturin calls cargo itself.
if [ -n "$quick" ]; then
    maturin build --quiet --profile dev --auditwheel skip --out "$out"
    program=${CARGO_TARGET_DIR:-$root/target}/debug/mtsession
else
    target=x86_64-unknown-linux-musl
    export CARGO_TARGET_DIR=${PLATFORMS_TARGET_DIR:-$root/target/platforms}
    . "$root/tests/compiler.sh" $target std,panic_abort,panic_unwind
    export CC_x86_64_unknown_linux_musl=musl-gcc CARGO=${cargo[0]}
    if [ ${#build_std[@]} -gt 0 ]; then
        # A standard library that is built here takes the C library and the unwinder that are installed.
        mkdir -p "$CARGO_TARGET_DIR/musl-lib"
        ln -sf /usr/lib/llvm-*/lib/libunwind.a "$CARGO_TARGET_DIR/musl-lib/libunwind.a"
        export CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=musl-gcc
        export CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS="-C link-self-contained=no -L native=$CARGO_TARGET_DIR/musl-lib"
    fi
    maturin build --quiet --release --target $target "${build_std[@]}" \
        --compatibility manylinux2014 musllinux_1_1 --out "$out"
    program=$CARGO_TARGET_DIR/$target/release/mtsession
    if readelf --program-headers "$program" | grep -q INTERP; then
        echo "the command wants a loader: it is not static" >&2
        exit 1
    fi
fi
cp "$program" "$out/mtsession"
strip "$out/mtsession"
npm/pack.sh "$out" >/dev/null
npm/pack.sh "$out" linux-x64 "$out/mtsession" >/dev/null

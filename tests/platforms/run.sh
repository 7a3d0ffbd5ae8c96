#!/usr/bin/env bash
# The libraries where this machine is not: 32-bit words, another processor, macOS, the browser.
#
#   ./run.sh                      i686, aarch64 and macos
#   ./run.sh i686 wasm            some: i686, aarch64, macos, wasm
#
# i686 and aarch64 run tests, the latter in an emulator; macOS is compiled as far as that takes no C compiler for
# it (no SQLite, no TLS: its own machines in .github/workflows/ci.yml run all tests). What a browser can have is
# compiled and run with the page, ../../std-backends/packaging/page; Windows has ../windows.
#
# Needs Debian's gcc-i686-linux-gnu, libc6-dev-i386-cross, gcc-aarch64-linux-gnu, libc6-dev-arm64-cross,
# qemu-user-static, and what ../compiler.sh says.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CARGO_TARGET_DIR=${PLATFORMS_TARGET_DIR:-target/platforms}

# Static programs need no loader and no libraries of the other system.
export CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_LINKER=i686-linux-gnu-gcc
export CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-feature=+crt-static"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-feature=+crt-static"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64-static"

cargo_for() { # command, target, more arguments
    (
        . tests/compiler.sh "$2" std,panic_abort,panic_unwind,test
        "${cargo[@]}" "$1" --quiet "${build_std[@]}" --target "$2" "${@:3}"
    )
}

i686() {
    local target=i686-unknown-linux-gnu
    cargo_for test $target -p mtsession-core --features alloc,std,serde --lib --tests
    cargo_for test $target -p mtsession-embedded --lib
    cargo_for test $target -p mtsession-tests --no-default-features --test conformance -- \
        file:: memory:: string:: sqlite_file::
}

aarch64() {
    local target=aarch64-unknown-linux-gnu
    cargo_for check $target -p mtsession --features cli,serde,tracing
    PROPTEST_CASES=16 cargo_for test $target -p mtsession-core --features alloc,std,serde --lib --tests
}

macos() {
    cargo_for check aarch64-apple-darwin -p mtsession --features serde,tokio,tracing
    cargo_for check aarch64-apple-darwin -p mtsession-embedded --features async,alloc,sim
}

wasm() {
    cargo_for check wasm32-unknown-unknown -p mtsession-core --features alloc,std,serde
    cargo_for check wasm32-unknown-unknown -p mtsession --features serde,tokio,tracing
    cargo_for check wasm32-unknown-unknown -p mtsession-embedded --features alloc
}

[ $# -gt 0 ] || set -- i686 aarch64 macos
for platform in "$@"; do
    "$platform"
    echo "ok: $platform"
done

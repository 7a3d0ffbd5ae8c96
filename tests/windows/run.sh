#!/usr/bin/env bash
# The library and the command on Windows: every feature set compiles without a warning, and the conformance
# suite of the backends that keep files runs under Wine.
#
#   ./run.sh          everything
#   ./run.sh check    compiles only
#
# What Wine cannot show: sharing violations by a virus scanner, NTFS after a power cut (its files are
# the host's), and what an access list forbids. File locks are the host's `flock` in Wine, seen
# between Wine's programs as mandatory, as on Windows.
#
# Needs Debian's mingw-w64 and wine64, and either
#   rustup target add x86_64-pc-windows-gnu
# or Debian's rustc-web, cargo-web and rust-web-src, which build the standard library themselves.
set -euo pipefail
cd "$(dirname "$0")/../.."

TARGET=x86_64-pc-windows-gnu
cargo=(cargo) build_std=()
export RUSTFLAGS="-D warnings"
if [ ! -d "$(rustc --print target-libdir --target $TARGET 2>/dev/null)" ]; then
    if [ ! -x /usr/bin/cargo ] || [ ! -d /usr/lib/rustlib/src/rust/library ]; then
        echo "no standard library for $TARGET: see the head of this script" >&2
        exit 1
    fi
    export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc
    cargo=(/usr/bin/cargo)
    # Warnings of our own code are errors; those of the standard library are not ours to mend.
    unset RUSTFLAGS
    export CARGO_BUILD_WARNINGS=deny
    build_std=(-Zwarnings -Zbuild-std=std,panic_unwind,test)
fi
# One folder of its own: the compiler is another than the workspace's.
export CARGO_TARGET_DIR=${WINDOWS_TARGET_DIR:-target/windows}

run() { "${cargo[@]}" "$@" --quiet "${build_std[@]}" --target $TARGET; }

for features in "" sqlite clients libsql-remote,tokio cli,grammers,serde,tracing; do
    run check -p mtsession --no-default-features --features "$features"
    echo "ok: mtsession with '${features:-no features}'"
done
run check -p mtsession-core --features alloc,std,serde
run check -p mtsession-embedded --features alloc
echo "ok: mtsession-core, mtsession-embedded"
[ "${1:-}" = check ] && exit

if ! command -v wine >/dev/null; then
    echo "skipped: the tests want wine (Debian's wine and wine64)"
    exit
fi
WINEPREFIX=$(realpath "$CARGO_TARGET_DIR")/wine
export WINEDEBUG=-all WINEPREFIX
program() { # the test program that cargo builds from these arguments
    run test --no-run --message-format json "$@" | python3 -c 'import json, sys
for built in map(json.loads, sys.stdin):
    if built.get("executable") and built["profile"]["test"]: print(built["executable"])'
}
unit=$(program -p mtsession --lib)
program=$(program -p mtsession-tests --no-default-features --test conformance)
# Debian's Wine is older than this library of Windows, which Rust takes its random numbers from.
x86_64-w64-mingw32-gcc -shared -o "$(dirname "$program")/bcryptprimitives.dll" tests/windows/bcryptprimitives.c -ladvapi32
wine "$unit" file:: fs:: open:: </dev/null
# Its databases in memory, and its servers, are the same on every system.
# Where each call opens the file anew, in an emulator, fewer random cases take long enough.
PROPTEST_CASES=12 wine "$program" file:: file_with_fsync:: memory:: string:: sqlite_file:: libsql_file:: </dev/null

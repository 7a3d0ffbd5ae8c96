#!/usr/bin/env bash
# The page as one file, which works from a disk as well as from a server and asks for nothing else.
#
#   ./build.sh OUT.html
#
# Needs Debian's clang and lld-19, and what tests/compiler.sh says.
set -euo pipefail
out=$(realpath "$1")
cd "$(dirname "$0")"
target=wasm32-unknown-unknown
export CARGO_TARGET_DIR=${PLATFORMS_TARGET_DIR:-$PWD/../../../target/platforms}
. ../../../tests/compiler.sh $target std,panic_abort
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS='--cfg getrandom_backend="custom"'
if [ ${#build_std[@]} -gt 0 ]; then
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19
fi
"${cargo[@]}" build --quiet --release "${build_std[@]}" --target $target
python3 - "$CARGO_TARGET_DIR/$target/release/mtsession_page.wasm" page.html "$out" <<'PY'
import base64, sys
wasm, page, out = sys.argv[1:]
code = base64.b64encode(open(wasm, "rb").read()).decode()
text = open(page, encoding="utf-8").read()
assert text.count("@WASM@") == 1, "the page has one place for the code"
open(out, "w", encoding="utf-8").write(text.replace("@WASM@", code))
PY
echo "$(stat --format %s "$out") bytes: $out"

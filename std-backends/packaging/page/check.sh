#!/usr/bin/env bash
# What the page does, and the page in Chromium, in a network that reaches nothing where that can be had.
#
#   ./check.sh            both; what it made and pictures of it stay in target/page-check
#   ./check.sh native     without a browser
#
# The browser needs Debian's chromium, npm, and what build.sh needs.
set -euo pipefail
cd "$(dirname "$0")/../../.."
manifest=std-backends/packaging/page/Cargo.toml
cargo fmt --manifest-path $manifest --check
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target} cargo test --quiet --manifest-path $manifest --test page
[ "${1:-}" = native ] && exit

out=target/page-check
mkdir -p "$out" target/tools/node
std-backends/packaging/page/build.sh "$out/mtsession.html"
if ! command -v "${CHROMIUM:-chromium}" >/dev/null; then
    echo "skipped: the test of the page wants Chromium"
    exit
fi
out=$(realpath "$out")
cd target/tools/node
[ -d node_modules/playwright-core ] || npm install --silent --no-audit --no-fund playwright-core@1.65.1
alone=()
if unshare --net true 2>/dev/null; then alone=(unshare --net); fi
CHROMIUM=$(command -v "${CHROMIUM:-chromium}") "${alone[@]}" node ../../../std-backends/packaging/page/test.mjs "$out/mtsession.html" "$out"
python3 - "$out/pyrogram.session" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
(user, dc, key), = db.execute("SELECT user_id, dc_id, auth_key FROM sessions")
assert user == 777000 and len(key) == 256, (user, dc, len(key))
print("ok: its database has", db.execute("SELECT count(*) FROM peers").fetchone()[0], "peers")
PY

#!/usr/bin/env bash
# The wheel and the npm packages, installed where nothing of ours is, convert a session with two commands.
#
#   ./check.sh [OUT]      what build.sh made; without it they are built first, quickly
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-}
if [ -z "$out" ]; then
    out=target/packaging
    rm -rf "$out"
    std-backends/packaging/build.sh --quick "$out"
fi
out=$(realpath "$out")
telethon=$PWD/tests/vectors/clients/telethon-1.45.0-s01.session
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"

convert() { # name, the command
    rm -f new.session
    "${@:2}" convert "$telethon" pyrogram:new.session --user-id 777000 --user --api-id 12345 --production >said
    "${@:2}" inspect new.session >said
    grep -q Pyrogram said
    echo "ok: $1"
}

convert "one file, $(stat --format %s "$out/mtsession") bytes" "$out/mtsession"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check --no-index "$out"/mtsession-*.whl
convert "wheel, $(stat --format %s "$out"/mtsession-*.whl) bytes" python/bin/mtsession

mkdir node && cd node
npm install --silent --offline --no-audit --no-fund "$out"/mtsession-linux-x64-*.tgz "$out"/mtsession-[0-9]*.tgz
cd ..
convert "npm, $(cat "$out"/mtsession-linux-x64-*.tgz "$out"/mtsession-[0-9]*.tgz | wc --bytes) bytes" node/node_modules/.bin/mtsession
rm -r node/node_modules/@mtsession
! node/node_modules/.bin/mtsession --version 2>said
grep -q 'cargo install' said
echo "ok: npm says what to do where its package has no command for the system"

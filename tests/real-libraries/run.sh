#!/usr/bin/env bash
# The real client libraries open what we write, go on writing to it, and we read what they wrote.
#
# Installs them from PyPI, npm and crates.io into a throw-away directory. Where a registry does not answer, its
# libraries are skipped and named as such at the end; everything else must pass. Nothing here connects
# to Telegram. Usage: tests/real-libraries/run.sh
set -euo pipefail

checks=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$checks/../.." && pwd)
vectors=$root/tests/vectors/clients
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --quiet --manifest-path "$root/Cargo.toml" -p mtsession --features clients --example convert
convert=${CARGO_TARGET_DIR:-$root/target}/debug/examples/convert
kurigram=$vectors/kurigram-2.2.26-s01.session
telethon=$vectors/telethon-1.45.0-s01.session
grammers=$vectors/grammers-0.11.0-s01.session
# How the auth key of these samples begins.
key=030a1118
skipped=()

# pypi NAME PACKAGE: a Python environment with one package; false where it cannot be had.
pypi() {
    python3 -m venv "$work/$1" && "$work/$1/bin/pip" install --quiet --disable-pip-version-check "$2" ||
        { skipped+=("$2"); false; }
}

# npm_packages NAME PACKAGE...: the same for Node.
npm_packages() {
    local dir=$work/$1
    mkdir "$dir"
    (cd "$dir" && npm init --yes >/dev/null && npm install --no-save --loglevel=error "${@:2}") ||
        { skipped+=("${*:2}"); false; }
}

passed() {
    echo "passed: $1"
}

# read_back PATH USERNAME: our reader finds the peer that the library has written, and its name.
read_back() {
    "$convert" "$1" telethon "$work/back.session" >/dev/null
    python3 "$checks/read_back.py" "$work/back.session" "$2"
    rm "$work/back.session"
}

for version in 1.45.0:telethon 1.42.0:telethon7; do
    if pypi "telethon-${version%:*}" "telethon==${version%:*}"; then
        python=$work/telethon-${version%:*}/bin/python
        "$convert" "$kurigram" "${version#*:}" "$work/from-kurigram.session"
        "$python" "$checks/telethon_check.py" "$work/from-kurigram.session" $key phone
        read_back "$work/from-kurigram.session" brand_new
        "$convert" "$grammers" "${version#*:}" "$work/from-grammers.session"
        "$python" "$checks/telethon_check.py" "$work/from-grammers.session" $key -
        rm "$work"/from-*.session
        passed "Telethon ${version%:*}"
    fi
done

for library in pyrogram==2.0.106:pyrogram kurigram==2.2.26:kurigram; do
    if pypi "${library#*:}" "${library%:*}"; then
        python=$work/${library#*:}/bin/python
        "$convert" "$telethon" "${library#*:}" "$work/from_telethon.session" 123456789 user 1234567
        "$python" "$checks/pyrogram_check.py" "$work/from_telethon.session" $key names
        read_back "$work/from_telethon.session" brand_new
        "$convert" "$grammers" "${library#*:}" "$work/from_grammers.session" 123456789 user 1234567
        "$python" "$checks/pyrogram_check.py" "$work/from_grammers.session" $key -
        rm "$work"/from_*.session
        passed "${library%:*}"
    fi
done
if [ -x "$work/kurigram/bin/python" ]; then
    "$convert" "$telethon" pyrogram "$work/migrated.session" 123456789 user 1234567
    "$work/kurigram/bin/python" "$checks/pyrogram_check.py" "$work/migrated.session" $key -
    passed "kurigram migrates what is written for Pyrogram"
fi

# tdlib_log NAME SECRET: TDLib goes on with a log that it has written, and we read what it makes of it.
tdlib_log() {
    cp -r "$root/tests/vectors/tdlib/$1" "$work/tdlib-log"
    "$work/tdlib/bin/python" "$checks/tdlib_check.py" "$work/tdlib-log" "$2"
    MTSESSION_PASSCODE=$2 "$convert" "$work/tdlib-log" telethon "$work/from-tdlib.session"
    rm -r "$work/tdlib-log" "$work/from-tdlib.session"
}

if pypi tdlib tdjson; then
    tdlib_log open ""
    tdlib_log locked Y29ycmVjdCBob3JzZQ==
    passed "TDLib"
fi

if npm_packages gramjs telegram@2.26.22; then
    "$convert" "$kurigram" gramjs "$work/gramjs/converted"
    cp "$checks/gramjs_check.js" "$work/gramjs"
    (cd "$work/gramjs" && node gramjs_check.js converted $key)
    read_back "$work/gramjs/converted" brand_new
    passed "GramJS"
fi

if npm_packages mtcute @mtcute/node@0.29.7; then
    "$convert" "$kurigram" mtcute "$work/mtcute.session"
    cp "$checks/mtcute_check.mjs" "$work/mtcute"
    (cd "$work/mtcute" && node mtcute_check.mjs "$work/mtcute.session" $key)
    read_back "$work/mtcute.session" brand_new
    "$convert" "$work/mtcute.session" mtcute "$work/mtcute-again.session"
    cp "$checks/mtcute_salt_check.mjs" "$work/mtcute"
    (cd "$work/mtcute" && node mtcute_salt_check.mjs "$work/mtcute-again.session")
    passed "mtcute"
fi

if cargo fetch --quiet --manifest-path "$checks/grammers/Cargo.toml"; then
    "$convert" "$kurigram" grammers "$work/grammers.session"
    CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/grammers-check \
        cargo run --quiet --manifest-path "$checks/grammers/Cargo.toml" -- "$work/grammers.session"
    read_back "$work/grammers.session" -
    passed "grammers 0.11"
else
    skipped+=("grammers-session 0.11")
fi

for package in ${skipped[@]+"${skipped[@]}"}; do
    echo "SKIPPED, the registry did not give it: $package"
done

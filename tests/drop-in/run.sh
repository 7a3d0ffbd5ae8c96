#!/usr/bin/env bash
# Runs the published client `ferogram`, with its own tests, on this library in place of the crate
# `ferogram-session` that it asks for.
#
#   usage: tests/drop-in/run.sh [WORK_DIR]      (default: target/drop-in)
#
# Fails when a step fails, and when cargo did not take the replacement.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
shim=$root/std-backends/ferogram-session
work=${1:-${CARGO_TARGET_DIR:-$root/target}/drop-in}
version=0.6.6
mkdir -p "$work/fetch/src" "$work/workspace"

# The sources as they are published, through cargo itself.
: >"$work/fetch/src/lib.rs"
cat >"$work/fetch/Cargo.toml" <<TOML
[package]
name = "fetch"
version = "0.0.0"
edition = "2021"

[dependencies]
ferogram = "=$version"
ferogram-mtsender = "=$version"

[workspace]
TOML
sources=$(cargo metadata --quiet --format-version 1 --manifest-path "$work/fetch/Cargo.toml" |
    grep -o '"manifest_path":"[^"]*/ferogram\(-mtsender\)\?-'"$version"'/Cargo.toml"' | cut -d'"' -f4 | sort -u)
for manifest in $sources; do
    name=$(basename "$(dirname "$manifest")")
    name=${name%-"$version"}
    if [ ! -d "$work/workspace/$name" ]; then
        cp -r "$(dirname "$manifest")" "$work/workspace/$name"
        chmod -R u+w "$work/workspace/$name"
    fi
done

cat >"$work/workspace/Cargo.toml" <<TOML
[workspace]
members = ["ferogram", "ferogram-mtsender"]
resolver = "2"

[patch.crates-io]
ferogram-session = { path = "$shim" }
ferogram-mtsender = { path = "ferogram-mtsender" }

[profile.dev]
debug = 0
TOML
cd "$work/workspace"

# cargo only warns when a patch is not used.
cargo tree --quiet -p ferogram -e normal -i ferogram-session | head -1 | grep -qF "($shim)" || {
    echo "the patch was not used: is the replacement's version outside of what ferogram asks for?" >&2
    exit 1
}

failed=
step() { # name, command
    local name=$1 log=$work/$1.log started=$SECONDS passed
    shift
    if "$@" >"$log" 2>&1; then
        # A check runs no tests.
        passed=$(awk '/^test result: ok/ { sum += $4 } END { print sum + 0 }' "$log")
        echo "ok: $name ($passed tests, $((SECONDS - started)) s)"
    else
        tail -25 "$log"
        echo "failed: $name" >&2
        failed=yes
    fi
}
step tests cargo test -p ferogram --lib --tests
step doc-tests cargo test -p ferogram --doc
step mtsender cargo test -p ferogram-mtsender --lib
step sqlite cargo check -p ferogram --features sqlite-session
step libsql cargo check -p ferogram --features libsql-session
step sqlite-and-libsql-and-serde cargo test -p ferogram --lib --features sqlite-session,libsql-session,serde
step examples cargo check -p ferogram --examples --features parsers,derive,fsm
[ -z "$failed" ]

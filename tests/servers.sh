#!/usr/bin/env bash
# Redis and PostgreSQL for the example backends: installs Debian's packages where they are missing, starts
# both on loopback with data in a temporary directory, and stops them at the end.
#
#   tests/servers.sh                  runs the conformance suite on both example backends
#   tests/servers.sh example NAME     runs an example: redis_backend or postgres_backend
#   tests/servers.sh COMMAND...       runs anything with REDIS_URL and POSTGRES_URL set
#
# Where the servers cannot be had, it says so and succeeds; SERVERS=required makes that a failure.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

skip() {
    echo "skipped: the example backends on Redis and PostgreSQL: $1" >&2
    [ "${SERVERS:-}" != required ]
    exit
}

postgres_bin() { find /usr/lib/postgresql -path '*/bin/initdb' -printf '%h\n' 2>/dev/null | sort -V | tail -1; }

missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
[ -n "$(postgres_bin)" ] || missing+=(postgresql)
if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] ||
        skip "not installed, and not possible to install here: ${missing[*]}"
    # In run level 1 the packages do not start servers of their own.
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; } ||
        skip "Debian's packages cannot be installed: ${missing[*]}"
fi
bin=$(postgres_bin)

data=$(mktemp -d)
pids=()
stop() {
    [ ${#pids[@]} -eq 0 ] || { kill "${pids[@]}" && wait "${pids[@]}"; } 2>/dev/null || true
    rm -rf "$data"
}
trap stop EXIT

# A port that nobody listens on.
port() {
    local port
    while port=$((20000 + RANDOM % 30000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# until_up NAME COMMAND...: waits until the command succeeds.
until_up() {
    for _ in {1..300}; do
        "${@:2}" >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "$1 does not start:" >&2
    cat "$data/$1.log" >&2
    exit 1
}

password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')

redis_port=$(port)
mkdir "$data/redis"
printf '%s\n' "bind 127.0.0.1" "port $redis_port" "dir $data/redis" "requirepass $password" 'save ""' \
    "appendonly yes" "appendfsync always" >"$data/redis.conf"
redis-server "$data/redis.conf" >"$data/redis.log" 2>&1 &
pids+=($!)
export REDIS_URL=redis://:$password@127.0.0.1:$redis_port

# PostgreSQL refuses to run as root.
as_postgres=()
if [ "$(id -u)" = 0 ]; then
    as_postgres=(setpriv --reuid postgres --regid postgres --init-groups --)
    chmod 711 "$data"
fi
postgres_port=$(port)
echo "$password" >"$data/password"
mkdir "$data/postgres"
[ "$(id -u)" != 0 ] || chown postgres: "$data/postgres" "$data/password"
(cd "$data/postgres" && "${as_postgres[@]}" "$bin/initdb" --pgdata "$data/postgres" --username postgres \
    --pwfile "$data/password" --auth scram-sha-256 --encoding UTF8 --locale C) >"$data/postgres.log" 2>&1 ||
    { cat "$data/postgres.log" >&2; exit 1; }
(cd "$data/postgres" && exec "${as_postgres[@]}" "$bin/postgres" -D "$data/postgres" -p "$postgres_port" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories="$data/postgres") >>"$data/postgres.log" 2>&1 &
pids+=($!)
export POSTGRES_URL=postgres://postgres:$password@127.0.0.1:$postgres_port/postgres

until_up redis env REDISCLI_AUTH="$password" redis-cli -p "$redis_port" ping
until_up postgres "$bin/pg_isready" -h 127.0.0.1 -p "$postgres_port"

cargo=(cargo --config "build.target-dir='${CARGO_TARGET_DIR:-$root/target}'")
manifest=$root/tests/custom-backends/Cargo.toml
case ${1:-} in
"") "${cargo[@]}" test --quiet --manifest-path "$manifest" ;;
example) "${cargo[@]}" run --quiet --manifest-path "$manifest" --example "$2" ;;
*) "$@" ;;
esac

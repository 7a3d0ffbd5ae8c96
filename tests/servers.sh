#!/usr/bin/env bash
# Redis, PostgreSQL and S3 for tests: installs Debian's packages and moto from PyPI where they are missing, starts
# them on loopback with data in a temporary directory, and stops them at the end.
#
#   tests/servers.sh                  runs the tests of accounts on servers
#   tests/servers.sh COMMAND...       runs anything with the variables of those tests set
#
# Where the servers cannot be had, it says so and succeeds; SERVERS=required makes that a failure.
#
# moto is a server of S3 for tests: it keeps to If-Match and If-None-Match, answers as S3 does, and checks no
# signature. It carries out one request at a time here, since its comparisons are no single step otherwise.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

skip() {
    echo "skipped: accounts on Redis, PostgreSQL and S3: $1" >&2
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
moto=${CARGO_TARGET_DIR:-$root/target}/moto
if ! PYTHONPATH=$moto python3 -c "import moto.server, flask, flask_cors" 2>/dev/null; then
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$moto" \
        'moto[s3,server]==5.2.1' >&2 || skip "moto cannot be installed from PyPI"
fi

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

# redis NAME SETTING...: starts a Redis server and sets redis_url.
redis() {
    local redis_port
    redis_port=$(port)
    mkdir "$data/$1"
    printf '%s\n' "bind 127.0.0.1" "port $redis_port" "dir $data/$1" "requirepass $password" "${@:2}" >"$data/$1.conf"
    redis-server "$data/$1.conf" >"$data/$1.log" 2>&1 &
    pids+=($!)
    until_up "$1" env REDISCLI_AUTH="$password" redis-cli -p "$redis_port" ping
    redis_url=redis://127.0.0.1:$redis_port
}

export SERVERS_PASSWORD=$password
redis redis 'save ""' "appendonly yes" "appendfsync always"
export SERVERS_REDIS=$redis_url
redis replica 'save ""' "replicaof 127.0.0.1 ${redis_url##*:}" "masterauth $password"
export SERVERS_REDIS_REPLICA=$redis_url
redis forgetful 'save ""' "appendonly no"
export SERVERS_REDIS_FORGETFUL=$redis_url
redis evicting "appendonly yes" "maxmemory 100mb" "maxmemory-policy allkeys-lru"
export SERVERS_REDIS_EVICTING=$redis_url
redis full "appendonly yes" "maxmemory 1mb" "maxmemory-policy noeviction"
export SERVERS_REDIS_FULL=$redis_url

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
export SERVERS_POSTGRES=postgres://postgres@127.0.0.1:$postgres_port/postgres
until_up postgres "$bin/pg_isready" -h 127.0.0.1 -p "$postgres_port"
PGPASSWORD=$password "$bin/psql" -q -h 127.0.0.1 -p "$postgres_port" -U postgres -c "CREATE ROLE reader LOGIN
    PASSWORD '$password'; ALTER ROLE reader SET default_transaction_read_only = on;
    GRANT pg_read_all_data TO reader; CREATE ROLE nobody LOGIN PASSWORD '$password'" \
    -c "CREATE DATABASE tour"

s3_port=$(port)
PYTHONPATH=$moto python3 - "$s3_port" >"$data/s3.log" 2>&1 <<'PYTHON' &
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)
PYTHON
pids+=($!)
until_up s3 curl --silent --fail -X PUT "http://127.0.0.1:$s3_port/sessions"
export SERVERS_S3="s3://sessions/test?endpoint=http://127.0.0.1:$s3_port"

if [ $# -gt 0 ]; then
    "$@"
else
    cd "$root"
    cargo test --quiet -p mtsession-tests --test servers --test servers_refuse
    SERVERS_SQLD=$("$root/tests/sqld.sh") cargo test --quiet -p mtsession --features cli --test servers
fi

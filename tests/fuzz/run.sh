#!/usr/bin/env bash
# Fuzzes every target for a while, starting from the committed corpus.
#
#   usage: tests/fuzz/run.sh [SECONDS_EACH]      (default 15)
#
# Needs cargo-fuzz (cargo install cargo-fuzz) and a C++ compiler; the stable toolchain will do.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-15}
command -v cargo-fuzz >/dev/null || {
    echo "skipped: cargo-fuzz is not installed (cargo install cargo-fuzz)"
    exit 0
}
for target in view any_string journal round_trip; do
    mkdir -p "corpus/$target" "target/grown/$target"
    # New inputs go to the first folder; the committed corpus is only read.
    cargo fuzz run --fuzz-dir . --sanitizer none "$target" "target/grown/$target" "corpus/$target" \
        -- -max_total_time="$seconds" -max_len=8192 -print_final_stats=1 2>&1 |
        grep -E '^stat::number_of_executed_units|panicked|SUMMARY|error' || true
    test "${PIPESTATUS[0]}" = 0 || { echo "$target: failed"; exit 1; }
    echo "$target: nothing found in $seconds s"
done

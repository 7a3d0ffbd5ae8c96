#!/usr/bin/env bash
# Fuzzes every target for a while, starting from the committed corpus.
#
#   usage: tests/fuzz/run.sh [SECONDS_EACH]      (default 12)
#
# Needs cargo-fuzz (cargo install cargo-fuzz) and a C++ compiler; the stable toolchain will do.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-12}
command -v cargo-fuzz >/dev/null || {
    echo "skipped: cargo-fuzz is not installed (cargo install cargo-fuzz)"
    exit 0
}
for target in view any_string foreign_string tail salvage round_trip flash_script flash_image; do
    mkdir -p "corpus/$target" "target/grown/$target"
    # New inputs go to the first folder; the committed corpus is only read.
    log=target/$target.log
    if ! cargo fuzz run --fuzz-dir . --sanitizer none "$target" "target/grown/$target" "corpus/$target" \
        -- -max_total_time="$seconds" -max_len=8192 -print_final_stats=1 >"$log" 2>&1; then
        grep -E -A4 'panicked|^error|SUMMARY' "$log" || tail -20 "$log"
        echo "$target: failed; the input is in tests/fuzz/artifacts/$target" >&2
        exit 1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$target: nothing found in $runs runs of $seconds s"
done

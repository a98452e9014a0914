#!/usr/bin/env bash
# Figures of the release build as ratios in one run. BENCH_PASSES sets the number of passes (200: about 6 minutes).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/deps.sh
cargo build --release --quiet -p vision -p gate-controller -p central -p sim -p tests
cargo build --release --quiet -p gate-core --example decisions --example paths
"${CARGO_TARGET_DIR:-target}/release/examples/decisions"
# Path verification beside pm4py's token replay of the same passes; pm4py is fetched for this alone.
judge=target/bench-paths
[ -x "$judge/bin/python" ] || { python3 -m venv "$judge" && "$judge/bin/pip" install --quiet --disable-pip-version-check pm4py==2.7.23.11; }
passes=$("${CARGO_TARGET_DIR:-target}/release/examples/paths" "$judge/log.csv")
echo "$passes"
"$judge/bin/python" scripts/bench-paths.py "$judge/log.csv" config/sites/bari/site.toml "$(grep -oE '[0-9]+ events/s' <<<"$passes" | cut -d' ' -f1)" | grep 'token replay'
"${CARGO_TARGET_DIR:-target}/release/varco-bench-journal"
"${CARGO_TARGET_DIR:-target}/release/varco-bench-central"
exec "${CARGO_TARGET_DIR:-target}/release/varco-bench" "${BENCH_PASSES:-200}"

#!/usr/bin/env bash
# Figures of the release build as ratios in one run. BENCH_PASSES sets the number of passes (200: about 6 minutes).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/deps.sh
cargo build --release --quiet -p vision -p gate-controller -p central -p sim -p tests
cargo build --release --quiet -p gate-core --example decisions
"${CARGO_TARGET_DIR:-target}/release/examples/decisions"
"${CARGO_TARGET_DIR:-target}/release/varco-bench-journal"
"${CARGO_TARGET_DIR:-target}/release/varco-bench-central"
exec "${CARGO_TARGET_DIR:-target}/release/varco-bench" "${BENCH_PASSES:-200}"

#!/usr/bin/env bash
# The gate killed again and again under load on several lanes, then the same trucks undisturbed: both leave the same
# passes at central. SOAK_KILLS (200), SOAK_LANES (3) and SOAK_SEED (a fresh one, printed) set what is done.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/deps.sh test
cargo build --workspace --bins
export VARCO_KILLS="${SOAK_KILLS:-200}" VARCO_LANES="${SOAK_LANES:-3}" VARCO_SEED="${SOAK_SEED:-$(date +%s)}"
echo "$VARCO_KILLS kills on $VARCO_LANES lanes, seed $VARCO_SEED"
exec cargo nextest run --workspace --profile soak --no-capture -E 'package(tests) and test(killed_at_random)'

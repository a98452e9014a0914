#!/usr/bin/env bash
# Builds what is missing and starts the whole port on free local ports. Ctrl-C stops all of it.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/deps.sh
target=${CARGO_TARGET_DIR:-target}
if [ ! -x "$target/debug/varco-sim" ]; then
    echo "First build: about 10 minutes on 2 cores, 3 on 8. Later starts take seconds."
fi
cargo build --quiet --workspace --bins
exec "$target/debug/varco-sim" demo "$@"

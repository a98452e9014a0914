#!/usr/bin/env bash
# Every test of the workspace. Servers that tests need are started and stopped by the tests themselves.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/deps.sh test
scripts/peers.sh
scripts/lint.sh
# The whole-system tests drive the built binaries.
cargo build --workspace --bins
cargo nextest run --workspace --no-fail-fast
# Documentation tests, which nextest leaves out: what must not compile, does not.
cargo test --quiet --doc -p gate-core

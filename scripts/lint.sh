#!/usr/bin/env bash
# Formatting and lints. Tests fail by panicking, so `unwrap` is theirs; the product may not.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --all --check
cargo clippy --workspace --lib --bins --quiet -- -D warnings
cargo clippy --workspace --tests --examples --quiet -- -D warnings -A clippy::unwrap_used

#!/usr/bin/env bash
# Installs what building (and with `test`, testing) needs on Debian 12, and only what is missing.
set -euo pipefail
"$(dirname "$0")"/apt.sh build-essential pkg-config clang libclang-dev libopencv-dev
[ "${1:-}" != test ] || "$(dirname "$0")"/apt.sh postgresql-15
if ! command -v cargo >/dev/null; then
    echo "cargo is not installed: get the Rust toolchain 1.95 or later with rustup (https://rustup.rs), then run this again" >&2
    exit 69
fi
if [ "${1:-}" = test ] && ! cargo nextest --version >/dev/null 2>&1; then
    echo "installing cargo-nextest (some minutes, once)"
    cargo install --quiet --locked cargo-nextest
fi

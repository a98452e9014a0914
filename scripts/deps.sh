#!/usr/bin/env bash
# Installs what building (and with `test`, testing) needs on Debian 12, and only what is missing.
set -euo pipefail
want=(build-essential pkg-config clang libclang-dev libopencv-dev)

missing=()
for package in "${want[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    echo "installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if ! command -v cargo >/dev/null; then
    echo "cargo is not installed: get the Rust toolchain 1.95 or later with rustup (https://rustup.rs), then run this again" >&2
    exit 69
fi
if [ "${1:-}" = test ] && ! cargo nextest --version >/dev/null 2>&1; then
    echo "installing cargo-nextest (some minutes, once)"
    cargo install --quiet --locked cargo-nextest
fi

#!/usr/bin/env bash
# Installs the independent peers that the tests start and stop: Debian's packages, and Python and npm
# packages of a pinned version below target/peers. Does nothing when all of it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
want=(python3-venv curl socat tshark qrencode mosquitto mosquitto-clients ffmpeg python3-gi gir1.2-gst-rtsp-server-1.0
    gstreamer1.0-rtsp gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly)
python=(pymodbus==3.16.1 pyserial==3.5 mt-sics-emulator==0.1.1 sllurp==2.0.1 pyllrp==3.1.1 bitstring==4.3.1 libosdp==3.2.9)
npm=(llrpjs@1.0.1)

# A machine that has Node already keeps its own.
command -v npm >/dev/null || want+=(nodejs npm)
scripts/apt.sh "${want[@]}"

peers=target/peers
mkdir -p "$peers"
if [ "$(cat "$peers/python.txt" 2>/dev/null)" != "${python[*]}" ]; then
    echo "installing: ${python[*]}"
    [ -x "$peers/venv/bin/python" ] || /usr/bin/python3 -m venv "$peers/venv"
    "$peers/venv/bin/pip" install --quiet --disable-pip-version-check "${python[@]}"
    echo "${python[*]}" >"$peers/python.txt"
fi
if [ "$(cat "$peers/npm.txt" 2>/dev/null)" != "${npm[*]}" ]; then
    echo "installing: ${npm[*]}"
    npm install --silent --no-audit --no-fund --prefix "$peers" "${npm[@]}"
    echo "${npm[*]}" >"$peers/npm.txt"
fi

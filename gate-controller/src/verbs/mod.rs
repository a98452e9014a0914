//! What a person asks of a recorded journal or of one device, beside a running daemon or without one.

mod device;
mod device_badge;
mod device_barcode;
mod device_bench;
mod device_camera;
mod device_io;
mod device_reader;
mod device_scale;
mod device_sign;
mod evidence;
mod journal;
mod learn;
mod replay;
mod reread;

pub use device::{DeviceVerb, device};
pub(crate) use evidence::IMAGES;
pub use evidence::export_evidence;
pub use journal::{export_journal, verify_journal};
pub use learn::{confusions, reliability};
pub use replay::replay;

use anyhow::{Context as _, Result};
use gate_types::{LaneId, PassId};

/// `LANE:NUMBER`.
fn pass_id(text: &str) -> Result<PassId> {
    let told = || format!("pass `{text}`: expected LANE:NUMBER such as n1-in-1:42");
    let (lane, number) = text.rsplit_once(':').with_context(told)?;
    Ok(PassId { lane: LaneId::new(lane).with_context(told)?, number: number.parse().with_context(told)? })
}

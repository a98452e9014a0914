//! What a pack holds, and how it is written.

use crate::zip::write_zip;
use gate_types::{BootEpoch, EntrySeq, NodeId, PassId, PortId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The only known format.
pub const FORMAT: &str = "varco-evidence/1";
/// Largest pack that is read, bytes.
pub const MOST_BYTES: u64 = 1 << 30;
/// The members' names.
pub(crate) const PACK: &str = "pack.json";
pub(crate) const README: &str = "README.txt";

/// One entry of the section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackEntry {
    /// The start that wrote it.
    pub epoch: BootEpoch,
    /// Its number.
    pub seq: EntrySeq,
    /// Its hash, lower-case hex.
    pub hash: String,
    /// The salt of a body that is shown, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// The body of an entry of this pass, as its stored JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// What stands for a body that is not shown: of another pass, or erased. Lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<String>,
    /// The body was erased at the end of its purpose's time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub erased: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The proof of one pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// [`FORMAT`].
    pub format: String,
    /// The port.
    pub port: PortId,
    /// The node.
    pub node: NodeId,
    /// The pass.
    pub pass: PassId,
    /// When it was exported, wall clock of the gate, milliseconds since 1970.
    pub exported_at_ms: i64,
    /// The program that exported it.
    pub program: String,
    /// The hash before the first entry.
    pub previous: String,
    /// The section, without gaps.
    pub entries: Vec<PackEntry>,
    /// The gate's signed head of the last entry, compact JWS.
    pub head: String,
    /// Central's receipt for that head, compact JWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

/// Writes a pack with its pictures, by address.
pub fn write(pack: &Pack, images: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, String> {
    let json = serde_json::to_vec_pretty(pack).map_err(|e| e.to_string())?;
    let mut members = vec![(README.to_owned(), readme(pack).into_bytes()), (PACK.to_owned(), json)];
    members.extend(images.iter().map(|(sha256, jpeg)| (format!("images/{sha256}.jpg"), jpeg.clone())));
    write_zip(&members).ok_or_else(|| "the pictures are larger than an archive takes".to_owned())
}

fn readme(pack: &Pack) -> String {
    format!(
        "Evidence of pass {} at node {} of port {}\r\n\r\n\
         Check it with:  varco-verify THIS-FILE.zip --central-key KEY\r\n\r\n\
         pack.json    a section of the gate's journal, each entry chained to the one before by SHA-256;\r\n\
         \x20            entries of this pass are whole, those of others stand as commitments only\r\n\
         images/      the pictures that were read, each named by its SHA-256, which its entry names\r\n\
         head         in pack.json: the gate's Ed25519 signature over the end of the section\r\n\
         receipt      in pack.json: the signature of central, which has held that head since\r\n\r\n\
         This text proves nothing; varco-verify reads pack.json.\r\n",
        pack.pass, pack.node, pack.port
    )
}

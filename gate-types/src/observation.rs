//! What a device says: untrusted, stamped on arrival, never yet an identity.

use crate::id::DeviceId;
use crate::time::Stamp;
use serde::{Deserialize, Serialize};

/// One statement of one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Who says it.
    pub device: DeviceId,
    /// When it arrived in the driver.
    pub at: Stamp,
    /// What it says.
    #[serde(flatten)]
    pub what: Observed,
}

/// The kinds of statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "observed", rename_all = "snake_case")]
pub enum Observed {
    /// The whole input image of a lane's remote I/O, read in one block.
    Inputs(LaneInputs),
    /// A text read optically on one frame, or fused over the frames of one camera.
    Read(OpticalRead),
    /// An RFID tag seen.
    Tag(TagRead),
    /// A telegram of a weighing indicator.
    Weight(WeightRead),
    /// The text of a code that a camera saw, not yet looked into.
    Code(CodeSeen),
    /// The device's link or quality changed.
    Health(Health),
}

/// The text of a code (QR) on a frame, at most [`crate::gate_pass::MAX_TEXT`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeSeen {
    /// The text.
    pub text: String,
}

/// One digital input as far as it is known. Unknown counts as the dangerous level everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Active, after polarity is applied.
    On,
    /// Not active, after polarity is applied.
    Off,
    /// Fitted, but not read freshly: link down, stale, or not seen since start.
    #[default]
    Unknown,
    /// The lane has no such input.
    NotFitted,
}

impl Level {
    /// True unless the input is freshly read as off or is not fitted: "unknown is vehicle present".
    pub fn may_be_on(self) -> bool {
        match self {
            Level::On | Level::Unknown => true,
            Level::Off | Level::NotFitted => false,
        }
    }
    /// True only for a fresh active level.
    pub fn is_on(self) -> bool {
        self == Level::On
    }
}

/// The inputs of one lane after the point map has been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneInputs {
    /// First loop, before the arm: a vehicle waits here to be identified.
    pub loop_approach: Level,
    /// Second loop, under and behind the arm: a vehicle passes here; also the closing-safety presence.
    pub loop_under: Level,
    /// A light curtain is interrupted.
    pub curtain: Level,
    /// The arm is at its upper end.
    pub limit_up: Level,
    /// The arm is at its lower end.
    pub limit_down: Level,
    /// The key switch: people have the lane, the daemon only watches.
    pub local_key: Level,
    /// Fire alarm input: the barrier's own controller opens, the daemon watches.
    pub fire: Level,
    /// The barrier's own controller reports a fault or a broken arm.
    pub barrier_fault: Level,
    /// Something stands across the edge of the weighing platform that the vehicle comes over.
    #[serde(default = "not_fitted", skip_serializing_if = "is_not_fitted")]
    pub platform_before: Level,
    /// Something stands across the edge of the weighing platform that the vehicle leaves over.
    #[serde(default = "not_fitted", skip_serializing_if = "is_not_fitted")]
    pub platform_behind: Level,
}

fn not_fitted() -> Level {
    Level::NotFitted
}

fn is_not_fitted(level: &Level) -> bool {
    *level == Level::NotFitted
}

impl LaneInputs {
    /// Every fitted input unknown, as after a lost link. `fitted` tells which levels are fitted.
    pub fn unknown_like(fitted: &LaneInputs) -> LaneInputs {
        let u = |l: Level| if l == Level::NotFitted { Level::NotFitted } else { Level::Unknown };
        LaneInputs {
            loop_approach: u(fitted.loop_approach),
            loop_under: u(fitted.loop_under),
            curtain: u(fitted.curtain),
            limit_up: u(fitted.limit_up),
            limit_down: u(fitted.limit_down),
            local_key: u(fitted.local_key),
            fire: u(fitted.fire),
            barrier_fault: u(fitted.barrier_fault),
            platform_before: u(fitted.platform_before),
            platform_behind: u(fitted.platform_behind),
        }
    }
    /// Nothing reaches over an edge of the weighing platform, as far as its edges are watched: what stands
    /// there stands on it with all its axles.
    pub fn fully_on_platform(&self) -> bool {
        !self.platform_before.may_be_on() && !self.platform_behind.may_be_on()
    }
    /// The arm's position as the limit switches tell it.
    pub fn arm(&self) -> ArmPosition {
        match (self.limit_up, self.limit_down) {
            (Level::On, Level::Off | Level::NotFitted) => ArmPosition::Up,
            (Level::Off | Level::NotFitted, Level::On) => ArmPosition::Down,
            (Level::Off, Level::Off) => ArmPosition::Between,
            (Level::On, Level::On) => ArmPosition::Contradictory,
            (Level::Unknown, _) | (_, Level::Unknown) => ArmPosition::Unknown,
            (Level::NotFitted, Level::Off | Level::NotFitted) | (Level::Off, Level::NotFitted) => {
                ArmPosition::Unknown
            }
        }
    }
}

impl Default for LaneInputs {
    /// Two loops and both limit switches fitted and unknown; nothing else fitted.
    fn default() -> Self {
        Self {
            loop_approach: Level::Unknown,
            loop_under: Level::Unknown,
            curtain: Level::NotFitted,
            limit_up: Level::Unknown,
            limit_down: Level::Unknown,
            local_key: Level::NotFitted,
            fire: Level::NotFitted,
            barrier_fault: Level::NotFitted,
            platform_before: Level::NotFitted,
            platform_behind: Level::NotFitted,
        }
    }
}

/// Where the arm is, proven by limit switches and by nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArmPosition {
    /// At the upper end.
    Up,
    /// At the lower end.
    Down,
    /// At neither end: it moves, or is stuck.
    Between,
    /// Both limit switches are active: a fault.
    Contradictory,
    /// Not known.
    Unknown,
}

/// What kind of identifier was read optically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadKind {
    /// A licence plate (B20, B21).
    Plate,
    /// An ISO 6346 or ILU code (B22).
    Container,
    /// An ADR panel, `KEMLER/UN` (B21).
    Adr,
    /// The number printed on a seal (ISO 17712). The workers read none; a camera of its own may push it.
    Seal,
}

/// Which side of the vehicle a camera sees; front and rear plate are separate facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The tractor's front.
    Front,
    /// The trailer's rear.
    Rear,
    /// A side of the load unit.
    Side,
    /// From above.
    Top,
}

/// The verdict of the check digit of a container code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckDigit {
    /// It holds (which is weak evidence, see [`crate::iso6346`]).
    Valid,
    /// It does not hold.
    Invalid,
    /// The kind of identifier has none.
    None,
}

/// A box in pixels of the full frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PixelBox {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

/// Another text that the same pixels may show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// The text.
    pub text: String,
    /// Probability in 0..=1.
    pub confidence: f32,
}

/// A text read on a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpticalRead {
    /// The kind of identifier.
    pub kind: ReadKind,
    /// The side of the vehicle that the camera sees.
    pub view: View,
    /// The text after grammars and check digit (canonical: capitals and digits only; ADR `33/1203`).
    pub text: String,
    /// The text as the reader gave it, before any rule.
    pub raw_text: String,
    /// Probability in 0..=1 that `text` is right.
    pub confidence: f32,
    /// The check digit's verdict.
    pub check_digit: CheckDigit,
    /// Country or format family of a plate, where the reader could tell (`IT`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// ISO 6346 size-type code beside a container code (`45G1`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_code: Option<String>,
    /// Other readings, best first, at most 8.
    #[serde(default)]
    pub alternatives: Vec<Alternative>,
    /// Where on the frame.
    #[serde(rename = "box")]
    pub at: PixelBox,
    /// SHA-256 of the JPEG that it was read from, lower-case hex; empty where the frame was not kept.
    #[serde(default)]
    pub frame_sha256: String,
}

/// What a tag is fixed to (T23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagRole {
    /// A vehicle's windscreen or number plate.
    Vehicle,
    /// A container (ISO 17363/10374).
    Container,
    /// An electronic seal.
    Seal,
    /// Not told by the EPC's scheme.
    Unknown,
}

/// An RFID tag, folded over the reports of one reader for one dwell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TagRead {
    /// The EPC in lower-case hex.
    pub epc: String,
    /// Its decoded form (`urn:epc:tag:giai-96:...`) where the scheme is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// What the tag is fixed to.
    pub role: TagRole,
    /// The antenna, from 1.
    pub antenna: u16,
    /// Strongest received signal, dBm.
    pub rssi_dbm: i16,
    /// How often it was seen so far in this dwell.
    pub seen_count: u32,
}

/// Stability as the indicator tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StableSource {
    /// The telegram carries a stability flag.
    Indicator,
    /// The driver computed it; never legal evidence.
    Computed,
}

/// Where the reading lies in the instrument's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightRange {
    /// Usable.
    InRange,
    /// Above capacity.
    Over,
    /// Below zero.
    Under,
    /// Zero was not captured since power-up, or the instrument reports an error.
    Invalid,
}

/// One telegram of a weighing indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightRead {
    /// Gross weight in kilograms (the vehicle with its load, not the cargo).
    pub gross_kg: f64,
    /// Whether the load stands still.
    pub stable: bool,
    /// Who says so.
    pub stable_source: StableSource,
    /// Range.
    pub range: WeightRange,
    /// The indicator's own alibi memory number, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alibi: Option<String>,
    /// The telegram's bytes, lower-case hex.
    #[serde(default)]
    pub raw: String,
}

/// A device's link or quality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "health", rename_all = "snake_case")]
pub enum Health {
    /// Connected, provisioned and delivering.
    Up,
    /// Not usable, and why in words for the technician.
    Down {
        /// What is wrong, where, and what to do.
        why: String,
    },
    /// Usable, but a part of what it says is not (frozen picture, unit disagreement).
    Degraded {
        /// What is wrong, where, and what to do.
        why: String,
    },
}

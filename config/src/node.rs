//! The node file: one gate daemon, its lanes and their devices. The endpoint of a device is the only
//! difference between a site and the simulator.

use gate_types::identity::Slot;
use gate_types::mission::Direction;
use gate_types::observation::{ReadKind, View};
use gate_types::{DeviceId, LaneId, NodeId};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One gate daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// The site file, relative to this file.
    pub site: PathBuf,
    /// Which node of the site this daemon is.
    pub node: NodeId,
    /// Where journal, keys and pictures live; relative to this file.
    pub state_dir: PathBuf,
    /// The console's address.
    pub console: ConsoleConfig,
    /// Central.
    pub central: CentralConfig,
    /// The broker; none: nothing is published.
    #[serde(default)]
    pub mqtt: Option<MqttConfig>,
    /// The listener for cameras that push what they read (`push:///PATH?...`).
    #[serde(default)]
    pub push: Option<PushConfig>,
    /// The vision workers; needed when a lane has a camera that does not read by itself.
    #[serde(default)]
    pub ocr: Option<OcrConfig>,
    /// The journal's upkeep.
    #[serde(default)]
    pub journal: JournalConfig,
    /// The lanes.
    #[serde(rename = "lane")]
    pub lanes: Vec<LaneConfig>,
}

/// How long what is kept, and what a nearly full disk leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalConfig {
    /// What cameras, readers and scales said is erased after this, days.
    pub reads_days: u32,
    /// What was decided about whom is erased after this, days.
    pub decisions_days: u32,
    /// Pictures are removed after this, days.
    pub pictures_days: u32,
    /// Pictures take at most this, megabytes; the oldest go first.
    pub pictures_mb: u64,
    /// With less free on the disk, raw parts of reads are left out, megabytes.
    pub raw_reads_need_mb: u64,
    /// With less free on the disk, pictures are left out as well, megabytes.
    pub pictures_need_mb: u64,
    /// Held back for the last entries on a full disk, megabytes.
    pub reserve_mb: u64,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            reads_days: 30,
            decisions_days: 365,
            pictures_days: 30,
            pictures_mb: 2_048,
            raw_reads_need_mb: 512,
            pictures_need_mb: 256,
            reserve_mb: 8,
        }
    }
}

/// The console's HTTP server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleConfig {
    /// `ADDRESS:PORT`; port 0 takes a free one, printed at start.
    pub listen: String,
}

/// How central is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CentralConfig {
    /// `https://HOST:PORT` of central's gate port.
    pub url: String,
    /// Longest wait for one answer, milliseconds.
    pub timeout_ms: u64,
    /// How often a held vehicle's release is asked again, milliseconds.
    pub ask_again_ms: u64,
}

/// The broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttConfig {
    /// Host name or address; a local broker that bridges outwards over TLS.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Commands that central signed are taken from the broker: lane closed, lane opened, text on the sign.
    /// None moves an arm. False where absent.
    #[serde(default)]
    pub commands: bool,
}

/// The HTTP listener of cameras that push. They prove themselves by digest or basic authentication; what they
/// send is not encrypted, so it belongs on the cameras' own network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushConfig {
    /// `ADDRESS:PORT`; port 0 takes a free one, told in the ready file.
    pub listen: String,
}

/// The supervised vision workers: one process per camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcrConfig {
    /// The program, found beside the daemon or on the path.
    pub command: PathBuf,
    /// Directory with the models; the worker's own where absent.
    #[serde(default)]
    pub models: Option<PathBuf>,
    /// Countries whose plate grammars apply (`it`, `eu`); empty: all.
    #[serde(default)]
    pub regions: Vec<String>,
}

/// What a lane may do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneMode {
    /// Decides and moves the arm.
    Live,
    /// Decides, and an operator admits what the rules would admit.
    Advisory,
    /// Decides and records; never moves the arm.
    Shadow,
}

/// One physical channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneConfig {
    /// Its name, unique in the port.
    pub id: LaneId,
    /// Its direction.
    pub direction: Direction,
    /// What it may do.
    pub mode: LaneMode,
    /// What identifies a vehicle here.
    pub identity: IdentityRule,
    /// How weight is judged; needs a scale.
    #[serde(default)]
    pub weight: Option<WeightRule>,
    /// Times.
    pub timers: LaneTimers,
    /// The remote I/O of barrier, loops and lamps.
    pub io: IoConfig,
    /// The remote I/O of the exit arm: makes the lane a two-barrier lock. Its approach loop lies between the
    /// arms, before the exit arm. One block with both arms is described by two point maps.
    #[serde(default)]
    pub exit_io: Option<IoConfig>,
    /// Cameras.
    #[serde(default, rename = "camera")]
    pub cameras: Vec<CameraConfig>,
    /// The RFID reader.
    #[serde(default)]
    pub reader: Option<ReaderConfig>,
    /// The weighbridge.
    #[serde(default)]
    pub scale: Option<ScaleConfig>,
    /// The driver's sign.
    #[serde(default)]
    pub sign: Option<SignConfig>,
    /// The barcode reader to which drivers show gate passes.
    #[serde(default)]
    pub code_reader: Option<CodeReaderConfig>,
}

/// Which facts identify a vehicle, and how many independent ones a lane asks for (T13).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityRule {
    /// Slots that count as factors here.
    pub slots: Vec<Slot>,
    /// How many of them must be read before central is asked, unless the time for reading ends.
    pub factors_wanted: u8,
    /// How many of them must match the mission for an Admit.
    pub factors_needed: u8,
    /// Probability from which a slot's best candidate counts as read, 0.5..=1.
    pub read_threshold: f64,
}

/// Weight against tare and declaration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightRule {
    /// Without a usable weight the vehicle is referred.
    pub required: bool,
    /// Allowed difference, share of the expected gross, 0..=1.
    pub tolerance_share: f64,
    /// Allowed difference at least, kilograms.
    pub tolerance_kg: f64,
}

/// The times of a lane, milliseconds. All but `between_loops_ms` and `trailer_gap_ms` must be written: each
/// is a site's own responsibility.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneTimers {
    /// Presence shorter than this is no vehicle.
    pub presence_ms: u64,
    /// Longest reading before a decision is taken with what is there.
    pub identify_ms: u64,
    /// Inputs older than this are unknown.
    pub inputs_stale_ms: u64,
    /// How long an Admit may wait for its raise command.
    pub decision_valid_ms: u64,
    /// The arm reaches its upper end within this.
    pub raise_ms: u64,
    /// The arm reaches its lower end within this.
    pub lower_ms: u64,
    /// The zone must be free this long, freshly, before lowering is permitted.
    pub clear_ms: u64,
    /// A raised arm that nobody drives under is a fault after this.
    pub pass_ms: u64,
    /// A vehicle before the raised arm that is on neither loop for this long has not gone through, 500 to
    /// 60000; then the arm is lowered. Longer than a slow truck takes from the end of the first loop to the
    /// second one. 3000 where absent.
    #[serde(default = "between_loops_ms")]
    pub between_loops_ms: u64,
    /// Without a curtain: the loop under the arm free for up to this, while something stands on the first
    /// loop, is the gap before a trailer and no departure, 300 to 30000. Longer than a slow road train takes
    /// from the end of the tractor to the beginning of the trailer. 1500 where absent.
    #[serde(default = "trailer_gap_ms")]
    pub trailer_gap_ms: u64,
    /// A loop that stays active longer than this is reported stuck.
    pub loop_stuck_ms: u64,
}

fn trailer_gap_ms() -> u64 {
    1_500
}

fn between_loops_ms() -> u64 {
    3_000
}

/// The remote I/O of one lane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IoConfig {
    /// Device name.
    pub id: DeviceId,
    /// `modbus://HOST:PORT?unit=1`, `modbus-rtu:///dev/...?unit=1&baud=19200&parity=even` or
    /// `modbus-rtu://HOST:PORT?unit=1` (a device server in raw mode).
    pub endpoint: String,
    /// Point map file, relative to the node file.
    pub points: PathBuf,
    /// Poll period, milliseconds.
    pub poll_ms: u64,
    /// Longest wait for one answer of the remote I/O, 20 to 1000 milliseconds: then the link is dropped and
    /// made anew. 300 where absent.
    #[serde(default = "io_timeout_ms")]
    pub timeout_ms: u64,
}

fn io_timeout_ms() -> u64 {
    300
}

/// One camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraConfig {
    /// Device name.
    pub id: DeviceId,
    /// `mjpeg://HOST:PORT/PATH`, `rtsp://...`, `dir:///FOLDER`, or for a camera that reads by itself
    /// `push:///PATH?form=hikvision&auth=digest&user=NAME&password_file=FILE` (relative to `state_dir`).
    pub endpoint: String,
    /// The side that it sees.
    pub view: View,
    /// What is looked for on its frames.
    pub kinds: Vec<ReadKind>,
    /// Gate passes that drivers hold before it are read as well. It costs time for each frame; false where absent.
    #[serde(default)]
    pub codes: bool,
    /// File with what it costs to read one character as another on this camera, relative to the node file;
    /// the built-in table where absent. `varco-gate confusions` writes one from what officers corrected.
    #[serde(default)]
    pub confusions: Option<PathBuf>,
}

/// One RFID reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderConfig {
    /// Device name.
    pub id: DeviceId,
    /// `llrp://HOST:PORT`.
    pub endpoint: String,
    /// Antennas that look at this lane; tags of others are not of this lane.
    pub antennas: Vec<u16>,
    /// Tags weaker than this are neighbours or reflections, dBm.
    pub rssi_min_dbm: i16,
}

/// One weighing indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleConfig {
    /// Device name.
    pub id: DeviceId,
    /// `serial:///dev/...?protocol=toledo&baud=9600`, `tcp://HOST:PORT?protocol=toledo`,
    /// `modbus://HOST:502?registers=FILE` or `modbus-rtu://HOST:PORT?registers=FILE`.
    pub endpoint: String,
    /// Capacity, kilograms.
    pub capacity_kg: f64,
    /// Verification scale interval e, kilograms.
    pub interval_kg: f64,
    /// Last day of the instrument's verification, `2027-03-31`; after it no weight is legal evidence, and
    /// `check-config` tells 30 days before.
    #[serde(default)]
    pub verified_until: Option<String>,
    /// Its platform lies between the arms of a two-barrier lock; else it lies before the entry arm.
    #[serde(default)]
    pub inside_lock: bool,
}

/// One barcode or QR reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeReaderConfig {
    /// Device name.
    pub id: DeviceId,
    /// `tcp://HOST:PORT?protocol=barcode` or `serial:///dev/...?protocol=barcode&baud=9600`.
    pub endpoint: String,
}

/// The driver's sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignConfig {
    /// Device name.
    pub id: DeviceId,
    /// `tcp://HOST:PORT` or a serial port; `?template=FILE` (an absolute path) for another maker's frame.
    pub endpoint: String,
    /// Lines.
    pub lines: u8,
    /// Characters a line.
    pub columns: u8,
}

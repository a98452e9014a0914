//! The typed, validated description of a site: which nodes it has, which processes and mission paths it
//! admits, and what stands at each lane. Nothing of any port lives in code.
//!
//! Two kinds of file: the *site* file (`site.toml`: nodes, roads, processes; central and every gate read
//! it) and one *node* file for each gate daemon (its lanes and their devices). Unknown keys are refused;
//! every problem is reported at once with file, path and what to do, before any socket opens.

mod check;
mod load;
mod node;
mod read;
mod rules;
mod site;

pub use load::{Loaded, Problem, Problems, load_node, load_site};
pub use node::{
    CameraConfig, CentralConfig, ConsoleConfig, IdentityRule, IoConfig, JournalConfig, LaneConfig, LaneMode,
    LaneTimers, MqttConfig, NodeConfig, OcrConfig, PushConfig, ReaderConfig, ScaleConfig, SignConfig,
    WeightRule,
};
pub use rules::{RuleSets, load_rules};
pub use site::{MapPoint, NodeKind, NodeSpec, Road, Site};

//! Faults are raised and cleared, name their device, and never act by themselves.

use serde::{Deserialize, Serialize};

/// The catalogue of faults. A kind is never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FaultKind {
    /// A device's link is down.
    DeviceDown,
    /// A device works in part (frozen camera, unit disagreement).
    DeviceDegraded,
    /// The arm did not reach the upper end in time.
    ArmNotRaised,
    /// The arm did not reach the lower end in time.
    ArmNotLowered,
    /// Both limit switches are active.
    LimitsContradict,
    /// The arm moved without a command of ours.
    ArmMovedUncommanded,
    /// A presence loop stays active beyond its limit.
    LoopStuck,
    /// A presence loop changes faster than vehicles do.
    LoopChatter,
    /// A loop did not see a vehicle that must have been there.
    LoopSilent,
    /// A second vehicle followed under the arm.
    Tailgating,
    /// A vehicle came from the wrong side.
    WrongWay,
    /// A vehicle is behind an arm that was not raised for it.
    RunThrough,
    /// The loops cannot tell whether a vehicle went through or back.
    PassageUnclear,
    /// The fire input is active.
    FireOpen,
    /// Central does not answer.
    CentralDown,
    /// The broker does not answer.
    BrokerDown,
    /// The journal cannot be written.
    JournalDown,
    /// Entries that were anchored outside the journal are not in it any more (F-PWR2, F-TAMP1).
    JournalTailLost,
    /// The journal's chain does not hold.
    JournalBroken,
    /// Little space is left where the journal lies.
    DiskLow,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a look today.
    Notice,
    /// The lane works with less.
    Warning,
    /// The lane cannot work by itself.
    Serious,
}

impl FaultKind {
    /// The severity of the kind.
    pub fn severity(self) -> Severity {
        match self {
            FaultKind::DeviceDegraded | FaultKind::BrokerDown | FaultKind::PassageUnclear => Severity::Notice,
            FaultKind::DeviceDown
            | FaultKind::CentralDown
            | FaultKind::LoopSilent
            | FaultKind::WrongWay
            | FaultKind::JournalTailLost
            | FaultKind::JournalBroken
            | FaultKind::DiskLow
            | FaultKind::ArmMovedUncommanded => Severity::Warning,
            FaultKind::ArmNotRaised
            | FaultKind::ArmNotLowered
            | FaultKind::LimitsContradict
            | FaultKind::LoopStuck
            | FaultKind::LoopChatter
            | FaultKind::Tailgating
            | FaultKind::RunThrough
            | FaultKind::FireOpen
            | FaultKind::JournalDown => Severity::Serious,
        }
    }
}

/// A fault of a lane or of one of its devices.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fault {
    /// The kind.
    pub kind: FaultKind,
    /// The device or subsystem that it names (`n1-in-1.front`, `central`).
    pub device: String,
    /// What is wrong and what to do.
    pub text: String,
}

//! What central knows about a mission beside its status and conditions: each fact is optional, and a rule
//! set says whether a decision needs it (T14, T27, T32, T35, T39-T45, appointment window, watch lists).

use serde::{Deserialize, Serialize};

/// Facts about the mission's load and its surveillance. An absent fact is not stated, never "fine".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circumstances {
    /// The release ends at this moment of central's clock, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_expires_ms: Option<i64>,
    /// The load unit is declared empty (true) or loaded (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_empty: Option<bool>,
    /// Where the tare in [`crate::release::Expected::tare_kg`] comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tare_source: Option<TareSource>,
    /// Declared dangerous goods, `KEMLER/UN` or `UN`; an empty list says that there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dangerous_goods: Option<Vec<String>>,
    /// The seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<SealFact>,
    /// The scan that customs ordered or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanState>,
    /// The tracking device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<TrackingState>,
    /// The appointment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<Appointment>,
    /// Watch lists that name this mission, its vehicle, unit or carrier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watch: Vec<WatchMark>,
}

impl Circumstances {
    /// True where nothing is stated.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a tare comes from; a measured one is worth more than a declared one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TareSource {
    /// As the mission declares it.
    #[default]
    Declared,
    /// From a register of vehicles and units.
    Registered,
    /// Measured on a weighbridge of the port.
    Measured,
}

/// The seal that the documents name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealFact {
    /// Numbers, or EPCs of electronic seals; leading zeros count.
    pub numbers: Vec<String>,
    /// What is known of its state.
    pub state: SealState,
}

/// The state of a seal. An intact seal never releases by itself (T45).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealState {
    /// Armed and unbroken at its last report.
    Intact,
    /// Opened or cut.
    Broken,
    /// Nothing has been reported.
    Unknown,
}

/// How far an ordered scan has come (T32, T35).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanState {
    /// None is ordered.
    NotOrdered,
    /// Ordered, not made yet.
    Ordered,
    /// The image is there and nobody has validated it.
    ImageReady,
    /// An officer has validated the image.
    Validated,
    /// The scanner or the radiation portal raised an alarm.
    Alarm,
}

/// The state of a tracking device (T39-T43).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackingState {
    /// Its signal is live.
    Live,
    /// Its signal is lost.
    Lost,
    /// None is fitted.
    NotFitted,
}

/// A window of central's clock, milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appointment {
    /// From here on.
    pub from_ms: i64,
    /// Up to here.
    pub until_ms: i64,
}

/// An entry of a dated watch list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchMark {
    /// The list's name.
    pub list: String,
    /// Why, for operators.
    pub reason: String,
}

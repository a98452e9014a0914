//! What the telegrams of all formats come down to.

use super::{Decimal, Unit};
use gate_types::observation::WeightRange;

/// Why bytes were passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Longer than any telegram.
    #[error("a line longer than any telegram")]
    TooLong,
    /// Not ASCII text.
    #[error("a line with bytes that are no ASCII text")]
    NotText,
    /// The checksum is wrong.
    #[error("wrong checksum: {got:#x}, computed {want:#x}")]
    Checksum {
        /// As received.
        got: u32,
        /// As computed.
        want: u32,
    },
    /// It does not have the form of a telegram.
    #[error("no telegram: {0}")]
    Shape(&'static str),
}

/// What a weight shown includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Everything on the platform.
    Gross,
    /// Less this tare.
    Net(Decimal),
    /// Less a tare that the telegram does not tell.
    NetOnly,
    /// The format does not tell.
    Untold,
}

/// One weight as an indicator says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The weight shown with its sign; none where there is none (over range, error).
    pub weight: Option<Decimal>,
    /// What it includes.
    pub basis: Basis,
    /// Its unit; [`Unit::None`] where the telegram names none.
    pub unit: Unit,
    /// The telegram's own word on standstill; none where the format has no flag.
    pub stable: Option<bool>,
    /// The telegram's own word on its range.
    pub range: WeightRange,
    /// What a technician should look at.
    pub fault: Option<&'static str>,
    /// The interval that the telegram tells.
    pub interval: Option<Decimal>,
    /// The number under which the indicator keeps this weighing in its alibi memory.
    pub alibi: Option<String>,
}

impl Said {
    /// A gross weight in range with nothing to remark.
    pub fn gross(weight: Decimal, unit: Unit, stable: Option<bool>) -> Self {
        Self {
            weight: Some(weight),
            basis: Basis::Gross,
            unit,
            stable,
            range: WeightRange::InRange,
            fault: None,
            interval: None,
            alibi: None,
        }
    }
    /// No weight, and why.
    pub fn none(range: WeightRange, fault: Option<&'static str>) -> Self {
        Self {
            weight: None,
            basis: Basis::Untold,
            unit: Unit::None,
            stable: Some(false),
            range,
            fault,
            interval: None,
            alibi: None,
        }
    }
    /// The gross weight; none where it cannot be known.
    pub fn gross_weight(&self) -> Option<Decimal> {
        match self.basis {
            // A format without the flag shows gross as long as nobody tares; the site must see to it.
            Basis::Gross | Basis::Untold => self.weight,
            Basis::Net(tare) => self.weight?.plus(tare),
            Basis::NetOnly => None,
        }
    }
}

/// What one telegram is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A weight.
    Weight(Said),
    /// The indicator lives and has no weight now (moving, busy), or has done what it was told.
    Alive,
    /// It says something that is no weight and no answer.
    Foreign(String),
}

/// A telegram and the bytes that it came as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telegram {
    /// What it is.
    pub heard: Heard,
    /// Its bytes, bit 7 dropped where the format has 7 bits.
    pub raw: Vec<u8>,
}

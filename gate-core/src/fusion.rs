//! Evidence of one pass to one identity.
//!
//! Every source keeps its own statements; the statements about one slot are combined by summed log-odds
//! (as products, so that every platform computes the same bits) and then brought to the scale on which
//! 0.95 means 95 % ([`calibrate`]). The outcome does not depend on the order in which evidence arrives.
//! Conflict is information and never averaged away.

mod calibrate;
mod confusion;
mod evidence;
mod expectation;
mod lookalike;
mod paper;
mod score;
mod tagged;
mod units;

pub use calibrate::{Calibration, calibrated};
pub use confusion::{Confusions, Corrections, Tables};
pub use evidence::{Evidence, MAX_STATEMENTS, MAX_TAGS, PLAUSIBLE_KG, entered, slot_of_read};
pub use expectation::{Expectations, Resolution};
pub use lookalike::look_alike;
pub use score::{Statement, combine};

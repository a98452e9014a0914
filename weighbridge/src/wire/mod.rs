//! Telegrams of weighing indicators, both directions.
//!
//! Two families: [`toledo`] (continuous output, which nearly every indicator can be set to) and
//! [`sics`] (demand and reply). Values are [`Decimal`]s: exactly what stands in the telegram.

mod decimal;
pub mod sics;
pub mod toledo;

pub use decimal::{Decimal, Unit};

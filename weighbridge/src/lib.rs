//! Weighing indicators: telegram codecs in both directions, stable-weight detection, driver.
//!
//! [`wire`], [`settle`] and [`judge`] are pure. [`ScaleDriver`] is the one place that owns a line.
//! A weight is never averaged, rounded or repaired: it is what one checked telegram says.

mod driver;
pub mod judge;
mod keep;
pub mod settle;
pub mod wire;

pub use driver::{ScaleCommand, ScaleDriver};
pub use keep::end_of_day_ms;

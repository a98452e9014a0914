//! Telegrams of weighing indicators, both directions.
//!
//! One module for each format, pure and bounded; [`Format`] puts the client's side of all of them behind one
//! face and [`Speech`] the indicator's. Values are [`Decimal`]s: exactly what stands in the telegram. Bytes
//! that are no telegram are passed over; after a fault the search goes on behind the byte that the telegram
//! seemed to begin with, so that at most one whole telegram is lost with a broken one.

mod decimal;
pub mod dini;
mod format;
mod lines;
pub mod modbus;
pub mod rice_lake;
mod said;
pub mod sics;
pub mod sma;
mod speech;
pub mod systec;
pub mod toledo;
pub mod yaohua;

pub use decimal::{Decimal, Unit};
pub use format::{Format, NAMES};
pub use lines::{Fixed, Lines, MAX_LINE_BYTES};
pub use said::{Basis, Fault, Heard, Said, Telegram};
pub use speech::{Changed, Load, Speech};

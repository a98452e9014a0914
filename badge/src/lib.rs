//! Badge readers by OSDP v2 (IEC 60839-11-5): frames, the panel's and the reader's side of a conversation
//! (pure), and the driver. A badge says who presents it and admits nobody by itself.

mod driver;
mod frame;
mod key;
mod panel;
mod reader;

pub use driver::{BadgeCommand, BadgeDriver, PLAIN, SCHEME};
pub use frame::{Framer, MOST_FRAME_BYTES};
pub use key::{Key, KeyError};
pub use panel::{Badge, Order, Panel, Told, WrongAnswer};
pub use reader::ReaderFace;

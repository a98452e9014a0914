//! The flight recorder: an append-only SQLite journal with a hash chain and an outbox.
//!
//! One writer thread owns the only writing connection (WAL, `synchronous=FULL`) and commits whatever
//! waits for it in one transaction: one fsync for all (group commit). [`Journal::append`] returns when
//! its entries are durable, and only then may anything rest on them. Entries that travel get an outbox
//! row in the same transaction; a row is done only when the receiver has acknowledged it (I4, D40).
//!
//! The chain: `hash = SHA-256(previous hash ‖ epoch ‖ seq ‖ body)`, numbers as 8 bytes big-endian, the
//! body as its stored JSON text. Any edit, removal or reordering inside the chain shows in [`verify`].

mod append;
mod chain;
mod error;
mod outbox;
mod read;
mod schema;
mod writer;

pub use append::{Appended, Journal, Opened, Sink, Stats};
pub use chain::{GENESIS, entry_hash};
pub use error::JournalError;
pub use read::{ChainBroken, Rows, Stored, Verified, read_all, verify};

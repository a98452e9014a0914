//! The flight recorder: an append-only SQLite journal with a hash chain, signed heads and an outbox.
//!
//! One writer thread owns the only writing connection (WAL, `synchronous=FULL`) and commits whatever
//! waits for it in one transaction: one fsync for all (group commit). [`Journal::append`] returns when
//! its entries are durable, and only then may anything rest on them. Entries that travel get an outbox
//! row in the same transaction; a row is done only when the receiver has acknowledged it (I4, D40).
//!
//! The chain is that of [`gate_types::chain`]. A thread of its own signs where the journal stands
//! ([`gate_types::head`]) once the writer rests, so that no decision waits for it, and keeps the newest
//! signed head and central's newest receipt in a file beside the journal: a cut tail shows at the next
//! start. [`audit`] names every edit, removal, reordering and cut with its position (I5).

mod anchor;
mod append;
mod audit;
mod erase;
mod error;
mod finding;
mod images;
mod opening;
mod outbox;
mod prepared;
mod proof;
mod quarantine;
mod read;
mod reserve;
mod schema;
mod signing;
mod writer;

pub use append::{Appended, Journal, Opened, Options, Sink, Stats};
pub use audit::{Anchored, Audit, ChainBroken, audit, verify};
pub use erase::{Erasure, Purpose};
pub use error::JournalError;
pub use finding::Finding;
pub use gate_types::chain::GENESIS;
pub use images::{ImageStore, Kept};
pub use proof::{Proof, prove};
pub use read::{Rows, Stored, read_all};

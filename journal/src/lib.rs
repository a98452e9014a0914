//! Append-only SQLite flight recorder with hash chain and outbox.

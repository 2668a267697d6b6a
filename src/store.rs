//! What is kept: SQLite on a thread of its own.
pub mod record;

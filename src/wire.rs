//! Text and bytes, pure: no IO, no clock, no async.
pub mod msgid;

//! Text and bytes, pure: no IO, no clock, no async.
pub mod escape;
pub mod mask;
pub mod msgid;
pub mod name;

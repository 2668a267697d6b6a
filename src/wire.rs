//! Text and bytes, pure: no IO, no clock, no async.
//!
//! `line` is the grammar of IRC, `verb` the commands a client may send, `reply` the numerics and standard replies a server sends,
//! `event` a line for many that is encoded once per set of tags, `limits` every number with its reason.
pub mod caps;
pub mod event;
pub mod limits;
pub mod line;
pub mod msgid;
pub mod reply;
pub mod timestamp;
pub mod verb;

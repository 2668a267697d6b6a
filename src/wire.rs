//! Text and bytes, pure: no IO, no clock, no async.
//!
//! `line` is the grammar of IRC, `name` the only door from text to names, `verb` the commands a client may send, `reply` the numerics a server answers with,
//! `event` a line for many that is encoded once per set of tags, `fingerprint` how a server's key is written down, `file_name`, `digest` and `media` what is said
//! of files, `http` the heads of requests and answers, `limits` every number with its reason.
pub mod caps;
pub mod certificate;
pub mod digest;
pub mod escape;
pub mod event;
pub mod file_name;
pub mod fingerprint;
pub mod http;
pub mod limits;
pub mod line;
pub mod mask;
pub mod media;
pub mod msgid;
pub mod name;
pub mod reply;
pub mod timestamp;
pub mod verb;

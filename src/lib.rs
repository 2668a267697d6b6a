//! GZY: a chat room and a file cloud in one small binary.
pub mod client;
pub mod client_term;
pub mod net;
pub mod store;
pub mod wire;

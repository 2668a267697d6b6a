//! GZY: a chat room and a file cloud in one small binary.
pub mod password;
pub mod store;
pub mod wire;

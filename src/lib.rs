//! GZY: a chat room and a file cloud in one small binary.
pub mod args;
pub mod chat;
pub mod password;
pub mod server;
pub mod store;
pub mod user;
pub mod wire;

//! GZY: a chat room and a file cloud in one small binary.
pub mod args;
pub mod backup;
pub mod chat;
pub mod client;
pub mod client_term;
pub mod doctor;
pub mod net;
pub mod password;
pub mod password_file;
pub mod server;
pub mod store;
pub mod system;
pub mod user;
pub mod wire;

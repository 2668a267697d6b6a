//! The server as the outside sees it: the real program, real sockets, real signals. And the rules of the house.
//!
//! Every server listens on port 0 and keeps its data in a folder of its own, so all tests run side by side.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod accounts;
mod backup;
mod board;
mod crash;
mod cuts;
mod doors;
mod exactly_once;
mod files;
mod gate;
mod life;
mod memory;
mod multiline;
mod person;
mod receipts;
mod refusals;
mod slow;
mod strangers;
mod talk;
mod tidy;
mod tls;
mod wire;

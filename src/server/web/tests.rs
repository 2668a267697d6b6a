//! Do requests get the answers they should, over real sockets and with real files? The rules are played by a table.

mod house;
mod moving;
mod talking;
mod tricks;

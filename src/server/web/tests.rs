//! Do requests get the answers they should, over real sockets?

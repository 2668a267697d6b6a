//! What is to be answered, in which order, and what becomes of the connection then.

use async_channel::Receiver;

use crate::chat::shelf::web::WebReply;
use crate::wire::http::head::Head;

use super::answer::{Answer, Brought};
use super::turns::Turn;

/// The answer to a request, as far as it is known.
pub struct Item {
    /// The answer, or where it comes from.
    pub what: What,
    /// What becomes of the connection.
    pub then: Then,
}

/// An answer, or where it comes from.
pub enum What {
    /// It is known, and told without its body where that is asked for (`HEAD`).
    Say(Answer, Body),
    /// `100 Continue`: the answer comes later.
    Continue,
    /// What the rules say about a file or a ticket.
    File(Receiver<WebReply>, Box<Head>),
    /// What the rules say about a folder.
    Listing(Receiver<WebReply>, Box<Head>, String, Turn),
    /// What the rules say about a removal.
    Removal(Receiver<WebReply>),
    /// What the rules say about an upload that has arrived.
    Upload(Receiver<WebReply>, Brought),
}

/// Whether the body of an answer goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// It does.
    Sent,
    /// Only its length is told.
    Told,
}

/// What becomes of the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// It goes on, which goes without saying.
    GoesOn,
    /// It goes on, which an HTTP/1.0 client wants to hear.
    StaysOpen,
    /// It ends.
    Ends,
}

impl Then {
    /// As the client wants it.
    pub fn of(head: &Head) -> Then {
        match (head.keeps_alive, head.is_1_1) {
            (false, _) => Then::Ends,
            (true, true) => Then::GoesOn,
            (true, false) => Then::StaysOpen,
        }
    }
}

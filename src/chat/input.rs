//! What the rules are told: facts, each of them handled to its end before the next.

use std::net::IpAddr;

use crate::store::directory::AccountEntry;
use crate::store::record::Found;
use crate::wire::line::LineFault;
use crate::wire::msgid::MsgId;

use super::shelf::order::ShelfFact;
use super::shelf::web::{WebId, WebRequest};
use super::{ConnId, Token};

/// A fact.
#[derive(Debug)]
pub enum Input {
    /// Somebody connected.
    Connected {
        /// The new connection; its slot is free.
        conn: ConnId,
        /// Where from.
        address: IpAddr,
    },
    /// A connection is encrypted from here on: nobody on the way can read what comes next.
    Secured {
        /// Which.
        conn: ConnId,
    },
    /// A line arrived, valid and within the limits.
    Line {
        /// From whom.
        conn: ConnId,
        /// Without its line end.
        text: Box<str>,
    },
    /// A line arrived that cannot be taken.
    Unreadable {
        /// From whom.
        conn: ConnId,
        /// Why.
        fault: LineFault,
    },
    /// A connection ended; the reason is shown to the rooms it was in.
    Closed {
        /// Which.
        conn: ConnId,
        /// A sentence.
        reason: Box<str>,
    },
    /// A connection that had said nothing yet is HTTP, and no business of the rules any more.
    TakenOut {
        /// Which.
        conn: ConnId,
    },
    /// Everything to be remembered up to an id was written, or could not be.
    Saved {
        /// The greatest id of it.
        up_to: MsgId,
        /// How many messages.
        count: usize,
        /// The reason when it failed.
        result: Result<(), Box<str>>,
    },
    /// The store answers [`super::Effect::Ask`].
    Found {
        /// The question.
        token: Token,
        /// The answer.
        found: Found,
    },
    /// Answers [`super::Effect::CheckPassword`].
    PasswordChecked {
        /// The question.
        token: Token,
        /// Whether it fits.
        correct: bool,
    },
    /// Answers [`super::Effect::HashPassword`].
    PasswordHashed {
        /// The question.
        token: Token,
        /// The PHC text; `None` when the system gave no memory or no random numbers.
        hash: Option<Box<str>>,
    },
    /// Somebody who came by HTTP wants something; [`super::Effect::Web`] answers.
    Web {
        /// The request.
        web: WebId,
        /// What is wanted.
        request: Box<WebRequest>,
    },
    /// The connection of a request that was not answered to its end is gone.
    WebGone {
        /// The request.
        web: WebId,
    },
    /// The disk tells something about files.
    Shelf(ShelfFact),
    /// Another program changed the accounts: all of them as they are now.
    AccountsChanged(Vec<AccountEntry>),
    /// The message of the day was read again.
    MotdRead(Vec<Box<str>>),
    /// The server ends; everybody gets a goodbye.
    Stopping,
}

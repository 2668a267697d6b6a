//! What the rules order: lines to send, messages to keep, questions to ask.

use std::rc::Rc;

use crate::store::change::Change;
use crate::store::record::{Message, Query};
use crate::wire::caps::Caps;
use crate::wire::event::Event;
use crate::wire::msgid::MsgId;

use super::shelf::order::ShelfOrder;
use super::shelf::web::{WebId, WebReply};
use super::{ConnId, RoomId, Token};

/// Who of several receivers a line is for, by capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Audience {
    /// Only those who have all of these.
    pub with: Caps,
    /// Only those who have none of these.
    pub without: Caps,
}

impl Audience {
    /// Everybody.
    pub const ALL: Audience = Audience { with: Caps::NONE, without: Caps::NONE };

    /// Those who have `caps`.
    pub fn with(caps: Caps) -> Audience {
        Audience { with: caps, without: Caps::NONE }
    }

    /// Those who do not have `caps`.
    pub fn without(caps: Caps) -> Audience {
        Audience { with: Caps::NONE, without: caps }
    }

    /// Whether somebody with these capabilities is meant.
    pub fn includes(self, caps: Caps) -> bool {
        caps.has(self.with) && caps.0 & self.without.0 == 0
    }
}

/// An order. All orders of one input are carried out before the next input.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Send these complete lines to one connection.
    Send {
        /// To whom.
        to: ConnId,
        /// One or more lines with their line ends.
        lines: String,
    },
    /// Send an event to the members that the room has after this input ([`super::Chat::members`]).
    ToRoom {
        /// Which room; nobody hears it when the room ended with this input.
        room: RoomId,
        /// Not to this one.
        except: Option<ConnId>,
        /// Only to these.
        only: Audience,
        /// What.
        event: Rc<Event>,
    },
    /// Send an event to these connections.
    ToEach {
        /// To whom; nobody is in it twice.
        to: Vec<ConnId>,
        /// Only to these.
        only: Audience,
        /// What.
        event: Rc<Event>,
    },
    /// A connection's capabilities changed. Later events are encoded for these.
    CapsChanged {
        /// Whose.
        conn: ConnId,
        /// All of them.
        caps: Caps,
    },
    /// Keep a message; [`super::Input::Saved`] tells when it is on disk. `hurry` says that somebody waits for that.
    Remember {
        /// What to keep.
        message: Box<Message>,
        /// Whether a receipt waits for it.
        hurry: bool,
    },
    /// Keep a change; [`super::Input::Saved`] counts it like a message.
    Record {
        /// Its place among everything that is kept.
        id: MsgId,
        /// What is true from now on.
        change: Box<Change>,
        /// Whether a receipt waits for it.
        hurry: bool,
    },
    /// Ask the store; [`super::Input::Found`] brings the answer.
    Ask {
        /// Comes back with the answer.
        token: Token,
        /// What to look for.
        query: Query,
    },
    /// Check a password against its hash, away from the rules; [`super::Input::PasswordChecked`] brings the answer.
    CheckPassword {
        /// Comes back with the answer.
        token: Token,
        /// What was typed. Never printed.
        password: Secret,
        /// The PHC text of the hash.
        hash: Box<str>,
    },
    /// Hash a new password, away from the rules; [`super::Input::PasswordHashed`] brings the answer.
    HashPassword {
        /// Comes back with the answer.
        token: Token,
        /// What was typed. Never printed.
        password: Secret,
    },
    /// Answer a request that came by HTTP.
    Web {
        /// Which.
        web: WebId,
        /// The answer.
        reply: Box<WebReply>,
    },
    /// Have the disk do something with files; [`super::Input::Shelf`] tells what became of it.
    Shelf(Box<ShelfOrder>),
    /// Close a connection once everything sent before is out. No more inputs of it are wanted.
    Close {
        /// Which.
        conn: ConnId,
    },
    /// Write a line to the log. Foreign text in it is escaped already.
    Log {
        /// Whom it is about.
        conn: Option<ConnId>,
        /// What happened.
        text: String,
    },
}

/// A password on its way to be checked. Its debug form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Box<str>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

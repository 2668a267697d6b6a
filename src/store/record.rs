//! What the rules ask the store to keep and to find: plain data, known to both sides.

use crate::wire::msgid::MsgId;

/// Where a message was said, as the store files it: a room, or the two accounts of a private conversation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Target(Box<str>);

impl Target {
    /// The room with this folded name (`#` included).
    pub fn room(folded_name: &str) -> Target {
        Target(folded_name.into())
    }

    /// The conversation of two accounts (folded names), whichever of them speaks.
    pub fn pair(one: &str, other: &str) -> Target {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        Target(format!("{first} {second}").into())
    }

    /// The text under which the store files it. No name holds a space, so a pair is never taken for a room.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where to look: a target, and the one closed instance of the room that the asker may see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The room or conversation.
    pub target: Target,
    /// Messages with `closed_in == 0` or equal to this are seen, others are not.
    pub instance: u64,
}

/// Which IRC command carried a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `PRIVMSG`.
    Privmsg,
    /// `NOTICE`.
    Notice,
}

/// One message as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its id; the time is inside.
    pub id: MsgId,
    /// Where it was said.
    pub target: Target,
    /// 0 when the room was open to everybody; else the instance of the closed room (key, invitation or secret) that alone may read it again.
    pub closed_in: u64,
    /// `nick!user@host`, as the members saw it.
    pub source: Box<str>,
    /// The account of the sender, when logged in.
    pub account: Option<Box<str>>,
    /// The sender was marked as a bot.
    pub bot: bool,
    /// `PRIVMSG` or `NOTICE`.
    pub kind: Kind,
    /// What was said; valid UTF-8. A message of several lines has `\n` between them.
    pub text: Box<str>,
    /// The client-only tags as they stood on the line (`+a=b;+c`), when there were any.
    pub tags: Option<Box<str>>,
    /// The sender's own id for it (`+gzy/id`), so that sending again is harmless.
    pub sent_as: Option<SentAs>,
}

/// A sender's own id of a message. The same sender never gets two messages stored under one id.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SentAs {
    /// Folded account name, or folded nick of a guest.
    pub sender: Box<str>,
    /// The value of `+gzy/id`.
    pub id: Box<str>,
}

/// A question to the store. Everything that was handed over before it is seen by it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// The last messages of a place, oldest first.
    Before {
        /// Where.
        place: Place,
        /// Only messages before this id; `None` means up to the newest.
        before: Option<MsgId>,
        /// At most so many.
        limit: usize,
    },
    /// The first messages after an id that need not exist, oldest first.
    After {
        /// Where.
        place: Place,
        /// Only messages after this id.
        after: MsgId,
        /// At most so many.
        limit: usize,
    },
    /// The newest messages that hold all words, oldest first.
    Search(Search),
    /// The id of the message that was stored under a sender's own id.
    Sent(SentAs),
    /// An account by its name (any spelling) or number.
    Account {
        /// The name, or the number in decimal.
        name: Box<str>,
    },
}

/// What to search for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    /// Where the asker may look.
    pub places: Vec<Place>,
    /// Each must occur in the text (letter case aside); Chinese words of one character and more are found inside longer runs.
    pub words: Vec<Box<str>>,
    /// Only messages whose sender has this folded nick or account.
    pub from: Option<Box<str>>,
    /// Only messages from this id on.
    pub since: Option<MsgId>,
    /// Only messages before this id.
    pub before: Option<MsgId>,
    /// At most so many hits.
    pub limit: usize,
}

/// What the store found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// Messages, oldest first.
    Messages(Vec<Message>),
    /// The stored id for [`Query::Sent`], if there is one.
    Sent(Option<MsgId>),
    /// The account, if there is one.
    Account(Option<Account>),
    /// The store could not look; the sentence is for the log and, shortened, for the asker.
    Failed(Box<str>),
}

/// A registered name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its number, from 1000 up.
    pub id: u64,
    /// Its name as registered.
    pub name: Box<str>,
    /// May use `OPER`.
    pub admin: bool,
    /// The argon2id hash in PHC text form. Never printed.
    pub password_hash: Box<str>,
}

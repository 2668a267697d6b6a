//! What the rules ask the store to keep and to find: plain data, known to both sides.

use crate::wire::msgid::MsgId;

/// An account's number, from 1000 up; never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AccountId(pub u32);

/// A group's number, from 1000 up; never given twice. Accounts and groups count for themselves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupId(pub u32);

/// Where a message was said, as the store files it: a room, a group, or the two accounts of a private conversation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Target(Box<str>);

impl Target {
    /// The room with this folded name (`#` included).
    pub fn room(folded_name: &str) -> Target {
        Target(folded_name.into())
    }

    /// A group. Its number, not its name: a later group of the same name reads nothing of it.
    pub fn group(id: GroupId) -> Target {
        Target(format!("&{}", id.0).into())
    }

    /// The conversation of two accounts, whichever of them speaks.
    pub fn pair(one: AccountId, other: AccountId) -> Target {
        let (first, second) = (one.min(other), one.max(other));
        Target(format!("={} {}", first.0, second.0).into())
    }

    /// The two accounts of a private conversation, the smaller number first; `None` for rooms and groups.
    pub fn accounts(&self) -> Option<(AccountId, AccountId)> {
        let (first, second) = self.0.strip_prefix('=')?.split_once(' ')?;
        Some((AccountId(first.parse().ok()?), AccountId(second.parse().ok()?)))
    }

    /// What the store filed under this text.
    pub(super) fn filed_as(text: &str) -> Target {
        Target(text.into())
    }

    /// The text under which the store files it: the folded name of a room (it begins with `#`), `&1000`, or `=1000 1001`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where to look: a target, and what of it the asker may see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The room, group or conversation.
    pub target: Target,
    /// Messages with `closed_in == 0` or equal to this are seen, others are not.
    pub instance: u64,
    /// Messages before this id are not seen: they are older than the membership of the asker.
    pub since: MsgId,
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
    /// The messages between two ids (both left out), oldest first.
    Between {
        /// Where.
        place: Place,
        /// Only messages after this id.
        after: MsgId,
        /// Only messages before this id.
        before: MsgId,
        /// At most so many.
        limit: usize,
        /// The last of them rather than the first.
        newest: bool,
    },
    /// The messages around an id that need not exist: it, half of the limit before it, the rest after it; oldest first.
    Around {
        /// Where.
        place: Place,
        /// In the middle.
        id: MsgId,
        /// At most so many.
        limit: usize,
    },
    /// Places in which something was said in a span of time, and the newest of it; oldest first.
    Targets {
        /// Rooms and groups that the asker is in.
        places: Vec<Place>,
        /// Whose private conversations are looked at too.
        account: Option<AccountId>,
        /// The newest message is after this id.
        after: MsgId,
        /// … and before this id.
        before: MsgId,
        /// At most so many.
        limit: usize,
    },
    /// How much an account has not read, in these places and in each of its private conversations.
    Unread {
        /// Whose read markers count.
        account: AccountId,
        /// Its groups.
        places: Vec<Place>,
        /// Counting stops there.
        limit: usize,
    },
    /// What a client of the account must know at once: read markers, and up to where private messages were delivered.
    Person {
        /// Who.
        account: AccountId,
    },
    /// The private messages to and from an account, in all its conversations, after an id; the newest `limit` of them, oldest first.
    Private {
        /// Whose.
        account: AccountId,
        /// Only messages after this id.
        after: MsgId,
        /// At most so many.
        limit: usize,
    },
    /// Make an account. Answered when it is on the disk.
    Register {
        /// A legal nick.
        name: Box<str>,
        /// The PHC text of the password's hash.
        hash: Box<str>,
    },
    /// Give an account another password. Answered when it is on the disk.
    SetPassword {
        /// Whose.
        account: AccountId,
        /// The PHC text of the password's hash.
        hash: Box<str>,
    },
    /// Remove a message from the store and from the search index. Answered when it is off the disk.
    Redact {
        /// Where it was said, as the one who asks sees it.
        place: Place,
        /// Which.
        id: MsgId,
        /// The account that may remove its own messages only; `None` for a moderator.
        only_of: Option<Box<str>>,
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

impl Query {
    /// Whether answering changes what is stored.
    pub(super) fn writes(&self) -> bool {
        matches!(self, Query::Register { .. } | Query::SetPassword { .. } | Query::Redact { .. })
    }
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
    /// For [`Query::Targets`]: where, and the newest message there.
    Targets(Vec<(Target, MsgId)>),
    /// For [`Query::Unread`]: where, up to when it is read (milliseconds since 1970; 0 never), and how many messages of others
    /// came since. Groups in the order of the question, then the conversations that have any.
    Unread(Vec<(Target, u64, usize)>),
    /// For [`Query::Person`].
    Person {
        /// What was read, up to when (milliseconds since 1970).
        read: Vec<(Target, u64)>,
        /// Up to where private messages were delivered.
        delivered: MsgId,
    },
    /// For [`Query::Register`]: the account's number, or why there is none.
    Registered(Result<AccountId, NotRegistered>),
    /// For [`Query::SetPassword`]; the account may be gone.
    PasswordSet(bool),
    /// For [`Query::Redact`].
    Redacted(Redaction),
    /// The store could not look; the sentence is for the log and, shortened, for the asker.
    Failed(Box<str>),
}

/// Why an account was not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotRegistered {
    /// Somebody has the name, perhaps in another spelling.
    Taken,
    /// It could be mistaken for an account's number.
    LooksLikeNumber,
}

/// What became of a message that was to be removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Redaction {
    /// It is gone.
    Done,
    /// There is no such message, or none that the asker may see.
    NotThere,
    /// Somebody else said it.
    NotYours,
}

/// A registered name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its number, from 1000 up.
    pub id: AccountId,
    /// Its name as registered.
    pub name: Box<str>,
    /// May use `OPER`.
    pub admin: bool,
    /// The argon2id hash in PHC text form. Never printed.
    pub password_hash: Box<str>,
}

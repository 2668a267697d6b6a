//! What there is to show to a person: the words of the view to its front ends.

use super::Trouble;
use super::account::{LoginFault, Wanted};
use crate::net::Address;
use crate::wire::fingerprint::Fingerprint;

/// Something to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// When it happened, in milliseconds since 1970 (UTC).
    pub at_ms: u64,
    /// The room that it belongs to.
    pub room: Option<Box<str>>,
    /// What it is.
    pub what: What,
}

impl Shown {
    /// The room or the person whose conversation it belongs to.
    pub fn conversation(&self) -> Option<&str> {
        let with = match &self.what {
            What::Said(Said { with, .. }) | What::Removed { with, .. } => with.as_deref(),
            What::Shared(shared) => shared.with.as_deref(),
            _ => None,
        };
        self.room.as_deref().or(with)
    }

    /// The server's id of a message.
    pub fn id(&self) -> Option<&str> {
        match &self.what {
            What::Said(said) => said.id.as_deref(),
            What::Shared(shared) => shared.id.as_deref(),
            _ => None,
        }
    }

    /// Whether somebody said it, or shared a file, which the server remembers in the same way.
    pub fn is_message(&self) -> bool {
        matches!(self.what, What::Said(_) | What::Shared(_))
    }
}

/// What there is to show. All texts are as they came: strangers' text, to be made printable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Somebody said something.
    Said(Said),
    /// The client itself entered a room.
    Entered {
        /// Who is there, the client included.
        names: Vec<Box<str>>,
    },
    /// Somebody came.
    Joined {
        /// Who.
        who: Box<str>,
        /// How many are there.
        count: usize,
    },
    /// Somebody left the room, or the server.
    Left {
        /// Who.
        who: Box<str>,
        /// What they said about it.
        why: Box<str>,
        /// How many stay.
        count: usize,
    },
    /// Somebody was thrown out of the room.
    Kicked {
        /// Who.
        who: Box<str>,
        /// By whom.
        by: Box<str>,
        /// What was said about it.
        why: Box<str>,
        /// How many stay.
        count: usize,
    },
    /// Somebody is called by another nick.
    Renamed {
        /// The nick before.
        from: Box<str>,
        /// The nick after.
        to: Box<str>,
        /// It is the client itself.
        own: bool,
    },
    /// What the room is about.
    Topic {
        /// Who changed it; `None` when it was found so.
        by: Option<Box<str>>,
        /// The topic; empty when there is none.
        text: Box<str>,
    },
    /// Somebody changed how the room works.
    Mode {
        /// Who.
        by: Box<str>,
        /// The change as on the wire: `+o anna`.
        change: Box<str>,
    },
    /// A message was taken back.
    Removed {
        /// The server's id of it.
        id: Box<str>,
        /// By whom.
        by: Box<str>,
        /// The other side of private talk.
        with: Option<Box<str>>,
    },
    /// Somebody brought files, or removed them.
    Shared(Box<Shared>),
    /// Somebody invites the client to the room.
    Invited {
        /// Who.
        by: Box<str>,
    },
    /// The room that the client is invited to is a group, which can be named by its number.
    InvitedTo {
        /// Its number.
        number: u32,
    },
    /// The server tells something: an announcement, an answer, a refusal.
    Notice(Box<str>),
    /// A message was not taken.
    Refused {
        /// Whom it was for.
        target: Box<str>,
        /// The message.
        text: Box<str>,
        /// The server's sentence.
        why: Box<str>,
    },
    /// A line came that could not be read.
    Unreadable,
    /// The nick was refused while logging in.
    NickRefused {
        /// The nick.
        nick: Box<str>,
        /// The server's sentence.
        why: Box<str>,
    },
    /// The client is logged in to an account.
    LoggedIn {
        /// The account.
        name: Box<str>,
        /// Its number, when it was just made.
        number: Option<Box<str>>,
    },
    /// The client is not logged in, or has no new account.
    NotLoggedIn {
        /// What was wanted.
        wanted: Wanted,
        /// Of which account.
        name: Box<str>,
        /// Why not.
        fault: LoginFault,
    },
    /// A server's key is trusted from here on.
    KeyAccepted {
        /// The server.
        server: Address,
        /// Its key.
        key: Fingerprint,
        /// There was another key before.
        replaced: bool,
    },
    /// The client is in.
    Connected {
        /// The client's nick.
        nick: Box<str>,
        /// It was in before.
        again: bool,
    },
    /// The link broke, and the client tries to come back.
    Lost(Trouble),
    /// The client gave up.
    Failed(Trouble),
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// Who said it.
    pub who: Box<str>,
    /// What.
    pub text: Box<str>,
    /// The other side of private talk.
    pub with: Option<Box<str>>,
    /// The client itself said it.
    pub own: bool,
    /// It was said before and fetched from the server's memory.
    pub history: bool,
    /// It tells what somebody does (`/me`).
    pub is_action: bool,
    /// It is a NOTICE, which wants no answer.
    pub is_notice: bool,
    /// The server's id of it.
    pub id: Option<Box<str>>,
}

/// How our servers begin the notice of a file that somebody brought; the history tells of files in such notices.
pub(super) const FILE_NOTICE: &str = "[文件 file] ";

impl Said {
    /// Whether it counts as unread until somebody has seen it: what others say, and the files that they brought. Other notices want no attention.
    pub fn is_news(&self) -> bool {
        !self.own && (!self.is_notice || self.text.starts_with(FILE_NOTICE))
    }
}

/// What somebody did with files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Deed {
    /// They are in the cloud from here on.
    #[default]
    Brought,
    /// They are gone.
    Removed,
}

/// Files that somebody brought or removed: one, or many at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shared {
    /// What was done.
    pub deed: Deed,
    /// Who did it; empty when it was the host.
    pub who: Box<str>,
    /// The other side when they are for one person.
    pub with: Option<Box<str>>,
    /// The client itself did it, perhaps on another device.
    pub own: bool,
    /// How many.
    pub count: usize,
    /// The name in the cloud; of several files the folder that all are in, or nothing.
    pub name: Box<str>,
    /// Bytes of all.
    pub size: u64,
    /// The first digits of the SHA-256; of one file only.
    pub digest: Box<str>,
    /// What is in it, by its type on the wire (`image/png,640x480`); empty when it is not known.
    pub media: Box<str>,
    /// The server's id of the message that tells so.
    pub id: Option<Box<str>>,
}

impl Default for Shared {
    fn default() -> Shared {
        Shared {
            deed: Deed::Brought,
            who: "".into(),
            with: None,
            own: false,
            count: 1,
            name: "".into(),
            size: 0,
            digest: "".into(),
            media: "".into(),
            id: None,
        }
    }
}

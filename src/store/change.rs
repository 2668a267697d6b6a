//! What the rules ask the store to keep besides messages: groups, memberships, invitations, read markers, files. Plain data.

use crate::wire::msgid::MsgId;

use super::file::{FileEntry, FileKey};
use super::record::{AccountId, GroupId, Target};

/// Something to be kept. Each one says what is true from now on, so that writing it twice is harmless.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A group is as described; it is made when it is not there.
    Group {
        /// Which.
        id: GroupId,
        /// All of it but its lists and members.
        shape: Box<GroupShape>,
    },
    /// A group, its lists, members, invitations, messages and files are no more. Its number is never given again.
    GroupEnded {
        /// Which.
        id: GroupId,
        /// Where its messages are filed.
        target: Target,
    },
    /// A mask is on a list of a group, or is not.
    Listed {
        /// Which group.
        group: GroupId,
        /// Which of its lists.
        list: List,
        /// The mask as it is shown.
        mask: Box<str>,
        /// Who set it and when (milliseconds since 1970); `None` takes it off.
        entry: Option<(Box<str>, u64)>,
    },
    /// Somebody is a member of a group, here or away; `None` when they are not.
    Member {
        /// Which group.
        group: GroupId,
        /// Who.
        account: AccountId,
        /// With which rights, and from when on.
        membership: Option<Membership>,
    },
    /// Somebody is invited to a group; `None` when they are not, or not any more.
    Invited {
        /// Which group.
        group: GroupId,
        /// Who.
        account: AccountId,
        /// Who asked them, as an account's name, and when (milliseconds since 1970).
        by: Option<(Box<str>, u64)>,
    },
    /// Somebody has read a place up to a time (IRCv3 draft/read-marker). It only moves forward.
    Read {
        /// Who.
        account: AccountId,
        /// What.
        target: Target,
        /// Milliseconds since 1970.
        up_to_ms: u64,
    },
    /// Private messages up to this one were handed to a client of the account that cannot ask for them. It only moves forward.
    Delivered {
        /// Whose.
        account: AccountId,
        /// The newest of them.
        up_to: MsgId,
    },
    /// An account's display name; it need not be unique.
    DisplayName {
        /// Whose.
        account: AccountId,
        /// As it is shown.
        name: Box<str>,
    },
    /// Wrong passwords for an account or from an address; none takes the note away.
    Pause {
        /// What is paused, as the rules name it.
        key: Box<str>,
        /// How many were wrong, and until when the next is not looked at (milliseconds since 1970).
        wrong: Option<(u32, u64)>,
    },
    /// A file is in the cloud, whole and verified; `None` when it is not, or not any more.
    File {
        /// Which.
        file: FileKey,
        /// What it is, whose, and what it looks like on the disk.
        entry: Option<Box<FileEntry>>,
    },
}

/// A group but for its lists and members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupShape {
    /// Its name (`#` included), as it was written.
    pub name: Box<str>,
    /// Whose it is.
    pub owner: AccountId,
    /// When it was made (milliseconds since 1970).
    pub since_ms: u64,
    /// Its modes without a parameter, as the letters of MODE (`int`).
    pub flags: Box<str>,
    /// The key that a newcomer must give.
    pub key: Option<Box<str>>,
    /// The greatest number of people.
    pub limit: Option<u32>,
    /// The topic: text, who set it, when (milliseconds since 1970).
    pub topic: Option<(Box<str>, Box<str>, u64)>,
    /// When it was last opened to everybody, after it had been closed: who comes reads nothing from before this id.
    pub open_since: MsgId,
}

/// The lists of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum List {
    /// `b`.
    Bans,
    /// `e`.
    Exceptions,
    /// `I`.
    Invitations,
}

impl List {
    /// The letter in MODE.
    pub fn letter(self) -> char {
        match self {
            List::Bans => 'b',
            List::Exceptions => 'e',
            List::Invitations => 'I',
        }
    }

    /// The list with this letter.
    pub fn of(letter: char) -> Option<List> {
        [List::Bans, List::Exceptions, List::Invitations].into_iter().find(|list| list.letter() == letter)
    }
}

/// Somebody's place in a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Membership {
    /// The rights, as bits that the rules know (`chat::room::Standing`).
    pub standing: u8,
    /// Messages before this id are not for this member.
    pub since: MsgId,
}

//! Where somebody may look back: the rooms that they are in, and the private conversations of their account.

use std::rc::Rc;

use crate::store::record::{AccountId, Kind, Message, Place, Target};
use crate::wire::event::Event;
use crate::wire::msgid::MsgId;

use super::{Chat, ConnId, Room, RoomId};

/// A room or a private conversation, as one of those who may read it sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Past {
    /// Where its messages are filed, and which of them may be read.
    pub place: Place,
    /// What it is called: the room, or the other account.
    pub name: Box<str>,
}

impl Chat {
    /// What a session may read of what it calls `target`; `None` when it may not, or when there is no such thing.
    pub(super) fn past(&self, asker: ConnId, target: &str) -> Option<Past> {
        if target.starts_with('#') {
            let room = self.room_meant(asker, target).filter(|room| room.standing(asker).is_some())?;
            return self.past_of_room(asker, room);
        }
        let mine = self.account_of(asker)?;
        self.past_with(mine, self.accounts.meant(target)?)
    }

    /// What a session may read of a room by its id, when it is in it.
    pub(super) fn past_in(&self, asker: ConnId, room: RoomId) -> Option<Past> {
        let room = self.rooms.get(&room).filter(|room| room.standing(asker).is_some())?;
        self.past_of_room(asker, room)
    }

    /// All rooms that a session is in.
    pub(super) fn pasts_of_rooms(&self, asker: ConnId) -> Vec<Past> {
        let rooms = self.session(asker).map_or(&[][..], |session| &session.rooms);
        rooms.iter().filter_map(|id| self.past_in(asker, *id)).collect()
    }

    /// The conversation of two accounts, as the first of them sees it; `None` when the other is gone.
    pub(super) fn past_with(&self, mine: AccountId, other: AccountId) -> Option<Past> {
        let name = self.accounts.get(other)?.name.as_str().into();
        Some(Past { place: Place { target: Target::pair(mine, other), instance: 0, since: MsgId(0) }, name })
    }

    /// The conversation that is filed under `target`, as one of the two sees it; `None` when it is not theirs, or the other is gone.
    pub(super) fn past_filed(&self, mine: AccountId, target: &Target) -> Option<Past> {
        let (first, second) = target.accounts()?;
        let other = if first == mine { second } else { first };
        (first == mine || second == mine).then(|| self.past_with(mine, other))?
    }

    fn past_of_room(&self, asker: ConnId, room: &Room) -> Option<Past> {
        Some(Past { place: room.place(self.session(asker)?), name: room.name.as_str().into() })
    }

    /// The account of a session, when it is logged in.
    pub(super) fn account_of(&self, conn: ConnId) -> Option<AccountId> {
        self.session(conn)?.account.as_ref().map(|login| login.id)
    }

    /// A kept message as the line it was, for somebody who may read it. `name` is what it was said in, as [`Past::name`] has it.
    pub(super) fn kept_line(&self, message: Message, asker: ConnId, name: &str) -> Event {
        let session = self.session(asker);
        let is_private = message.target.accounts().is_some();
        let is_mine = session.is_some_and(|session| session.account_name() == message.account.as_deref());
        let me = session.map_or("*", |session| session.nick.as_str());
        event_of(message, if is_private && !is_mine { me } else { name })
    }
}

/// A kept message as the line it was.
pub(super) fn event_of(message: Message, target: &str) -> Event {
    let command = match message.kind {
        Kind::Privmsg => "PRIVMSG",
        Kind::Notice => "NOTICE",
    };
    let head = format!(":{} {command} {target}", message.source);
    let mut event = Event::owning(message.id.time_ms(), head, Some(message.text));
    event.msgid = Some(message.id);
    event.account = message.account.map(Rc::from);
    event.bot = message.bot;
    event.client_tags = message.tags;
    event
}

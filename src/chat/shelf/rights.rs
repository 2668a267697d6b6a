//! Who somebody is to the shelf, what they call a scope, and what they may do in it.

use sha2::{Digest as _, Sha256};
use std::fmt::Write;
use std::net::IpAddr;

use crate::store::file::{FileKey, Scope};
use crate::store::record::AccountId;

use super::super::accounts::WEB_GUEST;
use super::super::room::Barred;
use super::super::{Chat, ConnId, Room, RoomId, cloak};
use super::index::{Owner, Shelved};
use super::refusal::Denied;

/// Somebody who brings, wants or removes a file: a session, or whoever came by HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visitor {
    /// The session, when it is one and is still here.
    pub conn: Option<ConnId>,
    /// The account, when logged in.
    pub account: Option<AccountId>,
    /// What others call them.
    pub name: Box<str>,
    /// `nick!user@host`, as others see it, and as bans are compared with it.
    pub source: Box<str>,
    /// Behind the digest in the name of a part: whose bytes they are.
    pub mark: Box<str>,
    /// May remove everything.
    pub is_admin: bool,
}

impl Visitor {
    /// Whose quota their files take.
    pub fn owner(&self) -> Owner {
        self.account.map_or(Owner::Guests, Owner::Account)
    }
}

/// A scope as somebody names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// Which.
    pub scope: Scope,
    /// What they call it: `*`, `#tea`, `ben`.
    pub word: Box<str>,
}

impl Chat {
    /// Who a session is to the shelf.
    pub(in crate::chat) fn visitor_of(&self, conn: ConnId) -> Option<Visitor> {
        let session = self.session(conn)?;
        let account = session.account_id();
        let admin = account.and_then(|id| self.accounts.get(id)).is_some_and(|account| account.admin);
        let mark = match account {
            Some(id) => id.0.to_string(),
            None => self.guest_mark(session.cloak(), session.nick.key().as_str()),
        };
        Some(Visitor {
            conn: Some(conn),
            account,
            name: session.nick.as_str().into(),
            source: session.source().into(),
            mark: mark.into(),
            is_admin: session.operator || admin,
        })
    }

    /// Who somebody is who came by HTTP, logged in or not.
    pub(super) fn visitor_by_web(&self, address: IpAddr, account: Option<AccountId>) -> Option<Visitor> {
        let Some(id) = account else {
            let cloak = cloak::cloak(&self.settings.cloak_secret, address);
            return Some(Visitor {
                conn: None,
                account: None,
                name: WEB_GUEST.into(),
                source: format!("{WEB_GUEST}!http@{cloak}").into(),
                mark: self.guest_mark(&cloak, "").into(),
                is_admin: false,
            });
        };
        let entry = self.accounts.get(id)?;
        Some(Visitor {
            conn: None,
            account,
            name: entry.name.as_str().into(),
            source: self.source_of(id).into(),
            mark: id.0.to_string().into(),
            is_admin: entry.admin,
        })
    }

    /// A guest is known again by network and nick; nobody can tell either from the mark.
    fn guest_mark(&self, cloak: &str, key: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.settings.cloak_secret);
        hasher.update(cloak);
        hasher.update(b" ");
        hasher.update(key);
        let mut mark = String::from("g");
        for byte in hasher.finalize().iter().take(8) {
            let _ = write!(mark, "{byte:02x}");
        }
        mark
    }

    /// The scope that a session means by a word.
    pub(in crate::chat) fn scope_meant(&self, conn: ConnId, word: &str) -> Result<Named, Denied> {
        let public = Named { scope: Scope::Public, word: "*".into() };
        if word == "*" {
            return Ok(public);
        }
        let mine = self.account_of(conn);
        if word.starts_with('#') {
            let room = self.room_meant(conn, word);
            if room.is_some_and(|room| room.is_lobby) {
                return Ok(public);
            }
            let seat = room.filter(|room| room.seat(mine).is_some());
            return match seat.and_then(|room| Some((room, room.group.as_ref()?.id))) {
                Some((room, id)) => Ok(Named { scope: Scope::Group(id), word: room.name.as_str().into() }),
                None => Err(Denied::NoAccess("only members of a group share files there; * is the cloud of all")),
            };
        }
        let Some(mine) = mine else {
            return Err(Denied::NoAccess("files for one person are between accounts; !register makes one"));
        };
        let other = self.accounts.meant(word).filter(|other| *other != mine);
        match other.and_then(|id| Some((id, self.accounts.get(id)?))) {
            Some((id, account)) => Ok(Named { scope: Scope::pair(mine, id), word: account.name.as_str().into() }),
            None => Err(Denied::NoAccess("nobody else has an account of that name; * is the cloud of all")),
        }
    }

    /// What somebody with this account calls a scope.
    pub(super) fn scope_word(&self, scope: Scope, account: Option<AccountId>) -> Box<str> {
        match scope {
            Scope::Public => "*".into(),
            Scope::Group(_) => self.room_of_scope(scope).map_or("#", |room| room.name.as_str()).into(),
            Scope::Pair(one, other) => {
                let other = if Some(one) == account { other } else { one };
                self.accounts.get(other).map_or("*", |account| account.name.as_str()).into()
            }
        }
    }

    /// The room whose people see a scope; none for two persons.
    pub(super) fn room_of_scope(&self, scope: Scope) -> Option<&Room> {
        let id: RoomId = match scope {
            Scope::Public => self.lobby?,
            Scope::Group(id) => self.room_of_group(id)?,
            Scope::Pair(..) => return None,
        };
        self.rooms.get(&id)
    }

    /// Whether an account, or a guest, sees what is in a scope.
    pub(super) fn sees(&self, account: Option<AccountId>, scope: Scope) -> bool {
        match scope {
            Scope::Public => true,
            Scope::Group(_) => self.room_of_scope(scope).is_some_and(|room| room.seat(account).is_some()),
            Scope::Pair(one, other) => account == Some(one) || account == Some(other),
        }
    }

    /// Whether somebody may bring files to a scope: its people read of them, so it takes the right to speak there.
    pub(in crate::chat) fn may_bring(&self, by: &Visitor, scope: Scope) -> Result<(), Denied> {
        if !self.sees(by.account, scope) {
            return Err(Denied::NoAccess("only those who see the files there may bring some"));
        }
        let Some(room) = self.room_of_scope(scope) else { return Ok(()) };
        let barred = match by.conn.and_then(|conn| self.session(conn)) {
            Some(session) => room.bars_speech_of(session).filter(|barred| *barred != Barred::Outside),
            None if by.is_admin => None,
            None if room.seat(by.account).is_some_and(|seat| seat.standing != Default::default()) => None,
            None if room.flags.moderated => Some(Barred::Moderated),
            None => room.ban_on_source(&by.source, true),
        };
        match barred {
            None => Ok(()),
            Some(_) => {
                Err(Denied::NoAccess("you may not speak there, so you may not bring files either; ask an operator"))
            }
        }
    }

    /// Whether somebody may remove or replace a file.
    pub(super) fn may_remove(&self, by: &Visitor, key: &FileKey, file: &Shelved) -> bool {
        let is_own =
            file.by.is_some() && file.by == by.conn || file.entry.account.is_some() && file.entry.account == by.account;
        let runs = match key.scope {
            Scope::Public => false,
            Scope::Group(_) => {
                let seat = self.room_of_scope(key.scope).and_then(|room| room.seat(by.account));
                seat.is_some_and(|seat| seat.standing.runs())
            }
            // It was sent to them: it is theirs.
            Scope::Pair(..) => self.sees(by.account, key.scope),
        };
        by.is_admin || is_own || runs
    }
}

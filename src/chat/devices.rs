//! One person on several devices: all connections of an account share its nick, its rooms and its rights.
//!
//! Each is a session and a member of rooms of its own, so that everything reaches all of them. Others see one person: the first
//! connection, the lead, comes and goes in public, the further ones silently.

use std::rc::Rc;

use crate::store::record::AccountId;
use crate::wire::caps::Caps;
use crate::wire::name::{Nick, suggestion};
use crate::wire::reply::*;

use super::people::Whowas;
use super::room::Standing;
use super::session::Login;
use super::turn::Turn;
use super::{Audience, Chat, ConnId, Effect, Member, RoomId};

/// The host part of everybody who is logged in. It tells nothing of an address, and the user part is the account's number.
pub(super) const ACCOUNT_HOST: &str = "account.gzy";

impl Chat {
    /// The other connections of the same account; none for a guest.
    pub(super) fn other_devices(&self, conn: ConnId) -> Vec<ConnId> {
        let account = self.session(conn).and_then(|session| session.account.as_ref());
        let devices = account.map_or(&[][..], |login| self.accounts.devices(login.id));
        devices.iter().copied().filter(|device| *device != conn).collect()
    }

    /// All connections of the same person, this one first.
    pub(super) fn devices_of(&self, conn: ConnId) -> Vec<ConnId> {
        let mut devices = self.other_devices(conn);
        devices.insert(0, conn);
        devices
    }

    /// Whether a session is the one that stands for its person.
    pub(super) fn is_lead(&self, conn: ConnId) -> bool {
        let account = self.session(conn).and_then(|session| session.account.as_ref());
        account.is_none_or(|login| self.accounts.devices(login.id).first().is_none_or(|lead| *lead == conn))
    }

    /// The next device stands for an account whose lead has gone: it holds the nick, and it is shown in the rooms.
    fn promote(&mut self, id: AccountId) {
        let Some(lead) = self.accounts.devices(id).first().copied() else { return };
        let Some(session) = self.session(lead) else { return };
        let (nick, rooms) = (session.nick.clone(), session.rooms.clone());
        self.claim_nick(&nick, lead);
        for room in rooms {
            if let Some(room) = self.rooms.get_mut(&room) {
                room.show(lead);
            }
        }
    }

    /// Takes a connection out of its account. True when the account has others that stay.
    pub(super) fn drop_device(&mut self, conn: ConnId) -> bool {
        let Some(login) = self.session(conn).and_then(|session| session.account.clone()) else { return false };
        let was_lead = self.is_lead(conn);
        let Some(account) = self.accounts.get_mut(login.id) else { return false };
        account.devices.retain(|device| *device != conn);
        let stays = !account.devices.is_empty();
        if stays && was_lead {
            self.promote(login.id);
        }
        stays
    }
}

impl Turn<'_> {
    /// Logs this session in. Before the welcome the name is only noted; [`Turn::come_in_as`] takes it.
    pub(super) fn log_in(&mut self, login: Login) {
        let was = self.session().account.clone();
        self.session_mut().account = Some(login.clone());
        if self.session().is_registered() && was.is_none() {
            self.session_mut().account = None;
            self.become_account(&login);
        }
        let (source, name) = (self.session().source().to_owned(), login.name.clone());
        let sentence = format!("You are now logged in as {name}");
        self.numeric(RPL_LOGGEDIN, &[&source, &name], &sentence);
    }

    /// At the welcome: the session takes its account's name and place. True when the account was here already.
    pub(super) fn come_in_as(&mut self, login: &Login) -> bool {
        let was_here = !self.chat.accounts.devices(login.id).is_empty();
        self.wear_name_of(login, was_here);
        was_here
    }

    /// A guest who is in becomes a person with an account: the same person under another name, or a further device of one who is here.
    fn become_account(&mut self, login: &Login) {
        let was_here = !self.chat.accounts.devices(login.id).is_empty();
        if was_here {
            self.merge_into(login);
        } else {
            self.rename_to_account(login);
        }
        self.catch_up();
    }

    fn rename_to_account(&mut self, login: &Login) {
        let (old_nick, old_source) = (self.session().nick.clone(), self.session().source().to_owned());
        let gone = Whowas::of(self.session(), self.now.wall_ms);
        let peers = self.chat.peers(self.me, |_| true);
        if *old_nick.as_str() != *login.name {
            let event = Rc::new(self.my_event(format_args!("NICK {}", login.name), None));
            self.reply_event(&event, "");
            self.effects.push(Effect::ToEach { to: peers.clone(), only: Audience::ALL, event });
        }
        self.wear_name_of(login, false);
        if old_nick.key() != self.session().nick.key() {
            self.chat.remember_gone(gone);
            self.chat.tell_watchers_gone(&old_nick, self.effects);
            let nick = self.session().nick.clone();
            self.chat.tell_watchers_here(&nick, self.effects);
        }
        self.tell_new_host(&old_source, &peers);
        let event = Rc::new(self.my_event(format_args!("ACCOUNT {}", login.name), None));
        self.effects.push(Effect::ToEach { to: peers, only: Audience::with(Caps::ACCOUNT_NOTIFY), event });
        self.come_home();
    }

    /// CHGHOST (IRCv3 chghost): user and host part are those of the account from here on.
    fn tell_new_host(&mut self, old_source: &str, peers: &[ConnId]) {
        let old = old_source.split_once('!').map_or("*@*", |(_, rest)| rest);
        let (nick, user, host) = (self.session().nick.as_str(), self.session().user(), self.session().cloak());
        let line = format!(":{nick}!{old} CHGHOST {user} {host}");
        let event = Rc::new(crate::wire::event::Event::plain(self.now.wall_ms, line, None));
        if self.session().caps.has(Caps::CHGHOST) {
            self.reply_event(&event, "");
        }
        self.effects.push(Effect::ToEach { to: peers.to_vec(), only: Audience::with(Caps::CHGHOST), event });
    }

    /// The guest goes, and the connection is a further device of somebody who is here.
    fn merge_into(&mut self, login: &Login) {
        let event = Rc::new(self.my_event(format_args!("QUIT"), Some(&format!("logged in as {}", login.name))));
        let peers = self.chat.peers_who_are_told_each(self.me);
        self.effects.push(Effect::ToEach { to: peers, only: Audience::ALL, event });
        let gone = Whowas::of(self.session(), self.now.wall_ms);
        let old_nick = self.session().nick.clone();
        for id in self.session().rooms.clone() {
            let Some(room) = self.chat.rooms.get(&id) else { continue };
            let part = self.my_event(format_args!("PART {}", room.name.as_str()), None);
            self.reply_event(&part, "");
            self.remove_and_tell(id);
        }
        let own = self.my_event(format_args!("NICK {}", login.name), None);
        self.reply_event(&own, "");
        self.chat.remember_gone(gone);
        self.wear_name_of(login, true);
        self.chat.tell_watchers_gone(&old_nick, self.effects);
        self.follow_the_others();
    }

    /// Comes into every room that the other devices are in.
    pub(super) fn follow_the_others(&mut self) {
        let Some(other) = self.chat.other_devices(self.me).first().copied() else { return };
        let Some(rooms) = self.chat.session(other).map(|session| session.rooms.clone()) else { return };
        for id in rooms {
            let standing = self.chat.rooms.get(&id).and_then(|room| room.standing(other));
            self.enter(id, standing.unwrap_or(Standing::PLAIN));
        }
        self.show_waiting_invitations();
    }

    /// Takes the account's nick, source and display name, and its place among the account's devices.
    fn wear_name_of(&mut self, login: &Login, was_here: bool) {
        let Some(account) = self.chat.accounts.get(login.id) else { return };
        let (nick, display) = (account.name.clone(), account.display.clone());
        let (away, me) = (self.away_of(login.id), self.me);
        let old = self.session().nick.clone();
        self.chat.release_nick(&old, me);
        if !was_here {
            self.make_free(&nick);
            self.chat.claim_nick(&nick, me);
        }
        let session = self.session_mut();
        session.account = Some(login.clone());
        session.set_source_of_account(nick, login.id, ACCOUNT_HOST);
        session.away = away;
        if let Some(display) = display {
            session.realname = display;
        }
        if let Some(account) = self.chat.accounts.get_mut(login.id) {
            account.devices.push(me);
        }
    }

    /// Why the account is away, as its other devices say.
    fn away_of(&self, id: AccountId) -> Option<Box<str>> {
        let lead = self.chat.accounts.devices(id).first()?;
        self.chat.session(*lead)?.away.clone()
    }

    /// Gives a guest who wears somebody's name another one.
    fn make_free(&mut self, nick: &Nick) {
        let names = [nick.key().as_str().to_owned(), nick.skeleton().as_str().to_owned()];
        for name in names {
            let Some(holder) = self.chat.nicks.get(name.as_str()).copied().filter(|holder| *holder != self.me) else {
                continue;
            };
            let free = suggestion(nick, |other| self.chat.is_free(other, holder));
            self.chat.turn(holder, self.now, self.effects, |turn| {
                if turn.session().is_registered() {
                    turn.rename(free);
                    turn.server_notice("your nick belongs to an account that has come; you have another one now");
                } else {
                    turn.chat.release_nick(nick, holder);
                }
            });
        }
    }

    /// Brings every other device of this person into a room, too. Where all in the room are told of the coming, they are among those.
    pub(super) fn bring_others(&mut self, id: RoomId, standing: Standing, with_join: bool) {
        let others = self.chat.other_devices(self.me);
        for other in &others {
            let Some(room) = self.chat.rooms.get_mut(&id).filter(|room| room.standing(*other).is_none()) else {
                continue;
            };
            room.admit(Member { conn: *other, standing, further: true });
            if let Some(session) = self.chat.session_mut(*other) {
                session.rooms.push(id);
            }
            self.chat.turn(*other, self.now, self.effects, |turn| turn.show_entered(id, with_join));
        }
        let lead = others.into_iter().find(|other| self.chat.is_lead(*other));
        if let (Some(lead), Some(room)) = (lead, self.chat.rooms.get_mut(&id)) {
            room.hide(self.me);
            room.show(lead);
        }
    }

    /// Takes every other device of this person out of a room, without a word.
    pub(super) fn drop_others(&mut self, id: RoomId) -> Vec<ConnId> {
        let others = self.chat.other_devices(self.me);
        for other in &others {
            if let Some(session) = self.chat.session_mut(*other) {
                session.rooms.retain(|room| *room != id);
            }
            self.chat.drop_member(id, *other);
        }
        others
    }

    /// Takes every other device of this person out of a room, and shows it the line that says so.
    pub(super) fn take_others_out(&mut self, id: RoomId, event: &Rc<crate::wire::event::Event>) {
        let others = self.drop_others(id);
        if !others.is_empty() {
            self.effects.push(Effect::ToEach { to: others, only: Audience::ALL, event: event.clone() });
        }
    }
}

#[cfg(test)]
mod tests;

//! Coming into a room: who may, who is told, what the newcomer is shown.

use std::fmt::Write;
use std::rc::Rc;

use crate::store::record::{Found, Query};
use crate::wire::caps::Caps;
use crate::wire::event::{Event, TagSet};
use crate::wire::limits::{ROOMS, ROOMS_PER_SESSION};
use crate::wire::line::{Line, clip};
use crate::wire::msgid::MsgId;
use crate::wire::name::RoomName;
use crate::wire::reply::*;

use super::history::event_of;
use super::room::Standing;
use super::turn::Turn;
use super::{Asker, Audience, Chat, Effect, Member, Now, Room, RoomId, SERVER_NAME};

impl Turn<'_> {
    /// `JOIN <room>{,<room>} [<key>{,<key>}]`, or `JOIN 0`
    pub(super) fn join(&mut self, line: &Line) {
        let names = line.params()[0];
        if names == "0" {
            return self.part_all();
        }
        let mut keys = line.param(1).unwrap_or("").split(',');
        for name in names.split(',').filter(|name| !name.is_empty()) {
            self.join_named(name, keys.next().unwrap_or(""));
        }
    }

    fn part_all(&mut self) {
        for id in self.session().rooms.clone() {
            let Some(name) = self.chat.rooms.get(&id).map(|room| room.name.clone()) else { continue };
            let event = Rc::new(self.my_event(format_args!("PART {}", name.as_str()), None));
            self.reply_event(&event, "");
            self.leave_room(id, &event);
        }
    }

    fn join_named(&mut self, text: &str, key: &str) {
        let name = match RoomName::parse(text) {
            Ok(name) => name,
            Err(why) => return self.numeric(ERR_BADCHANMASK, &[clip_word(text)], &why.to_string()),
        };
        if self.session().rooms.len() >= ROOMS_PER_SESSION {
            return self.numeric(
                ERR_TOOMANYCHANNELS,
                &[name.as_str()],
                "you are in as many rooms as one can be; leave one first",
            );
        }
        let Some(id) = self.chat.rooms_by_name.get(&name.key()).copied() else { return self.open_and_enter(name) };
        if self.session().rooms.contains(&id) || !self.may_enter(id, key) {
            return;
        }
        self.enter(id, Standing::PLAIN);
    }

    fn open_and_enter(&mut self, name: RoomName) {
        if self.chat.rooms.len() >= ROOMS {
            return self.numeric(ERR_TOOMANYCHANNELS, &[name.as_str()], "there are too many rooms on this server");
        }
        let id = self.chat.open_room(name, false, self.now, self.effects);
        self.enter(id, Standing::OPERATOR);
    }

    /// Whether this session may come in; says why not. An invitation opens every door but a full room's.
    fn may_enter(&mut self, id: RoomId, key: &str) -> bool {
        let Some(room) = self.chat.rooms.get(&id) else { return false };
        let me = self.session();
        if me.operator {
            return true;
        }
        let invited = me.invited.contains(&id);
        let refusal = if room.limit.is_some_and(|limit| room.members.len() >= limit as usize) {
            Some((ERR_CHANNELISFULL, "that room is full"))
        } else if invited {
            None
        } else if room.ban_on(me, false).is_some() {
            Some((ERR_BANNEDFROMCHAN, "you are banned from that room"))
        } else if room.flags.invite_only && !room.invites(me) {
            Some((ERR_INVITEONLYCHAN, "that room is by invitation only; ask somebody in it"))
        } else if room.password.as_deref().is_some_and(|password| password != key) {
            Some((ERR_BADCHANNELKEY, "that room needs its key: JOIN <room> <key>"))
        } else {
            None
        };
        let name = room.name.clone();
        if let Some((code, sentence)) = refusal {
            self.numeric(code, &[name.as_str()], sentence);
        }
        refusal.is_none()
    }

    /// Comes into a room that is open to this session.
    pub(super) fn enter(&mut self, id: RoomId, standing: Standing) {
        let (me, now) = (self.me, self.now);
        let session = self.session_mut();
        session.rooms.push(id);
        session.invited.retain(|room| *room != id);
        let Some(room) = self.chat.rooms.get_mut(&id) else { return };
        room.members.push(Member { conn: me, standing });
        let name = room.name.clone();
        if room.tells_each() {
            self.tell_joined(id, &name);
        } else {
            room.untold.joined += 1;
            self.chat.tell_count_later(id, now);
            let own = self.joined_event(&name, self.session().caps.has(Caps::EXTENDED_JOIN));
            self.reply_event(&own, "");
        }
        self.show_room(id);
        self.replay(id);
    }

    fn joined_event(&self, name: &RoomName, extended: bool) -> Event {
        let me = self.session();
        if extended {
            let account = me.account.as_deref().unwrap_or("*");
            self.my_event(format_args!("JOIN {} {account}", name.as_str()), Some(&me.realname))
        } else {
            self.my_event(format_args!("JOIN {}", name.as_str()), None)
        }
    }

    fn tell_joined(&mut self, id: RoomId, name: &RoomName) {
        let plain = Rc::new(self.joined_event(name, false));
        let extended = Rc::new(self.joined_event(name, true));
        let own = if self.session().caps.has(Caps::EXTENDED_JOIN) { extended.clone() } else { plain.clone() };
        self.reply_event(&own, "");
        self.to_others_in(id, Audience::without(Caps::EXTENDED_JOIN), &plain);
        self.to_others_in(id, Audience::with(Caps::EXTENDED_JOIN), &extended);
        if let Some(reason) = self.session().away.clone() {
            let away = Rc::new(self.my_event(format_args!("AWAY"), Some(&reason)));
            self.to_others_in(id, Audience::with(Caps::AWAY_NOTIFY), &away);
        }
        if let Some(room) = self.chat.rooms.get(&id).filter(|room| room.is_lobby) {
            let here = room.members.len();
            let nick = self.session().nick.as_str();
            let text = format!("欢迎 {nick} 加入大厅，现在 {here} 人 · Welcome {nick}, {here} here");
            let event = self.chat.room_notice(id, &text, self.now);
            self.to_others_in(id, Audience::ALL, &event);
            self.reply_event(&event, "");
        }
    }

    /// Topic and names, as JOIN shows them.
    fn show_room(&mut self, id: RoomId) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (has_topic, tells_each) = (room.topic.is_some(), room.tells_each());
        if has_topic {
            self.show_topic(id);
        }
        if self.session().caps.has(Caps::NO_IMPLICIT_NAMES) {
            return;
        }
        if tells_each {
            return self.show_names(id);
        }
        // N newcomers with N names each would be N² names; NAMES still lists everybody.
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (name, here, nick) = (room.name.clone(), room.members.len(), self.session().nick.clone());
        self.numeric(RPL_NAMREPLY, &["=", name.as_str()], nick.as_str());
        self.numeric(RPL_ENDOFNAMES, &[name.as_str()], &format!("{here} are here; NAMES lists them all"));
    }

    /// Shows the last messages to a client that cannot ask for them itself.
    fn replay(&mut self, id: RoomId) {
        let (me, last_id) = (self.me, self.chat.last_id);
        let caps = self.session().caps;
        if caps.has(Caps::CHATHISTORY) {
            return;
        }
        let Some(room) = self.chat.rooms.get_mut(&id) else { return };
        if !room.recent_loaded {
            return room.awaiting_replay.push((me, last_id));
        }
        let lines = room.replay_for(caps, last_id);
        self.replies.lines().push_str(&lines);
    }
}

impl Room {
    /// Whether somebody is on the invitation list.
    fn invites(&self, session: &super::Session) -> bool {
        let source = crate::wire::name::fold(&session.source());
        self.invitations.iter().any(|listed| listed.mask.matches(&source))
    }

    /// The last messages up to an id, as lines for a client with these capabilities.
    pub(super) fn replay_for(&self, caps: Caps, up_to: MsgId) -> String {
        let mut lines = String::new();
        let count = self.recent.partition_point(|event| event.msgid.is_some_and(|id| id <= up_to));
        if count == 0 {
            return lines;
        }
        let batched = caps.has(Caps::BATCH);
        let (name, batch) = (self.name.as_str(), format!("p{}", self.id.0));
        if batched {
            let _ = write!(lines, ":{SERVER_NAME} BATCH +{batch} chathistory {name}\r\n");
        }
        let extra = if batched { format!("batch={batch}") } else { String::new() };
        for event in self.recent.iter().take(count) {
            event.encode(TagSet::of(caps), &extra, &mut lines);
        }
        if batched {
            let _ = write!(lines, ":{SERVER_NAME} BATCH -{batch}\r\n");
        }
        lines
    }

    /// Keeps a message for those who come, and lets go of the oldest beyond `limit`.
    pub(super) fn keep_recent(&mut self, event: Rc<Event>, limit: usize) {
        self.recent.push_back(event);
        while self.recent.len() > limit {
            self.recent.pop_front();
        }
    }
}

impl Chat {
    /// Opens a room without members and asks the store for what was last said under its name.
    pub(super) fn open_room(&mut self, name: RoomName, is_lobby: bool, now: Now, effects: &mut Vec<Effect>) -> RoomId {
        self.last_room += 1;
        let id = RoomId(self.last_room);
        let instance = self.next_id(now).0;
        let mut room = Room::new(id, name, is_lobby, now.wall_ms, instance);
        if self.settings.replay == 0 {
            room.recent_loaded = true;
        } else {
            let query = Query::Before { place: room.place(), before: None, limit: self.settings.replay };
            effects.push(Effect::Ask { token: self.next_token(Asker::Room(id)), query });
        }
        self.rooms_by_name.insert(room.key(), id);
        self.rooms.insert(id, room);
        id
    }

    /// Puts what was said before a room was opened in front of what was said since, and shows it to those who came meanwhile.
    pub(super) fn recent_found(&mut self, id: RoomId, found: Found, effects: &mut Vec<Effect>) {
        let limit = self.settings.replay;
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.recent_loaded = true;
        match found {
            Found::Messages(messages) => {
                // What was said since the question may be in the answer as well.
                let first = room.recent.front().and_then(|event| event.msgid);
                let earlier = messages.into_iter().filter(|message| first.is_none_or(|first| message.id < first));
                for message in earlier.rev().take(limit.saturating_sub(room.recent.len())).collect::<Vec<_>>() {
                    room.recent.push_front(Rc::new(event_of(message, room.name.as_str())));
                }
            }
            Found::Failed(reason) => effects.push(Effect::Log {
                conn: None,
                text: format!("the last messages of {} could not be read: {reason}", room.name.as_str()),
            }),
            Found::Sent(_) | Found::Account(_) => {}
        }
        for (conn, up_to) in std::mem::take(&mut room.awaiting_replay) {
            let Some(room) = self.rooms.get(&id) else { return };
            let Some(session) = self.session(conn) else { continue };
            let lines = room.replay_for(session.caps, up_to);
            if !lines.is_empty() {
                effects.push(Effect::Send { to: conn, lines });
            }
        }
    }
}

/// A stranger's word as a parameter of a refusal: short, and never empty.
pub(super) fn clip_word(text: &str) -> &str {
    let word = clip(text, 64);
    if word.is_empty() || word.starts_with(':') || word.contains(' ') { "*" } else { word }
}

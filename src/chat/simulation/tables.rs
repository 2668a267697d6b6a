//! What must hold in the tables of the chat between any two inputs, and what must be left when everybody has gone.

use std::collections::{HashMap, HashSet};

use super::super::{Asker, Chat, ConnId, RoomId};

impl Chat {
    /// Panics when two tables disagree.
    pub fn assert_tables_agree(&self) {
        self.assert_rooms_agree();
        self.assert_names_agree();
        self.assert_groups_agree();
        self.shelf.assert_tables_agree();
        let live: Vec<_> = self.sessions.iter().flatten().collect();
        let count = |holds: &dyn Fn(&super::super::Session) -> bool| live.iter().filter(|s| holds(s)).count();
        assert_eq!(self.connections, live.len());
        assert_eq!(self.registered, count(&|s| s.is_registered()));
        assert_eq!(self.operators, count(&|s| s.is_registered() && s.operator));
        assert_eq!(self.invisible, count(&|s| s.is_registered() && s.invisible));
        assert_eq!(self.batch_bytes, live.iter().filter_map(|s| s.batch()).map(|batch| batch.bytes()).sum::<usize>());
        let looked_after: HashSet<ConnId> = self.due.iter().map(|(_, conn)| *conn).collect();
        for session in live {
            assert!(looked_after.contains(&session.conn), "{:?} is never looked after again", session.conn);
            assert!(session.wait.is_some() || !session.has_held(), "held lines wait for nothing");
            if let Some(wait) = &session.wait {
                let asker = self.askers.get(&wait.token);
                assert!(matches!(asker, Some(Asker::Session(conn)) if *conn == session.conn), "nobody will answer");
            }
        }
        assert!(self.resumable.is_empty());
    }

    fn assert_rooms_agree(&self) {
        assert_eq!(self.rooms.len(), self.rooms_by_name.len());
        for (id, room) in &self.rooms {
            assert_eq!(self.rooms_by_name.get(&room.key()), Some(id), "{} is found by its name", room.name.as_str());
            let stays = room.is_lobby || room.group.is_some();
            assert!(stays || !room.members.is_empty(), "{} is empty", room.name.as_str());
            let members: HashSet<ConnId> = room.members.iter().map(|member| member.conn).collect();
            assert_eq!(members.len(), room.members.len(), "nobody is in a room twice");
            for conn in &members {
                let session = self.session(*conn).expect("members are here");
                assert!(session.rooms.contains(id) && session.is_registered());
            }
            assert_eq!(room.recent_bytes, room.recent.iter().map(|event| event.bytes()).sum::<usize>());
            assert!(room.awaiting_replay.iter().all(|(conn, _)| members.contains(conn)));
        }
        for session in self.sessions.iter().flatten() {
            let rooms: HashSet<RoomId> = session.rooms.iter().copied().collect();
            assert_eq!(rooms.len(), session.rooms.len());
            for id in rooms {
                assert!(self.rooms.get(&id).is_some_and(|room| room.standing(session.conn).is_some()));
            }
        }
        assert!(self.counting.iter().all(|id| self.rooms.contains_key(id)));
    }

    /// Notes which life of each room it is.
    pub fn note_rooms(&self, instances: &mut HashMap<Box<str>, u64>) {
        for room in self.rooms.values() {
            instances.insert(room.key().as_str().into(), room.instance);
        }
    }

    fn assert_names_agree(&self) {
        for (name, conn) in &self.nicks {
            let session = self.session(*conn).expect("a nick is somebody's who is here");
            let (key, skeleton) = (session.nick.key(), session.nick.skeleton());
            assert!(session.has_nick() && [key.as_str(), skeleton.as_str()].contains(&&**name), "{name}");
        }
        for session in self.sessions.iter().flatten().filter(|session| session.has_nick()) {
            let lead = session.account_id().filter(|_| session.is_registered());
            let holder = lead.map_or(Some(session.conn), |account| self.accounts.devices(account).first().copied());
            // Before the welcome a registered name is only wished for.
            let wishes = !session.is_registered() && self.accounts.resembling(&session.nick).is_some();
            for name in [session.nick.key().as_str(), session.nick.skeleton().as_str()] {
                assert!(wishes || self.nicks.get(name) == holder.as_ref(), "{name}");
            }
        }
        for (key, watchers) in &self.watchers {
            assert!(!watchers.is_empty());
            for conn in watchers {
                let session = self.session(*conn).expect("a watcher is here");
                assert!(session.monitored().iter().any(|nick| nick.key() == *key));
            }
        }
    }

    /// Panics when somebody who has gone left something behind.
    pub fn assert_nothing_is_left(&self) {
        assert_eq!((self.session_count(), self.connections, self.registered), (0, 0, 0));
        assert_eq!((self.operators, self.invisible), (0, 0));
        assert!(self.nicks.is_empty() && self.watchers.is_empty() && self.askers.is_empty());
        assert!(self.due.is_empty() && self.resumable.is_empty() && self.counting.is_empty());
        assert_eq!(self.readers.len(), 0, "{:?}", self.readers);
        assert!(self.receipts.is_empty(), "{:?}", self.receipts);
        assert!(self.shelf.is_at_rest(), "{:?}", self.shelf);
        let stay = usize::from(self.lobby.is_some()) + self.groups.count();
        assert_eq!(self.rooms.len(), stay, "only the lobby and groups stay");
        for room in self.rooms.values() {
            assert!(room.members.is_empty() && room.awaiting_replay.is_empty());
        }
    }
}

//! What a line changes for the client itself: its nick, and the rooms that it is in.

use super::*;

impl Session {
    pub(super) fn remember(&mut self, room: &str) {
        if self.rooms.len() < ROOMS && self.rooms.iter().all(|other| fold(other) != fold(room)) {
            self.rooms.push(room.into());
        }
    }

    /// The user wants to be in a room.
    pub(super) fn wish(&mut self, room: &str) {
        // By its number a room is not recognised when the server says its name.
        self.wishes_by_number |= room.bytes().all(|byte| byte.is_ascii_digit());
        if self.wishes.len() < ROOMS {
            self.wishes.insert(fold(room));
        }
    }

    /// Notes what a line changes for the client itself: its nick, its rooms.
    pub(super) fn follow(&mut self, line: &Line, now_ms: u64, orders: &mut Orders) {
        let source = line.source.unwrap_or_default();
        let by_me = self.is_me(nick_of(source));
        match (line.command, line.param(0), line.param(1)) {
            ("JOIN", Some(room), _) if by_me => {
                self.host = source.split_once('!').map(|(_, host)| host.into());
                self.remember(room);
                if self.is_brought(room) {
                    return;
                }
                self.entering.retain(|other| *other != fold(room));
                // Messages whose receipt was lost are looked for, also by those who want no history.
                let first = if self.outbox.is_in_doubt() { HISTORY_MESSAGES } else { self.config.history };
                self.catchup.joined(room, first, &self.features, now_ms, orders);
            }
            ("PART", Some(room), _) if by_me => self.left(room),
            ("KICK", Some(room), Some(nick)) if self.is_me(nick) => self.left(room),
            ("366", _, Some(room)) => self.catchup.names_ended(room, orders),
            // A room that cannot be entered is not tried again: no such room, too many, full, invited only, banned, key.
            ("403" | "405" | "471" | "473" | "474" | "475" | "476" | "477", _, Some(room)) => self.left(room),
            ("NICK", Some(nick), _) if by_me => {
                self.nick = nick.into();
                self.wanted = nick.into();
                self.regain = None;
            }
            ("CAP", _, Some("DEL")) => {
                let gone = line.params().last().copied().unwrap_or_default();
                for cap in gone.split(' ').filter_map(Caps::named) {
                    self.features.caps = self.features.caps.without(cap);
                }
            }
            _ => {}
        }
        // Whoever held the nick let it go.
        let let_go = matches!(line.command, "QUIT" | "NICK") && fold(nick_of(source)) == fold(&self.wanted);
        if let_go && self.regain.is_some() && !by_me {
            self.try_regain(now_ms, orders);
        }
    }

    pub(super) fn left(&mut self, room: &str) {
        self.entering.retain(|other| *other != fold(room));
        self.rooms.retain(|other| fold(other) != fold(room));
        self.brought.remove(&fold(room));
        self.wishes.remove(&fold(room));
        self.catchup.left(room);
    }

    pub(super) fn try_regain(&mut self, now_ms: u64, orders: &mut Orders) {
        self.regain = Some(Regain { at_ms: now_ms + REGAIN_EVERY_MS, asked: true });
        orders.send(format!("NICK {}", self.wanted));
    }

    /// Whether a line refuses an attempt to get the own nick back.
    pub(super) fn regain_refused(&mut self, line: &Line) -> bool {
        let refuses = matches!(line.command, "432" | "433" | "436" | "437" | "438");
        match &mut self.regain {
            Some(regain) if refuses && regain.asked => {
                regain.asked = false;
                true
            }
            _ => false,
        }
    }
}

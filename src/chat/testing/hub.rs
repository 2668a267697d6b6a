//! The hub of a world: carries out what the rules order, at once and without a network.

use super::*;

impl World {
    /// Hands one fact to the rules and carries out everything that follows from it.
    pub fn handle(&mut self, input: Input) {
        self.handle_one(input);
        self.settle();
    }

    pub(super) fn handle_one(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.chat.handle(self.now, input, &mut effects);
        self.carry_out(effects);
    }

    /// Goes on until nothing is left that follows by itself.
    pub(super) fn settle(&mut self) {
        loop {
            if self.chat.has_resumable() {
                let mut effects = Vec::new();
                self.chat.resume(self.now, &mut effects);
                self.carry_out(effects);
            } else if let Some(input) = self.ready.pop_front() {
                self.handle_one(input);
            } else {
                return;
            }
        }
    }

    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) {
        assert!(effects.len() < MANY_EFFECTS, "one input has too many effects");
        for effect in effects {
            match effect {
                Effect::Send { to, lines } => self.deliver(to, &lines),
                Effect::ToRoom { room, except, only, event } => self.tell_room(room, except, only, &event),
                Effect::ToEach { to, only, event } => {
                    let different: BTreeSet<&ConnId> = to.iter().collect();
                    assert_eq!(different.len(), to.len(), "nobody is told twice: {event:?}");
                    to.into_iter().for_each(|conn| self.tell(conn, only, &event));
                }
                Effect::CapsChanged { conn, caps } => self.client_mut(conn).caps = caps,
                Effect::Remember { message, hurry } => self.unsaved.push(Unsaved { message: *message, hurry }),
                Effect::Record { id, change, .. } => self.unsaved_changes.push((id, *change)),
                Effect::Ask { token, query } if self.asks_by_hand => self.questions.push_back((token, query)),
                Effect::Ask { token, query } => {
                    let found = self.found(&query);
                    self.ready.push_back(Input::Found { token, found });
                }
                Effect::CheckPassword { token, password, hash } if self.passwords_by_hand => {
                    self.password_checks.push_back((token, password.0.into(), hash.into()));
                }
                Effect::CheckPassword { token, password, hash } => {
                    let correct = hash_of(&password.0) == *hash;
                    self.ready.push_back(Input::PasswordChecked { token, correct });
                }
                Effect::HashPassword { token, password } => {
                    self.ready.push_back(Input::PasswordHashed { token, hash: Some(hash_of(&password.0).into()) });
                }
                Effect::Web { web, reply } => self.web_replies.push((web, *reply)),
                Effect::Shelf(order) => self.shelf_orders.push(*order),
                Effect::Close { conn } => self.mark_closed(conn),
                Effect::Log { text, .. } => self.log.push(text),
            }
        }
    }

    pub(super) fn tell_room(&mut self, room: RoomId, except: Option<ConnId>, only: Audience, event: &Event) {
        let members: Vec<ConnId> = self.chat.members(room).iter().map(|member| member.conn).collect();
        for conn in members.into_iter().filter(|conn| Some(*conn) != except) {
            self.tell(conn, only, event);
        }
    }

    pub(super) fn tell(&mut self, conn: ConnId, only: Audience, event: &Event) {
        let caps = self.client_mut(conn).caps;
        if !only.includes(caps) {
            return;
        }
        let mut lines = String::new();
        event.encode(TagSet::of(caps), "", &mut lines);
        self.deliver(conn, &lines);
    }

    /// Puts lines into a client's hands and checks that it can take each of them.
    pub(super) fn deliver(&mut self, to: ConnId, lines: &str) {
        let client = self.client_mut(to);
        if client.closed {
            return;
        }
        let lines = lines.strip_suffix("\r\n").unwrap_or_else(|| panic!("no line end: {lines:?}"));
        for line in lines.split("\r\n") {
            receiver::check(line, client.caps);
            client.lines.push(line.to_owned());
        }
    }

    pub(super) fn client_mut(&mut self, conn: ConnId) -> &mut Client {
        self.clients.get_mut(&conn).expect("a connection of this world")
    }

    pub(super) fn mark_closed(&mut self, conn: ConnId) {
        let client = self.client_mut(conn);
        if !std::mem::replace(&mut client.closed, true) {
            self.free_slots.insert(conn.slot);
        }
    }
}

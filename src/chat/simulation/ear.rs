//! What one client has heard, and what it must never hear.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::wire::caps::MULTILINE;
use crate::wire::line::Line;
use crate::wire::msgid::MsgId;
use crate::wire::name::fold;

use super::super::ConnId;
use super::record::Record;
use super::script::number_in;

/// A batch that is under way.
#[derive(Clone, Copy, PartialEq)]
enum Batch {
    /// The answer of CHATHISTORY.
    History,
    /// What a newcomer is shown.
    Replay,
    Other,
}

/// What stands on the first line of a batch about the whole message.
struct Opened {
    id: Option<MsgId>,
    labelled: bool,
}

/// Being in a room, from one's own JOIN to one's own PART or KICK.
struct Membership {
    /// The newest message of the step in which it began.
    since: MsgId,
    /// How often each message was heard.
    heard: HashMap<u64, usize>,
    /// Who is there, by NAMES and by what was told since; `None` when nobody said it.
    people: Option<BTreeSet<String>>,
    /// The names that NAMES has told so far.
    named: BTreeSet<String>,
}

/// Follows one connection by its lines alone, as a client does.
pub struct Ear {
    conn: ConnId,
    nick: String,
    /// All that it ever had.
    nicks: HashSet<String>,
    rooms: BTreeMap<Box<str>, Membership>,
    /// The lives of rooms that it ever was in.
    visited: HashSet<(Box<str>, u64)>,
    /// Private messages that it was handed.
    handed: HashSet<MsgId>,
    /// Rooms that were entered or left since [`Ear::rest`].
    moved: Vec<Box<str>>,
    /// Who came where, when that was the last line.
    came_last: Option<String>,
    newest_live: MsgId,
    /// The newest message when it logged in.
    logged_in_at: Option<MsgId>,
    newest_by_sender: HashMap<ConnId, u64>,
    batches: HashMap<String, Batch>,
    /// A message of several lines whose first line has not come.
    opened: Option<Opened>,
    newest_in_batch: MsgId,
    /// How many answers each label has got.
    labels: HashMap<u64, usize>,
    /// Own messages that came back.
    receipts: HashMap<u64, usize>,
}

impl Ear {
    /// A client that has heard nothing.
    pub fn new(conn: ConnId) -> Ear {
        Ear {
            conn,
            nick: "*".into(),
            nicks: HashSet::new(),
            rooms: BTreeMap::new(),
            visited: HashSet::new(),
            handed: HashSet::new(),
            moved: Vec::new(),
            came_last: None,
            newest_live: MsgId::default(),
            logged_in_at: None,
            newest_by_sender: HashMap::new(),
            batches: HashMap::new(),
            opened: None,
            newest_in_batch: MsgId::default(),
            labels: HashMap::new(),
            receipts: HashMap::new(),
        }
    }

    /// The folded names of the rooms that this client is in, in order.
    pub fn rooms(&self) -> impl Iterator<Item = &Box<str>> {
        self.rooms.keys()
    }

    /// Who is in a room, when this client was told.
    pub fn people_in(&self, room: &str) -> Option<&BTreeSet<String>> {
        self.rooms.get(room)?.people.as_ref()
    }

    /// The answers that a label has got.
    pub fn answers_to(&self, label: u64) -> usize {
        self.labels.get(&label).copied().unwrap_or(0)
    }

    /// Whether a message of this client has come back to it.
    pub fn has_receipt(&self, number: u64) -> bool {
        self.receipts.contains_key(&number)
    }

    /// Whether this client was in the room (by its folded name) all the time since [`Ear::rest`].
    pub fn was_in(&self, room: &str) -> bool {
        self.rooms.contains_key(room) && !self.moved.iter().any(|moved| **moved == *room)
    }

    /// Whether this client has heard the message in this room.
    pub fn has_heard(&self, room: &str, number: u64) -> bool {
        self.rooms.get(room).is_some_and(|membership| membership.heard.contains_key(&number))
    }

    /// Everything of one step was heard.
    pub fn rest(&mut self) {
        assert!(self.batches.is_empty(), "a batch was not ended");
        self.moved.clear();
    }

    /// Nobody's coming is told twice: there are forms of it for different capabilities.
    fn check_told_once(&mut self, line: &Line) {
        let came = (line.command == "JOIN").then(|| format!("{} {}", line.source.unwrap_or(""), line.params()[0]));
        assert!(came.is_none() || came != self.came_last, "somebody came twice: {came:?}");
        self.came_last = came;
    }

    /// Takes one line.
    pub fn hear(&mut self, text: &str, record: &Record) {
        let line = Line::parse(text).expect("a line");
        self.check_told_once(&line);
        let batch = line.tags.value("batch").map(|name| *self.batches.get(&*name).expect("a batch that was begun"));
        if let Some(label) = line.tags.value("label") {
            assert!(batch.is_none(), "a label stands on the first line of its answer only");
            if let Ok(label) = label.parse() {
                let answers = self.labels.entry(label).or_default();
                *answers += 1;
                assert_eq!(*answers, 1, "a label has one answer");
            }
        }
        let by = line.source.unwrap_or("").split('!').next().unwrap_or("");
        let (is_mine, params) = (by == self.nick, line.params());
        self.note_people(&line, by, record);
        match line.command {
            "900" => self.logged_in_at = Some(record.newest),
            "001" => self.be_named(params[0]),
            "BATCH" => self.batch(&line, batch),
            "NICK" if is_mine => self.be_named(params[0]),
            "JOIN" if is_mine => self.enter(params[0], record),
            "PART" if is_mine => self.leave(params[0]),
            "KICK" if params[1] == self.nick => self.leave(params[0]),
            // A server operator acts in rooms from outside, too, and hears what became of it.
            "JOIN" | "PART" | "KICK" | "TOPIC" | "MODE" if params[0].starts_with('#') && !is_mine => {
                assert!(self.rooms.contains_key(&fold(params[0])), "that is a room it is not in");
            }
            "PRIVMSG" | "NOTICE" | "TAGMSG" => self.talk(&line, batch, record),
            _ => {}
        }
    }

    /// Keeps the lists of people as a client does.
    fn note_people(&mut self, line: &Line, by: &str, record: &Record) {
        let params = line.params();
        let is_me = by == self.nick;
        match line.command {
            "353" => {
                let Some(room) = self.rooms.get_mut(&fold(params[2])) else { return };
                let nicks = params[3].split(' ').map(|name| name.trim_start_matches(['~', '@', '+']));
                room.named.extend(nicks.map(|nick| nick.split('!').next().unwrap_or("").to_owned()));
            }
            "366" => {
                let Some(room) = self.rooms.get_mut(&fold(params[1])) else { return };
                let named = std::mem::take(&mut room.named);
                let known = room.people.as_ref().filter(|_| !record.is_crowded);
                assert!(known.is_none_or(|known| *known == named), "NAMES says what was told: {line:?}");
                room.people = Some(named);
            }
            "JOIN" if !is_me => self.people_mut(params[0], |known| known.insert(by.to_owned())),
            "PART" if !is_me => self.people_mut(params[0], |known| known.remove(by)),
            "KICK" if params[1] != self.nick => self.people_mut(params[0], |known| known.remove(params[1])),
            "QUIT" => self.rooms.values_mut().filter_map(|room| room.people.as_mut()).for_each(|known| {
                known.remove(by);
            }),
            "NICK" => self.rooms.values_mut().filter_map(|room| room.people.as_mut()).for_each(|known| {
                if known.remove(by) {
                    known.insert(params[0].to_owned());
                }
            }),
            _ => {}
        }
    }

    fn people_mut(&mut self, room: &str, change: impl FnOnce(&mut BTreeSet<String>) -> bool) {
        if let Some(known) = self.rooms.get_mut(&fold(room)).and_then(|room| room.people.as_mut()) {
            change(known);
        }
    }

    fn be_named(&mut self, nick: &str) {
        nick.clone_into(&mut self.nick);
        self.nicks.insert(nick.to_owned());
    }

    fn batch(&mut self, line: &Line, outer: Option<Batch>) {
        let params = line.params();
        let name = params[0][1..].to_owned();
        if params[0].starts_with('-') {
            assert!(self.opened.is_none(), "a message of no lines");
            assert!(self.batches.remove(&name).is_some(), "a batch that was not begun is ended");
            return;
        }
        let kind = match params[1] {
            "chathistory" if name.starts_with('h') => Batch::History,
            "soju.im/search" => Batch::History,
            "chathistory" => Batch::Replay,
            MULTILINE => {
                let labelled = line.tags.value("label").is_some();
                self.opened = Some(Opened { id: id_of(line), labelled });
                outer.unwrap_or(Batch::Other)
            }
            _ => Batch::Other,
        };
        if params[1] != MULTILINE {
            self.newest_in_batch = MsgId::default();
        }
        assert!(self.batches.insert(name, kind).is_none(), "a batch is begun twice");
    }

    fn enter(&mut self, room: &str, record: &Record) {
        let instance = record.instances.get(&fold(room)).copied().unwrap_or(0);
        self.visited.insert((fold(room), instance));
        let membership =
            Membership { since: record.newest, heard: HashMap::new(), people: None, named: BTreeSet::new() };
        assert!(self.rooms.insert(fold(room), membership).is_none(), "it is in that room already");
        self.moved.push(fold(room));
    }

    fn leave(&mut self, room: &str) {
        assert!(self.rooms.remove(&fold(room)).is_some(), "it is not in that room");
        self.moved.push(fold(room));
    }

    fn talk(&mut self, line: &Line, batch: Option<Batch>, record: &Record) {
        let (target, text) = (line.params()[0], line.param(1).unwrap_or(""));
        let source = line.source.unwrap_or("");
        if !source.contains('!') {
            assert!(!target.starts_with('#') || self.rooms.contains_key(&fold(target)), "that room is not its own");
            return;
        }
        let number = number_in(text);
        let (id, labelled) = match self.opened.take() {
            Some(opened) => (opened.id, opened.labelled),
            None => (id_of(line), line.tags.value("label").is_some()),
        };
        if batch == Some(Batch::History) {
            self.check_may_read(source, target, id, record);
            return self.history(id, record);
        }
        let is_mine = match number {
            Some(number) => record.is_sender(number, self.conn),
            // A later piece of a long text, which may come back when its sender has another nick.
            None => self.nicks.contains(source.split('!').next().unwrap_or("")),
        };
        if batch == Some(Batch::Replay) && is_mine {
            return;
        }
        match target.starts_with('#').then(|| fold(target)) {
            Some(room) if !is_mine => self.room_talk(&room, number, id, batch, record),
            Some(room) => self.receipt(number, id, Some(&room), labelled, record),
            None if is_mine => self.receipt(number, id, None, false, record),
            None => self.private(number, id, record),
        }
    }

    /// Nobody reads a room that they were never in, what was said in a closed one before they came, or the talk of others.
    fn check_may_read(&self, source: &str, target: &str, id: Option<MsgId>, record: &Record) {
        if !target.starts_with('#') {
            let is_mine = |nick: &str| self.nicks.contains(nick);
            return assert!(
                is_mine(target) || is_mine(source.split('!').next().unwrap_or("")),
                "that is the talk of others"
            );
        }
        let said = id.and_then(|id| record.said.get(&id));
        let closed_in = said.map_or(0, |said| said.closed_in);
        let was_there =
            |(room, instance): &(Box<str>, u64)| *room == fold(target) && (closed_in == 0 || closed_in == *instance);
        assert!(self.visited.iter().any(was_there), "that was not said to who reads it: {target} {closed_in}");
        assert!(said.is_none_or(|said| said.room.as_deref() == Some(&fold(target))), "that was said elsewhere");
    }

    fn history(&mut self, id: Option<MsgId>, record: &Record) {
        let Some(id) = id else { return };
        assert!(record.disk.kept.contains(&id), "the history holds what is on disk");
        assert!(id >= self.newest_in_batch, "the history is in order");
        self.newest_in_batch = id;
    }

    fn room_talk(&mut self, room: &str, number: Option<u64>, id: Option<MsgId>, batch: Option<Batch>, record: &Record) {
        let membership = self.rooms.get_mut(room).expect("nobody hears a room they are not in");
        let exact = id.or_else(|| record.only_id_of(number?));
        let is_replay = batch == Some(Batch::Replay) || exact.is_some_and(|id| id <= membership.since);
        if let Some(number) = number {
            let times = membership.heard.entry(number).or_default();
            *times += 1;
            assert!(*times <= record.times_said(number, room), "m{number} was heard once too often");
        }
        // The pieces of a long text share an id.
        if let Some(id) = exact.filter(|_| !is_replay) {
            assert!(id >= self.newest_live, "all members hear messages in one order");
            self.newest_live = id;
        }
    }

    fn private(&mut self, number: Option<u64>, id: Option<MsgId>, record: &Record) {
        assert!(id.is_none_or(|id| self.handed.insert(id)), "a private message is handed over once");
        // What an account missed is shown when the store has told it, whatever came meanwhile.
        let exact = id.or_else(|| record.only_id_of(number?));
        if self.logged_in_at.is_some_and(|newest| exact.is_none_or(|id| id <= newest)) {
            return;
        }
        if let Some(id) = id {
            assert!(id >= self.newest_live, "messages come in the order in which they were said");
            self.newest_live = id;
        }
        let Some(number) = number else { return };
        if let Some(sender) = record.only_sender(number) {
            let newest = self.newest_by_sender.entry(sender).or_default();
            assert!(number >= *newest, "nobody's lines overtake each other");
            *newest = number;
        }
    }

    /// An own message: either it came back from the disk, or it is in what a newcomer is shown.
    fn receipt(&mut self, number: Option<u64>, id: Option<MsgId>, room: Option<&str>, labelled: bool, record: &Record) {
        let Some(number) = number else { return };
        *self.receipts.entry(number).or_default() += 1;
        let ids = record.ids_of(number);
        let membership = room.and_then(|room| self.rooms.get(room));
        let may_be_replay = membership.is_some_and(|m| ids.iter().any(|id| *id <= m.since)) && !labelled;
        if may_be_replay || (record.was_sent_again(number) && !labelled) {
            return;
        }
        let is_kept = match id {
            Some(id) => !ids.contains(&id) || record.disk.kept.contains(&id),
            None => room.is_none() || ids.iter().any(|id| record.disk.kept.contains(id)),
        };
        assert!(is_kept, "m{number} came back before it was on disk");
    }
}

fn id_of(line: &Line) -> Option<MsgId> {
    line.tags.value("msgid").map(|id| MsgId::parse(&id).expect("an id"))
}

//! Lists: who is in a room (NAMES), which rooms there are (LIST).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::fmt::Write;

use crate::wire::caps::Caps;
use crate::wire::limits::{CLASSIC_LINE_BYTES, LINE_BYTES, LISTED_ROOMS, MASK_BYTES};
use crate::wire::line::Line;
use crate::wire::mask::glob;
use crate::wire::name::{Key, fold};
use crate::wire::reply::*;

use super::join::clip_word;
use super::room::Standing;
use super::turn::Turn;
use super::{Chat, Room, RoomId, SERVER_NAME};

impl Room {
    /// How NAMES marks the room: `@` for a secret one, `=` for others.
    pub(super) fn names_symbol(&self) -> &'static str {
        if self.flags.secret { "@" } else { "=" }
    }
}

impl Chat {
    /// Those in a room by nick or by source: who is here, then the members of a group who are away. Strangers see neither the
    /// invisible nor the absent.
    pub(super) fn named_in(&self, room: &Room, sees_all: bool, whole_source: bool) -> Vec<(Standing, String)> {
        let here = room.members.iter().filter(|member| !member.further);
        let here = here.filter_map(|member| Some((member.standing, self.session(member.conn)?)));
        let mut named: Vec<(Standing, String)> = here
            .filter(|(_, person)| sees_all || !person.invisible)
            .map(|(standing, person)| {
                (standing, if whole_source { person.source() } else { person.nick.as_str() }.to_owned())
            })
            .collect();
        if sees_all {
            named.extend(self.away_in(room).map(|(seat, account)| {
                let shown = if whole_source { self.source_of(seat.account) } else { account.name.as_str().to_owned() };
                (seat.standing, shown)
            }));
        }
        named
    }
}

impl Turn<'_> {
    /// `NAMES <room>{,<room>}`. A room that is not there, or not for this session to see, has no names.
    pub(super) fn names(&mut self, line: &Line) {
        let mut answered = HashSet::new();
        for name in line.param(0).unwrap_or("").split(',').filter(|name| !name.is_empty()) {
            if !answered.insert(Key::of(name)) {
                continue;
            }
            match self
                .chat
                .room_meant(self.me, name)
                .filter(|room| room.is_shown_to(self.session()))
                .map(|room| room.id)
            {
                Some(id) => self.show_names(id),
                None => self.numeric(RPL_ENDOFNAMES, &[clip_word(name)], "End of /NAMES list"),
            }
        }
        if answered.is_empty() {
            self.numeric(RPL_ENDOFNAMES, &["*"], "End of /NAMES list");
        }
    }

    /// `RPL_NAMREPLY` and `RPL_ENDOFNAMES` of one room. Who is invisible is shown to members only.
    pub(super) fn show_names(&mut self, id: RoomId) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let me = self.session();
        let sees_all = me.operator || room.standing(self.me).is_some();
        let (every_prefix, whole_source) = (me.caps.has(Caps::MULTI_PREFIX), me.caps.has(Caps::USERHOST_IN_NAMES));
        let limit = if me.caps.has(Caps::LONG_LINES) { LINE_BYTES } else { CLASSIC_LINE_BYTES };
        let name = room.name.as_str();
        let head = format!(":{SERVER_NAME} {} {} {} {name} :", RPL_NAMREPLY.0, me.shown_nick(), room.names_symbol());
        let mut lines = String::new();
        let mut line_bytes = limit;
        for (standing, shown) in self.chat.named_in(room, sees_all, whole_source) {
            let prefix = standing.prefixes(every_prefix);
            // A space in front of it, or "\r\n" behind the line.
            let bytes = prefix.len() + shown.len();
            if line_bytes + 1 + bytes + 2 > limit {
                lines.push_str(if lines.is_empty() { "" } else { "\r\n" });
                lines.push_str(&head);
                line_bytes = head.len() + bytes;
            } else {
                lines.push(' ');
                line_bytes += 1 + bytes;
            }
            lines.push_str(prefix);
            lines.push_str(&shown);
        }
        lines.push_str(if lines.is_empty() { "" } else { "\r\n" });
        let name = room.name.clone();
        self.replies.lines().push_str(&lines);
        self.numeric(RPL_ENDOFNAMES, &[name.as_str()], "End of /NAMES list");
    }

    /// Whether LIST shows a room to this session: not those of others that one has to be asked to.
    fn is_listed(&self, room: &Room) -> bool {
        let me = self.session();
        let is_private = room.group.is_some() && room.flags.invite_only;
        room.is_shown_to(me) && (!is_private || me.operator || room.standing(self.me).is_some())
    }

    /// `LIST [<condition>{,<condition>}]`: rooms by name or mask, `!mask` for all others, `>n` and `<n` for their number of members.
    pub(super) fn list(&mut self, line: &Line) {
        let wanted = Conditions::parse(line.param(0).unwrap_or(""));
        if wanted.are_too_many() {
            let sentence = format!("LIST takes {PATTERNS} patterns of {MASK_BYTES} bytes; ask for fewer at a time");
            return self.fail("LIST", "TOO_MANY_PATTERNS", &[], &sentence);
        }
        let me = self.session();
        let rooms = self.chat.rooms.values().filter(|room| self.is_listed(room) && wanted.hold_for(room));
        let found: BinaryHeap<_> = rooms.map(|room| (Reverse(room.size()), room.key(), room.id)).collect();
        let found = found.into_sorted_vec();
        let more = found.len().saturating_sub(LISTED_ROOMS);
        let mut lines = String::new();
        for room in found.iter().take(LISTED_ROOMS).filter_map(|(_, _, id)| self.chat.rooms.get(id)) {
            let topic = room.topic.as_ref().map_or("", |topic| &*topic.text);
            let (code, nick, name, here) = (RPL_LIST.0, me.nick.as_str(), room.name.as_str(), room.size());
            // Writing to a String cannot fail.
            let _ = write!(lines, ":{SERVER_NAME} {code} {nick} {name} {here} :{topic}\r\n");
        }
        self.numeric(RPL_LISTSTART, &["Channel"], "Users  Name");
        self.replies.lines().push_str(&lines);
        self.numeric(RPL_LISTEND, &[], "End of /LIST");
        if more > 0 {
            let sentence =
                format!("{more} smaller rooms are not shown; ask for fewer, for example LIST *茶* or LIST <10");
            self.note("LIST", "MORE_ROOMS", &[], &sentence);
        }
    }
}

/// Patterns that one LIST may hold: each is tried on every room, and ten thousand rooms are not to stop the chat for it.
const PATTERNS: usize = 4;

/// Which rooms LIST is to show (ISUPPORT `ELIST=MNU`).
#[derive(Default, Debug)]
struct Conditions {
    /// One of these or of `masks`, when there are any.
    names: HashSet<Key>,
    /// Folded.
    masks: Vec<Box<str>>,
    /// None of these or of `not_masks`.
    not_names: HashSet<Key>,
    /// Folded.
    not_masks: Vec<Box<str>>,
    /// More members than this.
    more_than: Option<usize>,
    /// Fewer members than this.
    fewer_than: Option<usize>,
}

impl Conditions {
    fn parse(text: &str) -> Conditions {
        let mut conditions = Conditions::default();
        for word in text.split(',').filter(|word| !word.is_empty()) {
            let number = |text: &str| text.parse::<usize>().ok();
            match (word.strip_prefix('>').and_then(number), word.strip_prefix('<').and_then(number)) {
                (Some(count), _) => conditions.more_than = conditions.more_than.max(Some(count)),
                (_, Some(count)) => conditions.fewer_than = Some(conditions.fewer_than.map_or(count, |n| n.min(count))),
                _ => conditions.add_name(word),
            }
        }
        conditions
    }

    fn add_name(&mut self, word: &str) {
        let (names, masks, text) = match word.strip_prefix('!') {
            Some(text) => (&mut self.not_names, &mut self.not_masks, text),
            None => (&mut self.names, &mut self.masks, word),
        };
        if text.contains(['*', '?']) {
            masks.push(fold(text));
        } else {
            names.insert(Key::of(text));
        }
    }

    /// Whether there are more patterns, or longer ones, than can be tried on every room.
    fn are_too_many(&self) -> bool {
        let patterns = || self.masks.iter().chain(&self.not_masks);
        patterns().count() > PATTERNS || patterns().any(|mask| mask.len() > MASK_BYTES)
    }

    fn hold_for(&self, room: &Room) -> bool {
        let (key, here) = (room.key(), room.size());
        let meant = |names: &HashSet<Key>, masks: &[Box<str>]| {
            names.contains(&key) || masks.iter().any(|mask| glob(mask, key.as_str()))
        };
        ((self.names.is_empty() && self.masks.is_empty()) || meant(&self.names, &self.masks))
            && !meant(&self.not_names, &self.not_masks)
            && self.more_than.is_none_or(|count| here > count)
            && self.fewer_than.is_none_or(|count| here < count)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use crate::wire::limits::LISTED_ROOMS;

    #[test]
    fn names_show_who_is_there_with_the_prefixes_that_the_client_takes() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        let ben = w.join_with_caps("ben", "multi-prefix userhost-in-names");
        for conn in [anna, 小阳, ben] {
            w.line(conn, "JOIN #茶");
        }
        w.line(anna, "MODE #茶 +vv anna 小阳");
        w.drain();
        let end = ":gzy.local 366 小阳 #茶 :End of /NAMES list".to_owned();
        assert_eq!(w.ask(小阳, "NAMES #茶"), [":gzy.local 353 小阳 = #茶 :@anna +小阳 ben".to_owned(), end.clone()]);
        let (a, s, b) = (w.source(anna), w.source(小阳), w.source(ben));
        assert_eq!(w.ask(ben, "NAMES #茶")[0], format!(":gzy.local 353 ben = #茶 :@+{a} +{s} {b}"));
        w.line(anna, "MODE #茶 +s");
        w.drain();
        assert_eq!(w.ask(小阳, "NAMES #茶"), [":gzy.local 353 小阳 @ #茶 :@anna +小阳 ben".to_owned(), end]);
    }

    #[test]
    fn names_of_several_rooms_come_once_each_and_of_none_come_none() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        w.drain();
        assert_eq!(
            w.ask(anna, "NAMES #茶,#没有,#lobby,#茶"),
            [
                ":gzy.local 353 anna = #茶 :@anna",
                ":gzy.local 366 anna #茶 :End of /NAMES list",
                ":gzy.local 366 anna #没有 :End of /NAMES list",
                ":gzy.local 353 anna = #lobby :anna",
                ":gzy.local 366 anna #lobby :End of /NAMES list",
            ]
        );
        assert_eq!(w.ask(anna, "NAMES"), [":gzy.local 366 anna * :End of /NAMES list"]);
    }

    #[test]
    fn strangers_see_no_names_of_secret_rooms_and_none_of_the_invisible() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        let eve = w.join("eve");
        w.line(anna, "JOIN #茶");
        w.line(小阳, "JOIN #茶");
        w.line(小阳, "MODE 小阳 +i");
        w.drain();
        let end = ":gzy.local 366 eve #茶 :End of /NAMES list".to_owned();
        assert_eq!(w.ask(eve, "NAMES #茶"), [":gzy.local 353 eve = #茶 :@anna".to_owned(), end.clone()]);
        assert_eq!(w.ask(anna, "NAMES #茶")[0], ":gzy.local 353 anna = #茶 :@anna 小阳");
        w.line(anna, "MODE #茶 +s");
        assert_eq!(w.ask(eve, "NAMES #茶"), [end]);
        w.make_operator(eve);
        assert_eq!(w.ask(eve, "NAMES #茶")[0], ":gzy.local 353 eve @ #茶 :@anna 小阳");
    }

    #[test]
    fn many_names_come_in_lines_that_the_client_can_take() {
        let mut w = World::new();
        let nicks: Vec<String> = (0..90).map(|n| format!("{}{n}", "阳".repeat(18))).collect();
        for nick in &nicks {
            w.join(nick);
        }
        let anna = w.join("anna");
        let ben = w.join_with_caps("ben", "gzy/long-lines");
        let [classic, long] = [anna, ben].map(|conn| w.ask(conn, "NAMES #lobby"));
        assert!(classic.len() > 10 && long.len() == 3, "{} and {}", classic.len(), long.len());
        for lines in [classic, long] {
            let names: Vec<&str> = lines
                .iter()
                .filter_map(|line| line.split_once(" 353 ")?.1.split_once(':'))
                .flat_map(|(_, names)| names.split(' '))
                .collect();
            assert_eq!(names[..90], nicks);
            assert_eq!(names[90..], ["anna", "ben"]);
        }
    }

    #[test]
    fn the_list_shows_rooms_with_members_and_topic_and_hides_the_secret() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        w.line(anna, "JOIN #茶,#密");
        w.line(小阳, "JOIN #茶");
        w.line(anna, "TOPIC #茶 :龙井");
        w.line(anna, "MODE #密 +s");
        w.drain();
        let start = ":gzy.local 321 小阳 Channel :Users  Name";
        let tea = ":gzy.local 322 小阳 #茶 2 :龙井";
        let lobby = ":gzy.local 322 小阳 #lobby 2 :";
        let end = ":gzy.local 323 小阳 :End of /LIST";
        assert_eq!(w.ask(小阳, "LIST"), [start, lobby, tea, end]);
        for (line, rooms) in [
            ("LIST #茶", vec![tea]),
            ("LIST #没有,#LOBBY", vec![lobby]),
            ("LIST *茶*", vec![tea]),
            ("LIST !#茶", vec![lobby]),
            ("LIST >1", vec![lobby, tea]),
            ("LIST >2", vec![]),
            ("LIST <2", vec![]),
            ("LIST <3,!*茶*", vec![lobby]),
            ("LIST >x", vec![]),
            ("LIST #?,!#没有", vec![tea]),
            ("LIST #密", vec![]),
        ] {
            assert_eq!(w.ask(小阳, line), [vec![start], rooms, vec![end]].concat(), "{line}");
        }
        assert_eq!(
            w.ask(小阳, "LIST *a,*b,!*c,*d,*e"),
            [":gzy.local NOTICE 小阳 :LIST takes 4 patterns of 200 bytes; ask for fewer at a time"]
        );
        assert_eq!(w.ask(anna, "LIST #密")[1], ":gzy.local 322 anna #密 1 :");
    }

    #[test]
    fn a_list_of_very_many_rooms_shows_the_largest_and_says_so() {
        let mut w = World::new();
        let anna = w.join("anna");
        let fillers: Vec<_> = (0..=LISTED_ROOMS / 90).map(|n| w.join(&format!("ben{n}x"))).collect();
        for (at, conn) in fillers.iter().enumerate() {
            let names: Vec<String> = (0..90).map(|n| format!("#{at}-{n}")).collect();
            w.line(*conn, &format!("JOIN {}", names.join(",")));
        }
        w.line(anna, "JOIN #0-7");
        w.drain();
        let lines = w.ask(anna, "LIST");
        assert_eq!(lines[1], ":gzy.local 322 anna #lobby 13 :");
        assert_eq!(lines[2], ":gzy.local 322 anna #0-7 2 :");
        assert_eq!(lines.iter().filter(|line| line.contains(" 322 ")).count(), LISTED_ROOMS);
        assert_eq!(
            lines.last().map(String::as_str),
            Some(
                ":gzy.local NOTICE anna :81 smaller rooms are not shown; ask for fewer, for example LIST *茶* or LIST <10"
            )
        );
    }
}

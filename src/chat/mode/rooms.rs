//! MODE of rooms: who may change what, and what the members are told.

use std::rc::Rc;

use crate::store::change::List;
use crate::wire::limits::{CLASSIC_LINE_BYTES, MODES_PER_LINE, ROOM_KEY_BYTES};
use crate::wire::reply::*;

use super::super::join::clip_word;
use super::super::room::{Flags, Standing};
use super::super::turn::Turn;
use super::super::{Audience, Room, RoomId};
use super::change::{Asked, Change, asked, told};

/// Unknown letters that one line is told about, so that a line of nonsense is not answered with a page of it.
const UNKNOWN_LETTERS: usize = 3;

/// The modes that are on or off.
const FLAGS: &str = "imnst";

impl Flags {
    /// The letters of those that are on.
    pub(in crate::chat) fn letters(mut self) -> String {
        FLAGS.chars().filter(|letter| self.field_mut(*letter).is_some_and(|on| *on)).collect()
    }

    /// Those whose letters are named; others mean nothing.
    pub(in crate::chat) fn of_letters(letters: &str) -> Flags {
        let mut flags = Flags::default();
        for letter in letters.chars() {
            flags.field_mut(letter).into_iter().for_each(|on| *on = true);
        }
        flags
    }

    fn field_mut(&mut self, letter: char) -> Option<&mut bool> {
        match letter {
            'i' => Some(&mut self.invite_only),
            'm' => Some(&mut self.moderated),
            'n' => Some(&mut self.members_only),
            's' => Some(&mut self.secret),
            't' => Some(&mut self.topic_locked),
            _ => None,
        }
    }
}

impl Room {
    /// The modes that are on with their parameters (`+klnt`, `key`, `5`). The key itself is for members.
    fn modes_shown(&self, shows_key: bool) -> Vec<String> {
        let flags = self.flags;
        let letters = [
            ('i', flags.invite_only),
            ('k', self.password.is_some()),
            ('l', self.limit.is_some()),
            ('m', flags.moderated),
            ('n', flags.members_only),
            ('s', flags.secret),
            ('t', flags.topic_locked),
        ];
        let on = letters.into_iter().filter(|(_, on)| *on).map(|(letter, _)| letter);
        let mut shown = vec![std::iter::once('+').chain(on).collect()];
        shown.extend(self.password.as_deref().map(|key| if shows_key { key.to_owned() } else { "*".to_owned() }));
        shown.extend(self.limit.map(|limit| limit.to_string()));
        shown
    }
}

/// Whether a mode of a room has a parameter, when it is set or taken.
fn takes_param(on: bool, letter: char) -> bool {
    matches!(letter, 'q' | 'o' | 'v' | 'b' | 'e' | 'I' | 'k') || (letter == 'l' && on)
}

impl Turn<'_> {
    /// `MODE <room> [<modes> [<parameter>…]]`
    pub(in crate::chat) fn room_mode(&mut self, name: &str, modes: &str, params: &[&str]) {
        let Some(id) = self.shown_room(name) else { return };
        if modes.is_empty() {
            return self.show_modes(id);
        }
        let asked = asked(modes, params, takes_param);
        self.show_lists(id, &asked);
        self.refuse_unknown(&asked);
        let wanted: Vec<Asked> = asked.into_iter().filter(|asked| is_change(*asked)).collect();
        if wanted.is_empty() || !self.may_run(id) {
            return;
        }
        let was_closed = self.chat.rooms.get(&id).is_some_and(Room::is_closed);
        let mut changes = Vec::new();
        for asked in self.few_enough(wanted) {
            changes.extend(self.change_room(id, asked));
        }
        self.tell_changes(id, &changes);
        if changes.iter().any(|change| change.letter == 'k' || change.letter == 'l' || FLAGS.contains(change.letter)) {
            self.note_opened(id, was_closed);
            self.record_shape(id);
            self.put_visitors_out(id);
        }
    }

    fn show_modes(&mut self, id: RoomId) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let me = self.session();
        let shown = room.modes_shown(me.operator || room.standing(self.me).is_some());
        let (name, since) = (room.name.clone(), (room.since_ms / 1000).to_string());
        let mut params = vec![name.as_str()];
        params.extend(shown.iter().map(String::as_str));
        self.bare_numeric(RPL_CHANNELMODEIS, &params);
        self.bare_numeric(RPL_CREATIONTIME, &[name.as_str(), &since]);
    }

    /// Shows each list that is asked for by its letter alone, once.
    fn show_lists(&mut self, id: RoomId, asked: &[Asked]) {
        let mut shown = Vec::new();
        for list in asked.iter().filter(|asked| asked.param.is_none()).filter_map(|asked| List::of(asked.letter)) {
            if !shown.contains(&list) {
                shown.push(list);
                self.show_list(id, list);
            }
        }
    }

    fn refuse_unknown(&mut self, asked: &[Asked]) {
        let mut told = Vec::new();
        for letter in asked.iter().map(|asked| asked.letter).filter(|letter| !is_known(*letter)) {
            if told.len() < UNKNOWN_LETTERS && !told.contains(&letter) {
                told.push(letter);
                let mut utf8 = [0; 4];
                self.numeric(
                    ERR_UNKNOWNMODE,
                    &[clip_word(letter.encode_utf8(&mut utf8))],
                    "is unknown mode char to me",
                );
            }
        }
    }

    /// As many changes as one line may have; says when there are more.
    fn few_enough<'a>(&mut self, mut wanted: Vec<Asked<'a>>) -> Vec<Asked<'a>> {
        let before = wanted.len();
        let mut with_param = 0;
        wanted.retain(|asked| {
            // One whose parameter is missing counts as well: each is refused with a line of its own.
            let takes_param = takes_param(asked.on, asked.letter);
            with_param += usize::from(takes_param);
            !takes_param || with_param <= MODES_PER_LINE
        });
        if wanted.len() < before {
            let sentence =
                format!("one line can hold {MODES_PER_LINE} changes with a parameter; send the rest in another");
            self.fail("MODE", "TOO_MANY_CHANGES", &[], &sentence);
        }
        wanted
    }

    /// Makes one change; `None` when everything is as it was.
    fn change_room(&mut self, id: RoomId, asked: Asked) -> Option<Change> {
        match (asked.letter, asked.param) {
            ('q', Some(nick)) => self.change_owner(id, asked, nick),
            ('o', Some(nick)) => self.change_standing(id, Standing::OPERATOR, asked, nick),
            ('v', Some(nick)) => self.change_standing(id, Standing::VOICE, asked, nick),
            ('k', Some(key)) if asked.on => self.set_key(id, asked, key),
            ('k', _) if !asked.on => self.take_key(id),
            ('l', Some(limit)) => self.set_limit(id, asked, limit),
            ('l', None) if !asked.on => {
                self.chat.rooms.get_mut(&id)?.limit.take()?;
                Some(Change { on: false, letter: 'l', param: None })
            }
            (letter, param) => match (List::of(letter), param) {
                (Some(list), Some(mask)) => self.change_list(id, list, asked, mask),
                _ if takes_param(asked.on, letter) => {
                    self.refuse_param(id, asked, "that mode needs a parameter; give it behind the modes")
                }
                _ => self.change_flag(id, asked),
            },
        }
    }

    fn change_flag(&mut self, id: RoomId, asked: Asked) -> Option<Change> {
        let field = self.chat.rooms.get_mut(&id)?.flags.field_mut(asked.letter)?;
        let was = std::mem::replace(field, asked.on);
        (was != asked.on).then_some(Change { on: asked.on, letter: asked.letter, param: None })
    }

    fn change_standing(&mut self, id: RoomId, which: Standing, asked: Asked, nick: &str) -> Option<Change> {
        let who = self.occupant_named(id, nick)?;
        let changed = self.appoint(id, &who, which, asked.on);
        changed.then(|| Change { on: asked.on, letter: asked.letter, param: Some(who.nick.as_str().into()) })
    }

    fn change_owner(&mut self, id: RoomId, asked: Asked, nick: &str) -> Option<Change> {
        let who = self.occupant_named(id, nick)?;
        let changed = self.give_away(id, &who, asked.on);
        changed.then(|| Change { on: true, letter: 'q', param: Some(who.nick.as_str().into()) })
    }

    fn set_key(&mut self, id: RoomId, asked: Asked, key: &str) -> Option<Change> {
        let room = self.chat.rooms.get_mut(&id)?;
        if !is_key(key) {
            let name = room.name.clone();
            let sentence = format!("a key is 1 to {ROOM_KEY_BYTES} bytes, without spaces and commas; choose another");
            self.numeric(ERR_INVALIDKEY, &[name.as_str()], &sentence);
            return None;
        }
        let was = room.password.replace(key.into());
        (was.as_deref() != Some(key)).then_some(Change { on: asked.on, letter: 'k', param: Some(key.into()) })
    }

    /// Whatever key is given with `-k` is as good as the right one: who may set it may take it.
    fn take_key(&mut self, id: RoomId) -> Option<Change> {
        self.chat.rooms.get_mut(&id)?.password.take()?;
        Some(Change { on: false, letter: 'k', param: Some("*".into()) })
    }

    fn set_limit(&mut self, id: RoomId, asked: Asked, text: &str) -> Option<Change> {
        let Some(limit) = text.parse::<u32>().ok().filter(|limit| *limit > 0) else {
            return self.refuse_param(id, asked, "the limit is a number of members, from 1 up");
        };
        let was = self.chat.rooms.get_mut(&id)?.limit.replace(limit);
        (was != Some(limit)).then_some(Change { on: true, letter: 'l', param: Some(limit.to_string().into()) })
    }

    /// Refuses the parameter of a mode; there is no change then.
    pub(super) fn refuse_param(&mut self, id: RoomId, asked: Asked, sentence: &str) -> Option<Change> {
        let name = self.chat.rooms.get(&id)?.name.clone();
        let (mut utf8, param) = ([0; 4], clip_word(asked.param.unwrap_or("*")));
        let letter = asked.letter.encode_utf8(&mut utf8);
        self.numeric(ERR_INVALIDMODEPARAM, &[name.as_str(), letter, param], sentence);
        None
    }

    /// Tells the room and this session what did change, in as many lines as a classic client needs.
    fn tell_changes(&mut self, id: RoomId, changes: &[Change]) {
        let Some(name) = self.chat.rooms.get(&id).map(|room| room.name.clone()) else { return };
        let head_bytes = format!(":{} MODE {} \r\n", self.session().source(), name.as_str()).len();
        for text in told(changes, CLASSIC_LINE_BYTES - head_bytes) {
            let event = Rc::new(self.my_event(format_args!("MODE {} {text}", name.as_str()), None));
            self.reply_event(&event, "");
            self.tell_others_in(id, Audience::ALL, &event);
        }
    }
}

fn is_known(letter: char) -> bool {
    takes_param(true, letter) || Flags::default().field_mut(letter).is_some()
}

/// Whether something is to be changed, not only shown.
fn is_change(asked: Asked) -> bool {
    is_known(asked.letter) && (asked.param.is_some() || List::of(asked.letter).is_none())
}

fn is_key(text: &str) -> bool {
    let fits = (1..=ROOM_KEY_BYTES).contains(&text.len());
    fits && !text.starts_with(':') && !text.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;

    #[test]
    fn the_founder_runs_a_room_and_everybody_hears_what_changed() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        w.line(anna, "JOIN #大厅");
        w.line(小阳, "JOIN #大厅");
        w.drain();
        let a = w.source(anna);
        let told = [format!(":{a} MODE #大厅 +vm-t 小阳")];
        assert_eq!(w.ask(anna, "MODE #大厅 +v+mn-t 小阳"), told, "n was on before, so nobody hears of it");
        assert_eq!(w.said_to(小阳), told);
        assert_eq!(w.ask(anna, "MODE #大厅 +m-t+v 小阳"), [""; 0], "everything is as it was");
        assert_eq!(w.said_to(小阳), [""; 0]);
        assert_eq!(w.ask(anna, "MODE #大厅 +o 小阳"), [format!(":{a} MODE #大厅 +o 小阳")]);
        let s = w.source(小阳);
        w.said_to(小阳);
        assert_eq!(w.ask(小阳, "MODE #大厅 -o anna"), [format!(":{s} MODE #大厅 -o anna")]);
        w.said_to(anna);
        assert_eq!(
            w.ask(anna, "MODE #大厅 +o anna"),
            [":gzy.local 482 anna #大厅 :you are no operator of that room; ask one (@ in NAMES)"]
        );
    }

    #[test]
    fn the_modes_are_shown_to_all_and_the_key_to_members() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        w.line(anna, "JOIN #茶");
        let a = w.source(anna);
        w.drain();
        assert_eq!(w.ask(anna, "MODE #茶"), [":gzy.local 324 anna #茶 +nt", ":gzy.local 329 anna #茶 1795180761"]);
        assert_eq!(w.ask(anna, "MODE #茶 +lk 12 龙井"), [format!(":{a} MODE #茶 +lk 12 龙井")]);
        assert_eq!(w.ask(anna, "MODE #茶 +lk 12 龙井"), [""; 0]);
        assert_eq!(w.ask(anna, "MODE #茶")[0], ":gzy.local 324 anna #茶 +klnt 龙井 12");
        assert_eq!(w.ask(ben, "MODE #茶")[0], ":gzy.local 324 ben #茶 +klnt * 12");
        assert_eq!(w.ask(anna, "MODE #茶 -kl whatever"), [format!(":{a} MODE #茶 -kl *")]);
        assert_eq!(w.ask(anna, "MODE #茶 -k"), [""; 0]);
    }

    #[test]
    fn a_wrong_line_is_refused_with_the_numeric_for_it() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.join("小阳");
        w.line(anna, "JOIN #茶");
        w.drain();
        for (line, answer) in [
            ("MODE #无", "403 anna #无 :there is no such room"),
            ("MODE #茶 +x", "472 anna x :is unknown mode char to me"),
            ("MODE #茶 +好", "472 anna 好 :is unknown mode char to me"),
            ("MODE #茶 +o 无人", "401 anna 无人 :nobody of that name is here"),
            ("MODE #茶 +o 小阳", "441 anna 小阳 #茶 :they are not in that room"),
            ("MODE #茶 +o", "696 anna #茶 o * :that mode needs a parameter; give it behind the modes"),
            ("MODE #茶 +k", "696 anna #茶 k * :that mode needs a parameter; give it behind the modes"),
            ("MODE #茶 +l 零", "696 anna #茶 l 零 :the limit is a number of members, from 1 up"),
            ("MODE #茶 +l 0", "696 anna #茶 l 0 :the limit is a number of members, from 1 up"),
            ("MODE #茶 +k a,b", "525 anna #茶 :a key is 1 to 32 bytes, without spaces and commas; choose another"),
            ("MODE #茶 +k :a b", "525 anna #茶 :a key is 1 to 32 bytes, without spaces and commas; choose another"),
        ] {
            assert_eq!(w.ask(anna, line), [format!(":gzy.local {answer}")], "{line}");
        }
        assert_eq!(w.ask(anna, "MODE #茶 +abcdefgwxyz :")[..3].len(), 3);
        assert_eq!(w.ask(anna, "MODE #茶 +zyxwuz").len(), 3, "a line of nonsense is not answered with a page of it");
    }

    #[test]
    fn members_and_strangers_change_nothing_but_server_operators_do() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        let eve = w.join("eve");
        w.line(anna, "JOIN #茶");
        w.line(ben, "JOIN #茶");
        w.drain();
        let sentence = "you are no operator of that room; ask one (@ in NAMES)";
        assert_eq!(w.ask(ben, "MODE #茶 +im-n"), [format!(":gzy.local 482 ben #茶 :{sentence}")]);
        assert_eq!(w.ask(eve, "MODE #茶 +i"), [":gzy.local 442 eve #茶 :you are not in that room"]);
        assert_eq!(w.ask(eve, "MODE #lobby +i"), [format!(":gzy.local 482 eve #lobby :{sentence}")]);
        assert_eq!(w.said_to(anna), [""; 0]);

        w.make_operator(eve);
        let told = [format!(":{} MODE #茶 +m", w.source(eve))];
        assert_eq!(w.ask(eve, "MODE #茶 +m"), told);
        assert_eq!(w.said_to(anna), told);
        let told = [format!(":{} MODE #lobby +o anna", w.source(eve))];
        assert_eq!(w.ask(eve, "MODE #lobby +o anna"), told);
        assert_eq!(w.said_to(anna), told);
    }

    #[test]
    fn a_secret_room_does_not_exist_for_strangers() {
        let mut w = World::new();
        let anna = w.join("anna");
        let eve = w.join("eve");
        w.line(anna, "JOIN #茶");
        w.line(anna, "MODE #茶 +s");
        w.drain();
        for line in ["MODE #茶", "MODE #茶 b", "MODE #茶 +i"] {
            assert_eq!(w.ask(eve, line), [":gzy.local 403 eve #茶 :there is no such room"], "{line}");
        }
    }

    #[test]
    fn only_so_many_changes_fit_in_a_line() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", "standard-replies");
        w.line(anna, "JOIN #茶");
        w.drain();
        assert_eq!(
            w.ask(anna, "MODE #茶 +bbbbbbbi a b c d e f g"),
            [
                ":gzy.local FAIL MODE TOO_MANY_CHANGES :one line can hold 6 changes with a parameter; send the rest in another".into(),
                format!(":{} MODE #茶 +bbbbbbi a!*@* b!*@* c!*@* d!*@* e!*@* f!*@*", w.source(anna)),
            ]
        );
    }

    #[test]
    fn many_modes_without_their_parameters_are_not_answered_with_a_page() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        w.drain();
        assert_eq!(w.ask(anna, &format!("MODE #茶 +{}", "o".repeat(3000))).len(), 7);
        assert_eq!(w.ask(anna, &format!("MODE #茶 {}", "b".repeat(3000))).len(), 1);
    }

    #[test]
    fn long_masks_are_told_in_lines_that_everybody_can_take() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        w.line(anna, "JOIN #茶");
        w.line(ben, "JOIN #茶");
        w.drain();
        let mask = |c: &str| format!("*!*@{}", c.repeat(190));
        w.line(anna, &format!("MODE #茶 +bbb {} {} {}", mask("a"), mask("b"), mask("c")));
        let source = w.source(anna);
        let told = [
            format!(":{source} MODE #茶 +bb {} {}", mask("a"), mask("b")),
            format!(":{source} MODE #茶 +b {}", mask("c")),
        ];
        assert_eq!(w.said_to(anna), told);
        assert_eq!(w.said_to(ben), told);
    }

    #[test]
    fn an_operator_who_steps_down_finishes_the_line() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        w.drain();
        assert_eq!(w.ask(anna, "MODE #茶 -o+i anna"), [format!(":{} MODE #茶 -o+i anna", w.source(anna))]);
    }

    #[test]
    fn moderated_and_members_only_mean_what_they_say() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        let eve = w.join("eve");
        w.line(anna, "JOIN #茶");
        w.line(小阳, "JOIN #茶");
        w.line(anna, "MODE #茶 +m");
        w.drain();
        let moderated = "that room is moderated; ask an operator for a voice";
        assert_eq!(w.ask(小阳, "PRIVMSG #茶 :水开了"), [format!(":gzy.local 404 小阳 #茶 :{moderated}")]);
        assert_eq!(w.ask(eve, "PRIVMSG #茶 :嘿"), [":gzy.local 404 eve #茶 :only members speak there; JOIN first"]);
        w.line(anna, "MODE #茶 +v-n 小阳");
        w.drain();
        assert_eq!(w.ask(小阳, "PRIVMSG #茶 :水开了"), [""; 0]);
        assert_eq!(w.said_to(anna), [format!(":{} PRIVMSG #茶 :水开了", w.source(小阳))]);
        w.line(anna, "MODE #茶 -m");
        w.drain();
        assert_eq!(w.ask(eve, "PRIVMSG #茶 :嘿"), [""; 0], "anybody can call into a room without n and m");
        assert_eq!(w.said_to(anna), [format!(":{} PRIVMSG #茶 :嘿", w.source(eve))]);
    }
}

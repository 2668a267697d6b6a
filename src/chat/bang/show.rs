//! `!history` and `!search`: what is asked of the store, and how the answer reads.

use crate::store::record::{Found, Message, Place, Query, Search, Target};
use crate::wire::limits::{HISTORY_LINES, LINE_BYTES};
use crate::wire::line::clip;
use crate::wire::msgid::MsgId;
use crate::wire::name::{Key, RoomName};

use super::super::session::Purpose;
use super::super::turn::Turn;
use super::super::{Effect, Room};
use super::dates::{clock, day, local, start_ms};
use super::parse::{Rest, Wanted, number};
use super::words::{Command, Tongue};
use super::{Asked, phrase, shown, shown_text};

/// Lines that `!history` shows when no number is given, and hits that `!search` shows: a screen.
const USUAL_LINES: usize = 20;

/// Words of one search: what anybody remembers of a sentence, and the store checks each.
const SEARCH_WORDS: usize = 8;

/// What was asked of the store, to be shown as notices when it answers.
#[derive(Debug)]
pub struct Question {
    asked: Asked,
    /// Lines that are part of the answer already: all that goes out under one label goes out together.
    so_far: String,
    about: About,
}

#[derive(Debug)]
enum About {
    History,
    /// The rooms that were searched, when they are several.
    Search {
        rooms: Vec<(Target, RoomName)>,
    },
}

impl Turn<'_> {
    pub(super) fn bang_history(&mut self, rest: Rest) {
        let Some(id) = self.here() else { return };
        let limit = match rest.name() {
            "" => USUAL_LINES,
            text => match number(text).filter(|number| *number > 0) {
                Some(number) => number.min(HISTORY_LINES),
                None => return self.refuse_usage(Command::History),
            },
        };
        let Some(place) = self.chat.rooms.get(&id).map(Room::place) else { return };
        self.ask_store(Query::Before { place, before: None, limit }, About::History);
    }

    pub(super) fn bang_search(&mut self, rest: Rest) {
        let tongue = self.tongue();
        let wanted = Wanted::parse(rest);
        if wanted.words.is_empty() && wanted.from.is_none() && wanted.since.is_none() {
            return self.refuse_usage(Command::Search);
        }
        if wanted.words.len() > SEARCH_WORDS {
            return self.refuse(&phrase!(tongue, "最多 {SEARCH_WORDS} 个词", "at most {SEARCH_WORDS} words, please"));
        }
        let since = match wanted.since.map(|text| (text, self.start_of(text))) {
            None => None,
            Some((_, Some(since))) => Some(since),
            Some((text, None)) => {
                let text = shown(text);
                return self.refuse(&phrase!(
                    tongue,
                    "看不懂日期 {text}；写成 2026-11-01、11-01、昨天 或 今天",
                    "{text} is no date; write 2026-11-01, 11-01, yesterday or today"
                ));
            }
        };
        let Some(rooms) = self.rooms_to_search(wanted.room) else { return };
        let search = Search {
            places: rooms.iter().map(|(place, _)| place.clone()).collect(),
            words: wanted.words.iter().map(|word| (*word).into()).collect(),
            from: wanted.from.map(|who| Key::of(who).as_str().into()),
            since,
            before: None,
            // One more than is shown tells whether there are more.
            limit: USUAL_LINES + 1,
        };
        let several = rooms.len() > 1;
        let rooms = rooms.into_iter().filter(|_| several).map(|(place, name)| (place.target, name)).collect();
        self.ask_store(Query::Search(search), About::Search { rooms });
    }

    /// The first id of a day that somebody typed.
    fn start_of(&self, text: &str) -> Option<MsgId> {
        let offset_secs = self.chat.settings.utc_offset_secs;
        day(text, local(self.now.wall_ms, offset_secs).date()).map(|day| MsgId::first_at(start_ms(day, offset_secs)))
    }

    /// The rooms that the asker is in, or the one of them that was named; says so when there is none.
    fn rooms_to_search(&mut self, wanted: Option<&str>) -> Option<Vec<(Place, RoomName)>> {
        let tongue = self.tongue();
        let mine = self.session().rooms.iter().filter_map(|id| self.chat.rooms.get(id));
        let is_wanted = |room: &&Room| wanted.is_none_or(|wanted| is_called(room, wanted));
        let rooms: Vec<_> = mine.filter(is_wanted).map(|room| (room.place(), room.name.clone())).collect();
        if !rooms.is_empty() {
            return Some(rooms);
        }
        let text = match wanted.map(shown) {
            Some(room) => phrase!(
                tongue,
                "你不在 {room} 里；只能搜你在的房间",
                "you are not in {room}; search the rooms that you are in"
            ),
            None => phrase!(
                tongue,
                "你不在任何房间里；只能搜你在的房间",
                "you are in no room; search the rooms that you are in"
            ),
        };
        self.refuse(&text);
        None
    }

    fn ask_store(&mut self, query: Query, about: About) {
        let Some(mut asked) = self.asked.clone() else { return };
        if self.session().wait.is_some() {
            // One line may have several targets.
            return self.refuse(&phrase!(asked.tongue, "一次只能问一个地方", "ask in one place at a time"));
        }
        asked.refused = false;
        let is_labelled = self.replies.label.is_some();
        let so_far = if is_labelled { std::mem::take(self.replies.lines()) } else { String::new() };
        let token = self.wait_for(Purpose::Bang(Question { asked, so_far, about }));
        self.effects.push(Effect::Ask { token, query });
    }

    /// Shows what the store found.
    pub(in crate::chat) fn show_bang_answer(&mut self, question: Question, found: Found) {
        self.replies.lines().push_str(&question.so_far);
        self.asked = Some(question.asked);
        let tongue = self.tongue();
        match (found, question.about) {
            (Found::Messages(messages), About::History) => self.show_messages(messages, tongue),
            (Found::Messages(messages), About::Search { rooms }) => self.show_hits(messages, &rooms, tongue),
            (Found::Failed(_) | Found::Sent(_) | Found::Account(_), _) => self.refuse(&phrase!(
                tongue,
                "聊天记录现在读不出来；过一会儿再试",
                "what was said cannot be read right now; try again in a moment"
            )),
        }
        self.asked = None;
    }

    fn show_messages(&mut self, messages: Vec<Message>, tongue: Tongue) {
        if messages.is_empty() {
            return self.answer(&phrase!(tongue, "这里还没有人说过话", "nobody has said anything here yet"));
        }
        for message in &messages {
            self.show_message(message, "");
        }
    }

    fn show_hits(&mut self, mut hits: Vec<Message>, rooms: &[(Target, RoomName)], tongue: Tongue) {
        let has_more = hits.len() > USUAL_LINES;
        hits.drain(..hits.len().saturating_sub(USUAL_LINES));
        for hit in &hits {
            let room = rooms.iter().find(|(target, _)| *target == hit.target);
            let room = room.map(|(_, name)| format!("{} ", name.as_str())).unwrap_or_default();
            self.show_message(hit, &room);
        }
        let count = hits.len();
        self.answer(&match (tongue, count) {
            (_, 0) => phrase!(tongue, "没有找到", "nothing was found"),
            _ if has_more => phrase!(
                tongue,
                "最近的 {count} 条；还有更早的，加一个词或 来自: 再找",
                "the newest {count}; there are more: add a word or from: to narrow it down"
            ),
            (Tongue::English, 1) => "1 line found".to_owned(),
            _ => phrase!(tongue, "找到 {count} 条", "{count} lines found"),
        });
    }

    fn show_message(&mut self, message: &Message, room: &str) {
        let at = clock(message.id.time_ms(), self.now.wall_ms, self.chat.settings.utc_offset_secs);
        let nick = message.source.split('!').next().unwrap_or("*");
        let action = message.text.strip_prefix("\u{1}ACTION ");
        let text = match action {
            Some(action) => format!("{at} {room}* {nick} {}", shown_text(action.trim_end_matches('\u{1}'))),
            None => format!("{at} {room}{nick}: {}", in_one_line(&message.text)),
        };
        self.answer(&text);
    }
}

/// A message as one line of a list. One of several lines shows its breaks, and no more than a line could hold.
fn in_one_line(text: &str) -> String {
    if !text.contains('\n') {
        return shown_text(text);
    }
    let clipped = clip(text, LINE_BYTES);
    let lines: Vec<String> = clipped.split('\n').map(shown_text).collect();
    lines.join(" ↵ ") + if clipped.len() < text.len() { " …" } else { "" }
}

/// Whether somebody means this room: by its name with or without `#`, and the lobby also as 大厅.
fn is_called(room: &Room, wanted: &str) -> bool {
    let key = room.key();
    key == Key::of(wanted) || key == Key::of(&format!("#{wanted}")) || (room.is_lobby && wanted == "大厅")
}

#[cfg(test)]
mod tests {
    use super::super::super::ConnId;
    use super::super::super::testing::World;
    use super::*;

    const DAY_MS: u64 = 24 * 3600 * 1000;

    fn asked(w: &mut World, who: ConnId, text: &str) -> Vec<String> {
        let lines = w.ask(who, &format!("PRIVMSG #lobby :{text}"));
        lines.iter().map(|line| line.strip_prefix(":gzy.local NOTICE #lobby :").unwrap_or(line).to_owned()).collect()
    }

    fn say(w: &mut World, who: ConnId, room: &str, text: &str) {
        w.line(who, &format!("PRIVMSG {room} :{text}"));
        w.save();
        w.drain();
    }

    #[test]
    fn history_shows_the_last_lines_with_local_times() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        assert_eq!(asked(&mut w, anna, "!history"), ["nobody has said anything here yet"]);
        assert_eq!(asked(&mut w, anna, "！聊天记录"), ["这里还没有人说过话"]);
        say(&mut w, 小阳, "#lobby", "今晚吃什么");
        w.now.wall_ms += DAY_MS;
        say(&mut w, anna, "#lobby", "\u{1}ACTION waves\u{1}");
        say(&mut w, anna, "#lobby", "\u{3}4red\u{3} \u{1b}[2J");
        let all = ["11-20 21:19 小阳: 今晚吃什么", "21:19 * anna waves", "21:19 anna: red ␛[2J"];
        assert_eq!(asked(&mut w, anna, "!history"), all);
        assert_eq!(asked(&mut w, anna, "！聊天记录*２"), all[1..]);
        assert_eq!(asked(&mut w, anna, "!history 1"), all[2..]);
        for text in ["!history many", "!history 0", "!history -3"] {
            assert_eq!(asked(&mut w, anna, text), ["type it like this: !history [N]"], "{text}");
        }
        assert_eq!(asked(&mut w, anna, "！聊天记录*很多"), ["这样写：！聊天记录[*条数]"]);
    }

    #[test]
    fn history_has_an_end() {
        let mut w = World::new();
        let anna = w.join("anna");
        for at in 0..HISTORY_LINES + 3 {
            say(&mut w, anna, "#lobby", &format!("line {at}"));
        }
        assert_eq!(asked(&mut w, anna, "!history").len(), USUAL_LINES);
        let lines = asked(&mut w, anna, "!history 9999");
        assert_eq!(lines.len(), HISTORY_LINES);
        assert_eq!(lines[0], "21:19 anna: line 3");
    }

    #[test]
    fn a_search_tells_the_room_where_several_are_searched() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.join("小阳");
        say(&mut w, 小阳, "#lobby", "我在上海");
        assert_eq!(asked(&mut w, anna, "!search 上海"), ["21:19 小阳: 我在上海", "1 line found"]);
        w.line(小阳, "JOIN #茶");
        w.line(anna, "JOIN #茶");
        say(&mut w, anna, "#茶", "上海的茶");
        let both = ["21:19 #lobby 小阳: 我在上海", "21:19 #茶 anna: 上海的茶"];
        assert_eq!(asked(&mut w, anna, "！搜索*上海"), [both[0], both[1], "找到 2 条"]);
        let from = [both[0], "找到 1 条"];
        for text in ["！搜索*上海*来自:小阳", "！搜索 上海 from：小阳", "！搜索 FROM:小阳"] {
            assert_eq!(asked(&mut w, anna, text), from, "{text}");
        }
        let in_tea = ["21:19 anna: 上海的茶", "1 line found"];
        for text in ["!search 上海 in:#茶", "!search in:茶 上海", "!search 上海 在：茶"] {
            assert_eq!(asked(&mut w, anna, text), in_tea, "{text}");
        }
        assert_eq!(asked(&mut w, anna, "!search 上海 in:大厅"), ["21:19 小阳: 我在上海", "1 line found"]);
        assert_eq!(asked(&mut w, anna, "！搜索*北京"), ["没有找到"]);
        assert_eq!(asked(&mut w, anna, "!search 北京"), ["nothing was found"]);
    }

    #[test]
    fn nobody_searches_a_room_they_are_not_in() {
        let mut w = World::new();
        let anna = w.join("anna");
        let eve = w.join("eve");
        w.line(anna, "JOIN #茶");
        say(&mut w, anna, "#茶", "the secret");
        assert_eq!(asked(&mut w, eve, "!search secret"), ["nothing was found"]);
        assert_eq!(asked(&mut w, eve, "!search secret in:茶"), ["you are not in 茶; search the rooms that you are in"]);
        assert_eq!(asked(&mut w, eve, "！搜索*secret*在:茶"), ["你不在 茶 里；只能搜你在的房间"]);
        w.line(eve, "PART #lobby");
        w.drain();
        assert_eq!(
            w.ask(eve, "PRIVMSG anna :！搜索*secret"),
            [":gzy.local NOTICE eve :你不在任何房间里；只能搜你在的房间"]
        );
    }

    #[test]
    fn a_search_begins_on_the_day_that_was_named() {
        let mut w = World::new();
        let anna = w.join("anna");
        say(&mut w, anna, "#lobby", "tea on friday");
        w.now.wall_ms += DAY_MS;
        say(&mut w, anna, "#lobby", "tea on saturday");
        let both = ["11-20 21:19 anna: tea on friday", "21:19 anna: tea on saturday", "2 lines found"];
        let later = ["21:19 anna: tea on saturday", "1 line found"];
        for date in ["yesterday", "昨天", "11-20", "2026-11-20", "2026年11月20日"] {
            assert_eq!(asked(&mut w, anna, &format!("!search tea since:{date}")), both, "{date}");
        }
        for date in ["today", "今天", "11-21", "2026-11-21", "11月21号"] {
            assert_eq!(asked(&mut w, anna, &format!("!search tea since:{date}")), later, "{date}");
        }
        assert_eq!(asked(&mut w, anna, "！搜索*从:今天"), [later[0], "找到 1 条"]);
        assert_eq!(
            asked(&mut w, anna, "!search tea since:soon"),
            ["soon is no date; write 2026-11-01, 11-01, yesterday or today"]
        );
        assert_eq!(asked(&mut w, anna, "！搜索*茶*从:冬天"), ["看不懂日期 冬天；写成 2026-11-01、11-01、昨天 或 今天"]);
    }

    #[test]
    fn a_search_without_an_end_is_narrowed_down() {
        let mut w = World::new();
        let anna = w.join("anna");
        for at in 0..USUAL_LINES + 1 {
            say(&mut w, anna, "#lobby", &format!("tea {at}"));
        }
        let lines = asked(&mut w, anna, "!search tea");
        assert_eq!(lines.len(), USUAL_LINES + 1);
        assert_eq!(lines[0], "21:19 anna: tea 1");
        assert_eq!(lines[20], "the newest 20; there are more: add a word or from: to narrow it down");
        assert_eq!(asked(&mut w, anna, "！搜索*tea")[20], "最近的 20 条；还有更早的，加一个词或 来自: 再找");
        assert_eq!(asked(&mut w, anna, "!search"), ["type it like this: !search WORDS"]);
        assert_eq!(asked(&mut w, anna, "！搜索*在:大厅"), ["这样写：！搜索*词"]);
        assert_eq!(asked(&mut w, anna, "!search 1 2 3 4 5 6 7 8 9"), ["at most 8 words, please"]);
    }

    #[test]
    fn a_store_that_cannot_answer_is_said_in_words_and_talk_goes_on() {
        let mut w = World::new();
        let anna = w.join("anna");
        let ben = w.join("ben");
        w.asks_by_hand = true;
        w.drain();
        assert_eq!(asked(&mut w, anna, "!history"), [""; 0]);
        w.line(anna, "PRIVMSG #lobby :hello");
        assert_eq!(w.said_to(ben), [""; 0], "lines are never overtaken");
        w.answer(Found::Failed("disk I/O error".into()));
        assert_eq!(
            w.said_to(anna),
            [":gzy.local NOTICE #lobby :what was said cannot be read right now; try again in a moment"]
        );
        assert_eq!(w.said_to(ben).len(), 1);
        w.line(anna, "PRIVMSG #lobby :！搜索*茶");
        w.answer(Found::Failed("disk I/O error".into()));
        assert_eq!(w.said_to(anna), [":gzy.local NOTICE #lobby :聊天记录现在读不出来；过一会儿再试"]);
    }

    #[test]
    fn an_answer_finds_the_asker_who_had_to_leave_the_room() {
        let mut w = World::new();
        let anna = w.join("anna");
        say(&mut w, anna, "#lobby", "tea");
        w.asks_by_hand = true;
        w.line(anna, "PRIVMSG #lobby :!history");
        let lobby = w.chat.lobby.unwrap();
        w.chat.drop_member(lobby, anna);
        w.answer_from_memory();
        assert_eq!(w.said_to(anna), [":gzy.local NOTICE anna :21:19 anna: tea"]);
    }

    #[test]
    fn a_label_gets_one_answer_with_the_echo_in_it() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", "echo-message batch labeled-response");
        let source = w.source(anna);
        w.asks_by_hand = true;
        w.line(anna, "@label=h PRIVMSG #lobby :!history");
        assert_eq!(w.said_to(anna), [""; 0]);
        w.answer_from_memory();
        assert_eq!(
            w.said_to(anna),
            [
                "@label=h :gzy.local BATCH +r2 labeled-response".to_owned(),
                format!("@batch=r2 :{source} PRIVMSG #lobby :!history"),
                "@batch=r2 :gzy.local NOTICE #lobby :nobody has said anything here yet".to_owned(),
                ":gzy.local BATCH -r2".to_owned(),
            ]
        );
        let echo = [format!(":{source} PRIVMSG #lobby :!history")];
        assert_eq!(w.ask(anna, "PRIVMSG #lobby :!history"), echo, "without a label nothing holds the echo back");
    }
}

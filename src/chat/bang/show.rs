//! How the answers of `!history` and `!search` read.

use crate::store::record::{AccountId, Found, Message, Search};
use crate::wire::limits::LINE_BYTES;
use crate::wire::line::clip;

use super::super::RoomId;
use super::super::places::Past;
use super::super::turn::Turn;
use super::dates::clock;
use super::look::USUAL_LINES;
use super::words::Tongue;
use super::{Asked, phrase, shown_text};

/// What was asked of the store, to be shown as notices when it answers.
#[derive(Debug)]
pub struct Question {
    pub(super) asked: Asked,
    /// Lines that are part of the answer already: all that goes out under one label goes out together.
    pub(super) so_far: String,
    pub(super) about: About,
}

/// What the question was.
#[derive(Debug)]
pub(super) enum About {
    /// What was last said.
    History,
    /// How much is unread in these groups of an account.
    Groups { account: AccountId, groups: Vec<RoomId> },
    /// With whom the asker has talked, to search there as well as in these rooms.
    Where { search: Search, rooms: Vec<Past> },
    /// Who said it, in one of these places.
    Search { pasts: Vec<Past> },
}

impl Turn<'_> {
    /// Shows what the store found.
    pub(in crate::chat) fn show_bang_answer(&mut self, question: Question, found: Found) {
        self.replies.lines().push_str(&question.so_far);
        self.asked = Some(question.asked);
        let tongue = self.tongue();
        match (found, question.about) {
            (found, About::Where { search, rooms }) => self.ask_search_in(search, rooms, found),
            (found, About::Groups { account, groups }) => self.show_groups(account, &groups, found),
            (Found::Messages(messages), About::History) => self.show_messages(messages, tongue),
            (Found::Messages(messages), About::Search { pasts }) => self.show_hits(messages, &pasts, tongue),
            _ => self.refuse_unread(),
        }
        self.asked = None;
    }

    pub(super) fn refuse_unread(&mut self) {
        self.refuse(&phrase!(
            self.tongue(),
            "聊天记录现在读不出来；过一会儿再试",
            "what was said cannot be read right now; try again in a moment"
        ));
    }

    fn show_messages(&mut self, messages: Vec<Message>, tongue: Tongue) {
        if messages.is_empty() {
            return self.answer(&phrase!(tongue, "这里还没有人说过话", "nobody has said anything here yet"));
        }
        for message in &messages {
            self.show_message(message, "");
        }
    }

    fn show_hits(&mut self, mut hits: Vec<Message>, pasts: &[Past], tongue: Tongue) {
        let has_more = hits.len() > USUAL_LINES;
        hits.drain(..hits.len().saturating_sub(USUAL_LINES));
        for hit in &hits {
            let past = pasts.iter().find(|past| past.place.target == hit.target).filter(|_| pasts.len() > 1);
            let place = past.map(|past| shown_place(past, hit)).unwrap_or_default();
            self.show_message(hit, &place);
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

    fn show_message(&mut self, message: &Message, place: &str) {
        let at = clock(message.id.time_ms(), self.now.wall_ms, self.chat.settings.utc_offset_secs);
        let nick = message.source.split('!').next().unwrap_or("*");
        let action = message.text.strip_prefix("\u{1}ACTION ");
        let text = match action {
            Some(action) => format!("{at} {place}* {nick} {}", shown_text(action.trim_end_matches('\u{1}'))),
            None => format!("{at} {place}{nick}: {}", in_one_line(&message.text)),
        };
        self.answer(&text);
    }
}

/// Where a hit was said, in front of it: a room by its name, a conversation by the other's in brackets.
fn shown_place(past: &Past, hit: &Message) -> String {
    if hit.target.accounts().is_some() { format!("[{}] ", past.name) } else { format!("{} ", past.name) }
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

#[cfg(test)]
mod tests {
    use super::super::super::ConnId;
    use super::super::super::testing::World;
    use super::*;
    use crate::wire::limits::HISTORY_LINES;

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
        for text in ["!history 0", "!history -3", "!history ben many", "!history 1 2 3"] {
            assert_eq!(asked(&mut w, anna, text), ["type it like this: !history [WHO] [N]"], "{text}");
        }
        assert_eq!(asked(&mut w, anna, "！聊天记录*小阳*很多"), ["这样写：！聊天记录[*谁][*条数]"]);
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
        let refused =
            "you are not in 茶; the rooms that you are in are kept, and private talk once you have an account";
        assert_eq!(asked(&mut w, eve, "!search secret in:茶"), [refused]);
        assert_eq!(asked(&mut w, eve, "!history 茶 5"), [refused]);
        let refused = "你不在 茶 里；只有你在的房间有记录，注册以后私聊也有";
        assert_eq!(asked(&mut w, eve, "！搜索*secret*在:茶"), [refused]);
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
        let long = "x".repeat(300);
        let too_much = "that is too much to look for; a few words find it sooner";
        assert_eq!(asked(&mut w, anna, &format!("!search {long}")), [too_much]);
        assert_eq!(asked(&mut w, anna, "!search %"), ["nothing was found"]);
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

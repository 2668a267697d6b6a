//! `!history` and `!search`: what is asked of the store, and how the answer reads.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use crate::store::record::{Found, Message, Place, Query, Search, Target};
use crate::wire::limits::HISTORY_LINES;
use crate::wire::msgid::MsgId;
use crate::wire::name::{Key, RoomName};
use crate::wire::timestamp::from_ms;

use super::super::session::Purpose;
use super::super::turn::Turn;
use super::super::{Effect, Room};
use super::parse::{Rest, number};
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

/// What somebody searches for, as typed.
#[derive(PartialEq, Eq, Debug, Default)]
struct Wanted<'a> {
    words: Vec<&'a str>,
    from: Option<&'a str>,
    room: Option<&'a str>,
    since: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn parse(rest: Rest<'a>) -> Wanted<'a> {
        let mut wanted = Wanted::default();
        for word in rest.words() {
            match narrowed(word) {
                Some(("from" | "来自", who)) => wanted.from = Some(who),
                Some(("in" | "在", room)) => wanted.room = Some(room),
                Some(("since" | "从", date)) => wanted.since = Some(date),
                _ => wanted.words.push(word),
            }
        }
        wanted
    }
}

/// Splits `from:anna` and `来自：小阳`; the key comes back in the form of the table above.
fn narrowed(word: &str) -> Option<(&'static str, &str)> {
    let (key, value) = word.split_once([':', '：'])?;
    let key = ["from", "in", "since", "来自", "在", "从"].into_iter().find(|known| known.eq_ignore_ascii_case(key))?;
    (!value.is_empty()).then_some((key, value))
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
            None => format!("{at} {room}{nick}: {}", shown_text(&message.text)),
        };
        self.answer(&text);
    }
}

/// Whether somebody means this room: by its name with or without `#`, and the lobby also as 大厅.
fn is_called(room: &Room, wanted: &str) -> bool {
    let key = room.key();
    key == Key::of(wanted) || key == Key::of(&format!("#{wanted}")) || (room.is_lobby && wanted == "大厅")
}

fn local(at_ms: u64, offset_secs: i32) -> OffsetDateTime {
    let utc = from_ms(at_ms);
    UtcOffset::from_whole_seconds(offset_secs).ok().and_then(|offset| utc.checked_to_offset(offset)).unwrap_or(utc)
}

/// A time as people read it: `21:19` today, else `11-20 21:19`, with the year when it is another one.
pub(super) fn clock(at_ms: u64, now_ms: u64, offset_secs: i32) -> String {
    let (at, now) = (local(at_ms, offset_secs), local(now_ms, offset_secs));
    let time = format!("{:02}:{:02}", at.hour(), at.minute());
    let day = format!("{:02}-{:02}", u8::from(at.month()), at.day());
    match (at.year() == now.year(), at.date() == now.date()) {
        (_, true) => time,
        (true, false) => format!("{day} {time}"),
        (false, false) => format!("{}-{day} {time}", at.year()),
    }
}

/// A day as people type it: `2026-11-01`, `11-01` (the last one), `2026年11月1日`, `昨天`, `yesterday`, `今天`, `today`.
fn day(text: &str, today: Date) -> Option<Date> {
    match text.to_ascii_lowercase().as_str() {
        "today" | "今天" => return Some(today),
        "yesterday" | "昨天" => return today.previous_day(),
        _ => {}
    }
    let text = text.trim_end_matches(['日', '号']);
    let numbers: Vec<usize> = text.split(['-', '/', '.', '年', '月']).map(number).collect::<Option<_>>()?;
    let date = |year: i32, month: usize, day: usize| {
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
    };
    match numbers[..] {
        [year, month, day] => date(i32::try_from(year).ok()?, month, day).filter(|date| date.year() >= 1970),
        [month, day] => {
            let this_year = date(today.year(), month, day).filter(|date| *date <= today);
            this_year.or_else(|| date(today.year() - 1, month, day))
        }
        _ => None,
    }
}

/// When a local day begins (milliseconds since 1970, UTC).
fn start_ms(day: Date, offset_secs: i32) -> u64 {
    let midnight_secs = day.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp() - i64::from(offset_secs);
    u64::try_from(midnight_secs).map_or(0, |secs| secs * 1000)
}

//! `!history` and `!search`: what is asked of the store.

use crate::store::record::{Found, Place, Query, Search};
use crate::wire::limits::{HISTORY_LINES, SEARCH_BYTES, SEARCH_WORDS};
use crate::wire::msgid::MsgId;
use crate::wire::name::Key;

use super::super::Effect;
use super::super::places::Past;
use super::super::session::Purpose;
use super::super::turn::Turn;
use super::dates::{day, local, start_ms};
use super::parse::{Rest, Wanted, number};
use super::show::{About, Question};
use super::words::Command;
use super::{phrase, shown};

/// Lines that `!history` shows when no number is given, and hits that `!search` shows: a screen.
pub const USUAL_LINES: usize = 20;

impl Turn<'_> {
    /// `!history [WHO] [N]`
    pub(super) fn bang_history(&mut self, rest: Rest) {
        let words: Vec<&str> = rest.words().collect();
        let (who, limit) = match words[..] {
            [] => (None, Some(USUAL_LINES)),
            [word] if number(word).is_some() => (None, number(word)),
            [who] => (Some(who), Some(USUAL_LINES)),
            [who, limit] => (Some(who), number(limit)),
            _ => (None, None),
        };
        let limit = limit.filter(|limit| *limit > 0 && who.is_none_or(|who| !who.starts_with('-')));
        let Some(limit) = limit else { return self.refuse_usage(Command::History) };
        let place = match who {
            Some(who) => self.past_called(who).map(|past| past.place),
            None => self.place_here(),
        };
        if let Some(place) = place {
            self.ask_store(Query::Before { place, before: None, limit: limit.min(HISTORY_LINES) }, About::History);
        }
    }

    /// The room where the command was typed, or the conversation with whom it was typed to; says so when it is neither.
    fn place_here(&mut self) -> Option<Place> {
        let target = self.asked.as_ref()?.target.clone();
        let is_private = !target.starts_with('#');
        if let Some(past) = self.chat.past(self.me, &target).filter(|_| is_private) {
            return Some(past.place);
        }
        let room = self.here()?;
        self.chat.past_in(self.me, room).map(|past| past.place)
    }

    /// A room that the asker is in (with or without `#`, the lobby also as 大厅), or the talk with an account; says so when it is neither.
    fn past_called(&mut self, wanted: &str) -> Option<Past> {
        let room = self.session().rooms.iter().filter_map(|id| self.chat.rooms.get(id)).find(|room| {
            let key = room.key();
            key == Key::of(wanted) || key == Key::of(&format!("#{wanted}")) || (room.is_lobby && wanted == "大厅")
        });
        let past = match room.map(|room| room.id) {
            Some(room) => self.chat.past_in(self.me, room),
            None => self.chat.past(self.me, wanted),
        };
        if past.is_none() {
            let wanted = shown(wanted);
            self.refuse(&match self.session().account.is_some() {
                true => phrase!(
                    self.tongue(),
                    "你不在 {wanted} 里，也没有叫 {wanted} 的账号；只有你在的房间和账号之间的私聊有记录",
                    "you are not in {wanted}, and no account is called that; the rooms that you are in are kept, and talk between accounts"
                ),
                false => phrase!(
                    self.tongue(),
                    "你不在 {wanted} 里；只有你在的房间有记录，注册以后私聊也有",
                    "you are not in {wanted}; the rooms that you are in are kept, and private talk once you have an account"
                ),
            });
        }
        past
    }

    /// `!search WORDS`
    pub(super) fn bang_search(&mut self, rest: Rest) {
        let tongue = self.tongue();
        let wanted = Wanted::parse(rest);
        if wanted.words.is_empty() && wanted.from.is_none() && wanted.since.is_none() && wanted.before.is_none() {
            return self.refuse_usage(Command::Search);
        }
        if wanted.words.len() > SEARCH_WORDS {
            return self.refuse(&phrase!(tongue, "最多 {SEARCH_WORDS} 个词", "at most {SEARCH_WORDS} words, please"));
        }
        if wanted.words.iter().map(|word| word.len()).sum::<usize>() > SEARCH_BYTES {
            return self.refuse(&phrase!(
                tongue,
                "要找的字太多；几个词就够了",
                "that is too much to look for; a few words find it sooner"
            ));
        }
        let (Ok(since), Ok(before)) = (self.start_of(wanted.since), self.start_of(wanted.before)) else { return };
        let search = Search {
            places: Vec::new(),
            words: wanted.words.iter().map(|word| (*word).into()).collect(),
            from: wanted.from.map(|who| Key::of(who).as_str().into()),
            since,
            before,
            // One more than is shown tells whether there are more.
            limit: USUAL_LINES + 1,
        };
        match wanted.room {
            Some(place) => {
                let Some(past) = self.past_called(place) else { return };
                self.ask_search(search, vec![past]);
            }
            None => self.ask_everywhere(search),
        }
    }

    /// Searches the rooms that the asker is in, and its conversations when it has any.
    fn ask_everywhere(&mut self, search: Search) {
        let rooms = self.chat.pasts_of_rooms(self.me);
        match self.conversations_query(&search) {
            Some(query) => self.ask_store(query, About::Where { search, rooms }),
            None if rooms.is_empty() => self.refuse(&phrase!(
                self.tongue(),
                "你不在任何房间里；只能搜你在的房间",
                "you are in no room; search the rooms that you are in"
            )),
            None => self.ask_search(search, rooms),
        }
    }

    /// The conversations of the asker are known: the search begins.
    pub(super) fn ask_search_in(&mut self, search: Search, mut pasts: Vec<Past>, found: Found) {
        match found {
            Found::Targets(targets) => {
                pasts.extend(self.conversations_in(&targets));
                self.ask_search(search, pasts);
            }
            _ => self.refuse_unread(),
        }
    }

    fn ask_search(&mut self, mut search: Search, pasts: Vec<Past>) {
        search.places = pasts.iter().map(|past| past.place.clone()).collect();
        self.ask_store(Query::Search(search), About::Search { pasts });
    }

    /// The first id of a day that somebody typed; says so when it is none.
    fn start_of(&mut self, text: Option<&str>) -> Result<Option<MsgId>, ()> {
        let Some(text) = text else { return Ok(None) };
        let offset_secs = self.chat.settings.utc_offset_secs;
        let today = local(self.now.wall_ms, offset_secs).date();
        let start = day(text, today).map(|day| MsgId::first_at(start_ms(day, offset_secs)));
        if start.is_none() {
            let text = shown(text);
            self.refuse(&phrase!(
                self.tongue(),
                "看不懂日期 {text}；写成 2026-11-01、11-01、昨天 或 今天",
                "{text} is no date; write 2026-11-01, 11-01, yesterday or today"
            ));
        }
        start.map(Some).ok_or(())
    }

    pub(super) fn ask_store(&mut self, query: Query, about: About) {
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
}

#[cfg(test)]
mod tests {
    use super::super::super::ConnId;
    use super::super::super::testing::World;

    /// The answers to a command typed to `target`, without the notice around them.
    fn asked(w: &mut World, who: ConnId, target: &str, text: &str) -> Vec<String> {
        let lines = w.ask(who, &format!("PRIVMSG {target} :{text}"));
        lines.iter().map(|line| line.split_once(" :").expect("a notice").1.to_owned()).collect()
    }

    /// Anna, ben and eve have accounts; anna and ben have talked in private.
    fn friends() -> (World, [ConnId; 3]) {
        let mut w = World::new();
        let all = ["anna", "ben", "eve"].map(|name| {
            let conn = w.join(name);
            w.log_in(conn, name);
            conn
        });
        let [anna, ben, eve] = all;
        w.line(eve, "PRIVMSG #lobby :晚饭在上海");
        w.line(anna, "PRIVMSG ben :晚饭吃什么");
        w.line(ben, "PRIVMSG anna :饺子");
        w.save();
        w.drain();
        (w, all)
    }

    #[test]
    fn private_talk_is_shown_to_the_two_wherever_they_ask() {
        let (mut w, [anna, ben, eve]) = friends();
        let both = ["21:19 anna: 晚饭吃什么", "21:19 ben: 饺子"];
        for (target, text) in [("ben", "!history"), ("#lobby", "!history ben"), ("#lobby", "！聊天记录*BEN*20")] {
            assert_eq!(asked(&mut w, anna, target, text), both, "{text}");
        }
        let here = ["21:19 eve: 晚饭在上海"];
        assert_eq!(asked(&mut w, anna, "#lobby", "!history 1001"), here, "a single number is how many");
        assert_eq!(asked(&mut w, anna, "#lobby", "!history 1001 1"), both[1..]);
        assert_eq!(asked(&mut w, ben, "anna", "！聊天记录*1"), both[1..]);
        assert_eq!(asked(&mut w, eve, "ben", "!history"), ["nobody has said anything here yet"]);
        let nobody = "you are not in nobody, and no account is called that; the rooms that you are in are kept, and talk between accounts";
        assert_eq!(asked(&mut w, eve, "#lobby", "!history nobody"), [nobody]);
    }

    #[test]
    fn a_search_goes_through_private_talk_of_the_asker_only() {
        let (mut w, [anna, ben, eve]) = friends();
        let all = ["21:19 #lobby eve: 晚饭在上海", "21:19 [ben] anna: 晚饭吃什么", "2 lines found"];
        assert_eq!(asked(&mut w, anna, "#lobby", "!search 晚饭"), all);
        assert_eq!(asked(&mut w, ben, "#lobby", "!search 晚饭")[1], "21:19 [anna] anna: 晚饭吃什么");
        assert_eq!(asked(&mut w, eve, "#lobby", "!search 晚饭"), ["21:19 eve: 晚饭在上海", "1 line found"]);
        assert_eq!(asked(&mut w, anna, "#lobby", "!search 饺子 in:ben"), ["21:19 ben: 饺子", "1 line found"]);
        assert_eq!(asked(&mut w, eve, "#lobby", "!search 饺子 in:ben"), ["nothing was found"]);
        w.line(anna, "PART #lobby");
        w.drain();
        let found = ["21:19 anna: 晚饭吃什么", "1 line found"];
        assert_eq!(asked(&mut w, anna, "ben", "!search 晚饭"), found, "one need not be in any room");
    }

    #[test]
    fn a_search_ends_before_the_day_that_was_named() {
        let (mut w, [anna, ..]) = friends();
        w.now.wall_ms += 24 * 3600 * 1000;
        w.line(anna, "PRIVMSG #lobby :晚饭今天");
        w.drain();
        let found = asked(&mut w, anna, "#lobby", "!search 晚饭 before:today in:大厅");
        assert_eq!(found, ["11-20 21:19 eve: 晚饭在上海", "1 line found"]);
        assert_eq!(asked(&mut w, anna, "#lobby", "！搜索*晚饭*早于:昨天"), ["没有找到"]);
        let nonsense = asked(&mut w, anna, "#lobby", "!search a before:soon");
        assert_eq!(nonsense, ["soon is no date; write 2026-11-01, 11-01, yesterday or today"]);
    }

    #[test]
    fn a_store_that_fails_at_either_step_is_told_in_words() {
        let (mut w, [anna, ..]) = friends();
        w.asks_by_hand = true;
        for answers in [0, 1] {
            w.line(anna, "PRIVMSG #lobby :！搜索*晚饭");
            (0..answers).for_each(|_| w.answer_from_memory());
            w.answer(super::Found::Failed("disk on fire".into()));
            assert_eq!(w.said_to(anna), [":gzy.local NOTICE #lobby :聊天记录现在读不出来；过一会儿再试"]);
        }
    }
}

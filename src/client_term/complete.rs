//! What the Tab key makes of a word: nicks, rooms, commands.

use std::collections::BinaryHeap;

use crate::client::commands;
use crate::wire::name::fold;

/// Words offered for one Tab: more than anybody leafs through.
const OFFERED: usize = 100;

/// What there is to choose from.
#[derive(Clone, Default, Debug)]
pub struct Names<'a> {
    /// Nicks, the likeliest first.
    pub nicks: Vec<&'a str>,
    /// Rooms.
    pub rooms: Vec<&'a str>,
    /// Chinese commands come first.
    pub is_chinese: bool,
}

/// A word that is being completed: each Tab takes the next candidate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// Where the word starts, in bytes.
    pub from: usize,
    /// Whole words, with what follows them.
    pub words: Vec<String>,
    at: usize,
}

impl Completion {
    /// Looks at what stands in front of the cursor; `None` when nothing begins like that.
    pub fn of(text: &str, names: &Names) -> Option<Completion> {
        let is_command = text.starts_with(commands::is_mark);
        let from = text.rfind(is_between).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
        let word = &text[from..];
        let words: Vec<String> = if from == 0 && is_command {
            let (mark, begun) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            commands_for(begun, names.is_chinese).map(|name| format!("{mark}{name} ")).take(OFFERED).collect()
        } else if word.starts_with(['#', '&']) {
            names.rooms.iter().filter(|room| begins(room, word)).map(|room| format!("{room} ")).take(OFFERED).collect()
        } else if word.is_empty() && !text.ends_with(is_tilde) && !is_command {
            return None;
        } else {
            let behind = match text[..from].chars().next_back() {
                None => ": ",
                Some(c) if is_tilde(c) => "",
                Some(_) => " ",
            };
            let nicks = names.nicks.iter().filter(|nick| begins(nick, word));
            nicks.map(|nick| format!("{nick}{behind}")).take(OFFERED).collect()
        };
        (!words.is_empty()).then_some(Completion { from, words, at: 0 })
    }

    /// These words in the place of what starts there; `None` when there are none.
    pub fn with(from: usize, mut words: Vec<String>) -> Option<Completion> {
        words.truncate(OFFERED);
        (!words.is_empty()).then_some(Completion { from, words, at: 0 })
    }

    /// The candidate to show.
    pub fn word(&self) -> &str {
        &self.words[self.at]
    }

    /// To the next candidate, or to the one before.
    pub fn turn(&mut self, is_back: bool) {
        let count = self.words.len();
        self.at = (self.at + if is_back { count - 1 } else { 1 }) % count;
    }
}

fn is_tilde(c: char) -> bool {
    matches!(c, '~' | '～')
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || is_tilde(c) || matches!(c, '*' | '＊')
}

fn begins(name: &str, with: &str) -> bool {
    fold(name).starts_with(&*fold(with))
}

/// The commands that begin so, those in the user's language first, each language in alphabetical order.
fn commands_for(begun: &str, is_chinese: bool) -> impl Iterator<Item = &'static str> {
    let begun = begun.to_lowercase();
    let names = commands::all().filter(|name| name.starts_with(&begun));
    let names: BinaryHeap<_> = names.map(|name| (name.is_ascii() == is_chinese, name)).collect();
    names.into_sorted_vec().into_iter().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names<'static> {
        Names { nicks: vec!["小阳", "Ben", "小雨"], rooms: vec!["#lobby", "#茶", "#茶馆"], is_chinese: true }
    }

    fn offered(text: &str) -> Vec<String> {
        Completion::of(text, &names()).map_or(vec![], |completion| completion.words)
    }

    #[test]
    fn a_nick_is_addressed_at_the_start_and_named_elsewhere() {
        assert_eq!(offered("小"), ["小阳: ", "小雨: "]);
        assert_eq!(offered("b"), ["Ben: "]);
        assert_eq!(offered("我问 小雨"), ["小雨 "]);
        assert_eq!(offered("你好~小"), ["小阳", "小雨"]);
        assert_eq!(offered("！私聊*be"), ["Ben "]);
        assert_eq!(offered("/msg "), ["小阳 ", "Ben ", "小雨 "]);
        assert_eq!((offered(""), offered("x"), offered("好 ")), (vec![], vec![], vec![]));
    }

    #[test]
    fn rooms_and_commands_are_completed_in_both_languages() {
        assert_eq!(offered("/room #茶"), ["#茶 ", "#茶馆 "]);
        assert_eq!(offered("/rooms"), ["/rooms "]);
        assert_eq!(offered("！聊"), ["！聊天记录 "]);
        assert_eq!(offered("!HIS"), ["!history "]);
        assert!(offered("/")[0].starts_with("/主") || !offered("/")[0].is_ascii());
    }

    #[test]
    fn each_tab_takes_the_next_word_and_comes_around() {
        let mut completion = Completion::of("小", &names()).unwrap();
        completion.turn(true);
        assert_eq!(completion.word(), "小雨: ");
        completion.turn(false);
        assert_eq!((completion.from, completion.word()), (0, "小阳: "));
    }
}

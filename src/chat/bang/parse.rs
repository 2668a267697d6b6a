//! Which texts are `!` commands, and what stands behind them.

use super::words::{self, Command, Tongue};

/// A text that is a command.
#[derive(PartialEq, Eq, Debug)]
pub struct Typed<'a> {
    /// Which.
    pub command: Command,
    /// In which language it was typed.
    pub tongue: Tongue,
    /// What follows the name.
    pub rest: Rest<'a>,
}

/// What follows the name of a command; words are taken from its front.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rest<'a> {
    text: &'a str,
    /// The first separator was a star: `！私聊*小阳*在吗`.
    by_stars: bool,
}

/// Reads a text; `None` when it is ordinary talk. The name follows the `!` at once and is known, or it is talk: nobody
/// who writes `！！！` or `! really` wants a command.
///
/// A command with a password is also taken when a space got in front of it or behind the `!`: it must not be said aloud.
pub fn parse(text: &str) -> Option<Typed<'_>> {
    let strict = text.strip_prefix(is_bang).and_then(command);
    strict.or_else(|| {
        let loose = command(text.trim_start().strip_prefix(is_bang)?.trim_start())?;
        (loose.command.carries_password() && !loose.rest.text.is_empty()).then_some(loose)
    })
}

/// Reads what follows the `!`.
fn command(body: &str) -> Option<Typed<'_>> {
    let name_end = body.find(is_separator).unwrap_or(body.len());
    let (command, tongue) = words::named(&body[..name_end])?;
    let behind = &body[name_end..];
    let by_stars = behind.starts_with(is_star);
    // Only one: a further star may belong to a mask (`！封**!*@abc`).
    let text = behind.strip_prefix(is_star).unwrap_or(behind);
    Some(Typed { command, tongue, rest: Rest { text: text.trim(), by_stars } })
}

/// What a text says: the first of two bangs is there only to make it no command.
pub fn spoken(text: &str) -> &str {
    text.strip_prefix(is_bang).filter(|rest| rest.starts_with(is_bang)).unwrap_or(text)
}

impl<'a> Rest<'a> {
    /// Takes the next word; it ends at a space or at a star.
    pub fn word(&mut self) -> Option<&'a str> {
        let text = self.text.trim_start_matches(is_separator);
        self.take(text, text.find(is_separator).unwrap_or(text.len()))
    }

    /// Takes a nick or a mask. A mask has stars of its own: they end nothing where spaces are the separators, and
    /// elsewhere not when what stands before the first one can only be a mask.
    pub fn mask(&mut self) -> Option<&'a str> {
        let text = self.text.trim_start();
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let whole = &text[..end];
        let first = whole.split(is_star).next().unwrap_or(whole);
        let is_mask = whole.contains(['!', '@']) && (first.is_empty() || first.contains(['!', '@']));
        if is_mask || !self.by_stars { self.take(text, end) } else { self.word() }
    }

    fn take(&mut self, text: &'a str, end: usize) -> Option<&'a str> {
        let (word, behind) = text.split_at(end);
        // One separator belongs to the word; a second star is text (`!msg ben *waves*`).
        let mut behind = behind.chars();
        behind.next();
        self.text = behind.as_str().trim();
        (!word.is_empty()).then_some(word)
    }

    /// Everything that is left, as one text.
    pub fn text(self) -> &'a str {
        self.text
    }

    /// Everything that is left, without a star that somebody put at the end.
    pub fn name(self) -> &'a str {
        self.text.trim_matches(is_separator)
    }

    /// Everything that is left, word by word.
    pub fn words(self) -> impl Iterator<Item = &'a str> {
        self.text.split(is_separator).filter(|word| !word.is_empty())
    }
}

fn is_bang(c: char) -> bool {
    matches!(c, '!' | '！')
}

fn is_star(c: char) -> bool {
    matches!(c, '*' | '＊')
}

/// The full-width space is white space too.
pub fn is_separator(c: char) -> bool {
    is_star(c) || c.is_whitespace()
}

/// What somebody searches for, as typed.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Wanted<'a> {
    /// What must occur.
    pub words: Vec<&'a str>,
    /// Who said it.
    pub from: Option<&'a str>,
    /// Where.
    pub room: Option<&'a str>,
    /// Not before this day.
    pub since: Option<&'a str>,
    /// Before this day.
    pub before: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// Sorts words and what narrows them down; the last of a kind counts.
    pub fn parse(rest: Rest<'a>) -> Wanted<'a> {
        let mut wanted = Wanted::default();
        for word in rest.words() {
            match narrowed(word) {
                Some(("from" | "来自", who)) => wanted.from = Some(who),
                Some(("in" | "在", room)) => wanted.room = Some(room),
                Some(("since" | "从", date)) => wanted.since = Some(date),
                Some(("before" | "早于", date)) => wanted.before = Some(date),
                _ => wanted.words.push(word),
            }
        }
        wanted
    }
}

/// Splits `from:anna` and `来自：小阳`; the key comes back as it stands in the list here.
fn narrowed(word: &str) -> Option<(&'static str, &str)> {
    let (key, value) = word.split_once([':', '：'])?;
    let keys = ["from", "in", "since", "before", "来自", "在", "从", "早于"];
    let key = keys.into_iter().find(|known| known.eq_ignore_ascii_case(key))?;
    (!value.is_empty()).then_some((key, value))
}

/// A number as people type it, in half-width or full-width digits.
pub fn number(text: &str) -> Option<usize> {
    let digit = |c: char| match c {
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10),
        other => Some(other),
    };
    text.chars().map(digit).collect::<Option<String>>()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::words::{COMMANDS, Command::*, Tongue::*};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_are_recognised_in_every_way_they_are_typed() {
        let cases = [
            ("!users", Users, English, ""),
            ("！Users", Users, English, ""),
            ("!USER", Users, English, ""),
            ("!用户", Users, Chinese, ""),
            ("！用户*", Users, Chinese, ""),
            ("!users  ", Users, English, ""),
            ("！人数", HowMany, Chinese, ""),
            ("!help kick", Help, English, "kick"),
            ("！帮助*踢", Help, Chinese, "踢"),
            ("！改名*小阳", Nick, Chinese, "小阳"),
            ("！改名＊小阳", Nick, Chinese, "小阳"),
            ("！改名\u{3000}小阳", Nick, Chinese, "小阳"),
            ("!msg 小阳 hi there", Msg, English, "小阳 hi there"),
            ("！私聊*小阳*今晚 吃什么", Msg, Chinese, "小阳*今晚 吃什么"),
            ("！聊天记录*20", History, Chinese, "20"),
            ("!quit see you", Bye, English, "see you"),
            ("!ban *!*@abc.gzy", Ban, English, "*!*@abc.gzy"),
            ("！封**!*@abc.gzy", Ban, Chinese, "*!*@abc.gzy"),
            ("!register anna secret", Register, English, "anna secret"),
            ("！登录*小阳*密码", Login, Chinese, "小阳*密码"),
            ("!LOGIN", Login, English, ""),
        ];
        for (text, command, tongue, rest) in cases {
            let typed = parse(text).unwrap_or_else(|| panic!("{text} is a command"));
            assert_eq!((typed.command, typed.tongue, typed.rest.text), (command, tongue, rest), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_command_is_talk() {
        let texts = [
            "",
            "!",
            "！",
            "! users",
            "！ 用户",
            "！人数！",
            "!howmany?",
            "!usersx",
            "!!users",
            "！！用户",
            "！!help",
            "users",
            " !users",
            "!list",
            "!loginname",
            "＊用户",
            "!*users",
            "wow!help",
            "!帮 助",
        ];
        for text in texts {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn two_bangs_say_one() {
        let cases = [("!!help", "!help"), ("！！帮助", "！帮助"), ("!！a", "！a"), ("！!a", "!a"), ("!!", "!")];
        for (typed, said) in cases.into_iter().chain([("!ls", "!ls"), ("！", "！"), ("a!!", "a!!"), ("!!!", "!!")]) {
            assert_eq!(spoken(typed), said);
        }
    }

    #[test]
    fn words_end_at_spaces_and_stars_and_the_text_behind_stays_whole() {
        let cases = [
            ("!msg 小阳 hi  *there*", "小阳", "hi  *there*"),
            ("!msg 小阳 *waves*", "小阳", "*waves*"),
            ("!msg  小阳   hi", "小阳", "hi"),
            ("!msg\u{3000}小阳\u{3000}在吗", "小阳", "在吗"),
            ("！私聊*小阳*今晚 吃什么", "小阳", "今晚 吃什么"),
            ("！私聊＊小阳＊1*2=2", "小阳", "1*2=2"),
            ("！私聊**小阳* 在吗", "小阳", "在吗"),
            ("！私聊 小阳*在吗", "小阳", "在吗"),
            ("！私聊 *小阳 在吗", "小阳", "在吗"),
            ("！私聊*小阳", "小阳", ""),
            ("！私聊*小阳*", "小阳", ""),
        ];
        for (text, who, what) in cases {
            let mut rest = parse(text).unwrap().rest;
            assert_eq!((rest.word(), rest.text()), (Some(who), what), "{text}");
        }
        assert_eq!(parse("!msg").unwrap().rest.word(), None);
        assert_eq!(parse("！私聊**").unwrap().rest.word(), None);
        assert_eq!(parse("！改名*小阳*").unwrap().rest.name(), "小阳");
        assert_eq!(parse("!nick an na").unwrap().rest.name(), "an na", "so that the space can be refused");
        let words: Vec<&str> = parse("！搜索*上海 外滩＊晚饭").unwrap().rest.words().collect();
        assert_eq!(words, ["上海", "外滩", "晚饭"]);
    }

    #[test]
    fn a_mask_keeps_its_stars() {
        let cases = [
            ("!ban eve", "eve"),
            ("!ban eve* spam", "eve*"),
            ("!ban *!*@abc now", "*!*@abc"),
            ("！封*小王", "小王"),
            ("！封*小王*太吵", "小王"),
            ("！封**!*@abc", "*!*@abc"),
            ("！封*小王!*@*", "小王!*@*"),
            ("！封*小王*太吵了!", "小王"),
            ("！封 小王!*@*", "小王!*@*"),
            ("！解禁言\u{3000}小王", "小王"),
        ];
        for (text, mask) in cases {
            assert_eq!(parse(text).unwrap().rest.mask(), Some(mask), "{text}");
        }
        for text in ["!ban", "！封*", "！封**", "!unmute  "] {
            assert_eq!(parse(text).unwrap().rest.mask(), None, "{text}");
        }
    }

    #[test]
    fn a_search_is_sorted_into_words_and_what_narrows_them_down() {
        let wanted = |text| Wanted::parse(parse(text).unwrap().rest);
        let all = Wanted {
            words: vec!["上海", "茶"],
            from: Some("anna"),
            room: Some("#lobby"),
            since: Some("昨天"),
            before: None,
        };
        assert_eq!(wanted("!search 上海 from:anna 茶 IN:#lobby since:昨天"), all);
        assert_eq!(wanted("！搜索*上海*来自：anna*茶*在:#lobby*从:昨天"), all);
        let plain = Wanted { words: vec!["http://x", "from:", "12:30"], ..Wanted::default() };
        assert_eq!(wanted("!search http://x from: 12:30"), plain);
        assert_eq!(wanted("!search from:a from:b").from, Some("b"));
        assert_eq!(wanted("!search Before:today").before, Some("today"));
        assert_eq!(wanted("！搜索*早于：今天").before, Some("今天"));
    }

    #[test]
    fn numbers_come_in_two_widths() {
        for (text, wanted) in
            [("20", Some(20)), ("２０", Some(20)), ("2０", Some(20)), ("", None), ("-1", None), ("二", None)]
        {
            assert_eq!(number(text), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC*", stars in "[!！][a-z帮助封私聊]{0,3}[*＊ \u{3000}!@a阳]{0,12}") {
            for text in [text, stars] {
                if let Some(typed) = parse(&text) {
                    let (mut by_word, mut by_mask) = (typed.rest, typed.rest);
                    prop_assert!(by_word.word().is_none_or(|word| !word.contains(is_separator)));
                    prop_assert!(by_mask.mask().is_none_or(|mask| !mask.contains(char::is_whitespace)));
                }
            }
        }

        #[test]
        fn a_known_name_with_more_letters_is_talk(at in 0..COMMANDS.len(), more in "[a-z阳?！。]") {
            let name = COMMANDS[at].english.names[0];
            prop_assume!(words::named(&format!("{name}{more}")).is_none());
            let text = format!("!{name}{more}");
            prop_assert_eq!(parse(&text), None);
        }
    }
}

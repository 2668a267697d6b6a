//! How a line looks: colours, days, and what stands out.

use time::Date;

use super::reader::Item;
use crate::client::settings::Colours;
use crate::client::shown::{Deed, Said, Shown, What};
use crate::client::writer::{Writer, indent};
use crate::wire::name::fold;

/// Colours of nicks on a dark background, of the 256 that terminals know: bright, and easy to tell apart.
const ON_DARK: &[u8] = &[39, 43, 75, 78, 81, 111, 113, 141, 147, 173, 176, 179, 203, 208, 214, 220];
/// The same on a light background.
const ON_LIGHT: &[u8] = &[19, 22, 25, 28, 30, 54, 58, 88, 90, 94, 124, 125, 130, 160, 161, 166];
/// Colours that can be read on both.
const ON_EITHER: &[u8] = &[31, 32, 64, 65, 67, 71, 97, 98, 103, 131, 132, 133, 136, 166, 167, 172];
/// Where there are eight colours only: those that are neither black nor white, and not that of private talk.
const OF_EIGHT: &[u8] = &[1, 2, 3, 4, 6];

const RESET: &str = "\x1b[m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
/// Magenta: private talk.
const PRIVATE: &str = "\x1b[35m";
/// Swapped colours: it was about you.
const CALLED: &str = "\x1b[7m";

/// The colours that nicks get.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Palette {
    nicks: &'static [u8],
}

impl Palette {
    /// The palette that was asked for, or that suits the terminal. `variable` looks up the environment.
    pub fn of_environment(asked: Colours, variable: impl Fn(&str) -> Option<String>) -> Option<Palette> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        let is_wanted = match asked {
            Colours::On => true,
            Colours::Off => false,
            // https://no-color.org: set to anything.
            Colours::Auto => set("NO_COLOR").is_none() && term != "dumb" && !term.starts_with("vt"),
        };
        let has_many = term.contains("256") || set("COLORTERM").is_some() || term.is_empty();
        // rxvt, Konsole and others say "15;0": the last number is the background, 7 and from 9 up are light.
        let background = set("COLORFGBG").and_then(|value| value.rsplit(';').next()?.parse::<u8>().ok());
        let nicks = match background {
            _ if !has_many => OF_EIGHT,
            Some(7 | 9..=15) => ON_LIGHT,
            Some(_) => ON_DARK,
            None => ON_EITHER,
        };
        is_wanted.then_some(Palette { nicks })
    }

    /// The colour of a nick: the same every day and for everybody (FNV-1a).
    fn of(self, nick: &str) -> String {
        let hash = fold(nick).bytes().fold(0x811c_9dc5_u32, |hash, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193));
        let colour = self.nicks[hash as usize % self.nicks.len()];
        if colour < 8 { format!("\x1b[3{colour}m") } else { format!("\x1b[38;5;{colour}m") }
    }
}

/// Makes lines for a person at a terminal.
#[derive(Clone, Debug)]
pub struct Painter {
    /// What the lines say.
    pub writer: Writer,
    palette: Option<Palette>,
    /// The day of the last line.
    day: Option<Date>,
}

impl Painter {
    /// A painter with these colours, or without any.
    pub fn new(writer: Writer, palette: Option<Palette>) -> Painter {
        Painter { writer, palette, day: None }
    }

    /// Whether there are colours.
    pub fn is_colourful(&self) -> bool {
        self.palette.is_some()
    }

    /// The lines for something to show: the day where another one begins, and the line itself. `nick` is the user's.
    pub fn lines(&mut self, shown: &Shown, now_ms: u64, nick: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let day = self.writer.day(shown.at_ms);
        if self.day.replace(day).unwrap_or_else(|| self.writer.day(now_ms)) != day {
            let text = format!("── {:04}-{:02}-{:02} ──", day.year(), u8::from(day.month()), day.day());
            lines.push(self.styled(DIM, &text));
        }
        lines.extend(self.said(shown, nick));
        lines
    }

    /// The same for a page of its own, which begins with its first day.
    pub fn for_a_page(&self) -> Painter {
        Painter { day: None, ..self.clone() }
    }

    /// The lines for a piece of what is read again.
    pub fn item(&mut self, item: &Item, nick: &str) -> Vec<String> {
        match item {
            // What is read again is never from today alone.
            Item::Line(shown) => self.lines(shown, 0, nick),
            Item::Found(shown) => self.elsewhere(shown).said(shown, nick),
            Item::Context(shown) => {
                let painter = self.elsewhere(shown);
                let lines = Painter { palette: None, ..painter }.said(shown, nick);
                lines.iter().map(|line| self.styled(DIM, line)).collect()
            }
            Item::Heading(text) => vec![String::new(), self.styled(BOLD, text)],
        }
    }

    /// For a line whose conversation needs no mention.
    fn elsewhere(&self, shown: &Shown) -> Painter {
        let current = shown.room.clone().unwrap_or_default();
        Painter { writer: Writer { current, ..self.writer.clone() }, ..self.clone() }
    }

    /// What the client itself says.
    pub fn own_words(&self, text: &str) -> String {
        self.styled(DIM, &format!("· {text}"))
    }

    /// What somebody said, or what happened. The lines of a message stand under each other.
    fn said(&self, shown: &Shown, nick: &str) -> Vec<String> {
        let parts = self.writer.parts(shown);
        let clock = self.writer.clock(shown.at_ms);
        let mut line = self.styled(DIM, &clock);
        if let Some(room) = &parts.room {
            line.push(' ');
            line.push_str(&self.styled(DIM, room));
        }
        line.push(' ');
        let What::Said(said) = &shown.what else {
            let style = match &shown.what {
                What::Shared(shared) if shared.with.is_some() => PRIVATE,
                What::Shared(shared) if shared.deed == Deed::Brought => "",
                what if is_important(what) => BOLD,
                _ => DIM,
            };
            line.push_str(&self.styled(style, &format!("{}{}", parts.before, parts.text)));
            return vec![line];
        };
        let style = match self.palette {
            _ if said.own => BOLD.to_owned(),
            Some(palette) => palette.of(&said.who),
            None => String::new(),
        };
        line.push_str(parts.before);
        line.push_str(&self.styled(if calls(said, nick) { CALLED } else { "" }, &self.styled(&style, &parts.who)));
        line.push_str(parts.between);
        let style = match said {
            Said { with: Some(_), .. } => PRIVATE,
            Said { is_notice: true, .. } => DIM,
            said if calls(said, nick) => BOLD,
            _ => "",
        };
        let room = parts.room.as_ref().map_or_else(String::new, |room| format!(" {room}"));
        let indent = indent(&format!("{clock}{room} {}{}{}", parts.before, parts.who, parts.between));
        let mut texts = parts.text.split('\n');
        line.push_str(&self.styled(style, texts.next().unwrap_or_default()));
        let under = texts.map(|text| format!("{indent}{}", self.styled(style, text)).trim_end().to_owned());
        std::iter::once(line).chain(under).collect()
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.palette.is_none() || style.is_empty() || text.is_empty() {
            return text.to_owned();
        }
        format!("{style}{text}{RESET}")
    }
}

/// Whether a message wants the attention of the user of this nick: it was said to them alone, or names them. What was said earlier does not.
pub fn calls(said: &Said, nick: &str) -> bool {
    !said.own && !said.history && !said.is_notice && (said.with.is_some() || names(&said.text, nick))
}

/// Whether a text names somebody. Latin names have to be words of their own; Chinese is written without gaps.
fn names(text: &str, nick: &str) -> bool {
    let (text, nick) = (fold(text), fold(nick));
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let (first, last) = (is_letter(nick.chars().next()), is_letter(nick.chars().next_back()));
    !nick.is_empty()
        && text.match_indices(&*nick).any(|(at, _)| {
            let (before, after) = (text[..at].chars().next_back(), text[at + nick.len()..].chars().next());
            !(first && is_letter(before) || last && is_letter(after))
        })
}

/// What a person has to see even when they look elsewhere.
fn is_important(what: &What) -> bool {
    matches!(
        what,
        What::Invited { .. }
            | What::InvitedTo { .. }
            | What::Refused { .. }
            | What::Kicked { .. }
            | What::KeyAccepted { .. }
    )
}

#[cfg(test)]
mod tests {
    use time::UtcOffset;

    use super::*;
    use crate::client::words::Language;

    const NOON_MS: u64 = 1_795_180_761_007; // 2026-11-20T13:19:21Z
    const DAY_MS: u64 = 86_400_000;

    fn painter(palette: Option<Palette>) -> Painter {
        Painter::new(Writer { language: Language::Zh, offset: UtcOffset::UTC, current: "#lobby".into() }, palette)
    }

    fn message(text: &str) -> Said {
        Said { who: "ben".into(), text: text.into(), ..Said::default() }
    }

    fn shown(said: Said, at_ms: u64) -> Shown {
        Shown { at_ms, room: Some("#lobby".into()).filter(|_| said.with.is_none()), what: What::Said(said) }
    }

    fn one(said: Said) -> String {
        painter(Some(Palette { nicks: &[6] })).lines(&shown(said, NOON_MS), NOON_MS, "小阳").join("|")
    }

    #[test]
    fn talk_private_talk_and_what_is_about_me_look_different() {
        assert_eq!(one(message("你好")), "\x1b[2m13:19\x1b[m \x1b[36mben\x1b[m: 你好");
        let private = Said { with: Some("ben".into()), history: true, ..message("嘘") };
        assert_eq!(one(private), "\x1b[2m13:19\x1b[m \x1b[36mben → 我\x1b[m: \x1b[35m嘘\x1b[m");
        let called = one(message("问小阳吧"));
        assert_eq!(called, "\x1b[2m13:19\x1b[m \x1b[7m\x1b[36mben\x1b[m\x1b[m: \x1b[1m问小阳吧\x1b[m");
        let own = one(Said { own: true, ..message("我是小阳") });
        assert_eq!(own, "\x1b[2m13:19\x1b[m \x1b[1mben\x1b[m: 我是小阳");
    }

    #[test]
    fn without_colours_there_is_not_one_escape() {
        let mut painter = painter(None);
        let lines = painter.lines(&shown(message("问小阳吧"), NOON_MS), NOON_MS, "小阳");
        assert_eq!(lines, ["13:19 ben: 问小阳吧"]);
        let notice = Shown { at_ms: NOON_MS, room: None, what: What::Notice("\x1b[2J欢迎".into()) };
        assert_eq!(painter.lines(&notice, NOON_MS, "小阳"), ["13:19 · ␛[2J欢迎"]);
    }

    #[test]
    fn a_poem_stands_line_under_line_in_the_colour_of_its_kind() {
        let poem = message("床前\n\n明月");
        assert_eq!(one(poem.clone()), "\x1b[2m13:19\x1b[m \x1b[36mben\x1b[m: 床前||           明月");
        let private = one(Said { with: Some("ben".into()), ..poem });
        assert!(private.ends_with("\x1b[35m床前\x1b[m||                \x1b[35m明月\x1b[m"), "{private:?}");
        let notice = Shown { at_ms: NOON_MS, room: None, what: What::Notice("一\n二".into()) };
        assert_eq!(painter(None).lines(&notice, NOON_MS, ""), ["13:19 · 一␊二"]);
    }

    #[test]
    fn a_line_says_which_day_begins() {
        let mut painter = painter(None);
        let mut at = |at_ms| painter.lines(&shown(message("x"), at_ms), NOON_MS, "");
        assert_eq!(at(NOON_MS - DAY_MS), ["── 2026-11-19 ──", "13:19 ben: x"]);
        assert_eq!(at(NOON_MS - DAY_MS), ["13:19 ben: x"]);
        assert_eq!(at(NOON_MS), ["── 2026-11-20 ──", "13:19 ben: x"]);
        assert_eq!(at(NOON_MS), ["13:19 ben: x"]);
    }

    #[test]
    fn strangers_cannot_paint() {
        let evil = Said { who: "e\x1b[2Jve".into(), text: "\x1b]0;x\x07".into(), ..Said::default() };
        let painted = one(evil);
        assert!(!painted.contains("\x1b[2J") && !painted.contains("\x1b]") && !painted.contains('\x07'), "{painted:?}");
    }

    #[test]
    fn a_name_is_found_where_it_is_a_name() {
        for text in ["小阳你好", "问小阳吧", "小阳"] {
            assert!(names(text, "小阳"), "{text}");
        }
        for text in ["anna: hi", "hi ANNA!", "你好anna"] {
            assert!(names(text, "anna"), "{text}");
        }
        assert!(!names("annabel, joanna", "anna") && !names("小小阳光", "") && names("a+anna", "anna"));
        assert!(!calls(&Said { history: true, ..message("小阳") }, "小阳"));
    }

    #[test]
    fn the_environment_chooses_the_colours() {
        let palette = |asked, set: &[(&str, &str)]| {
            let find = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            Palette::of_environment(asked, find).map(|palette| palette.nicks)
        };
        assert_eq!(palette(Colours::Auto, &[("TERM", "xterm-256color")]), Some(ON_EITHER));
        assert_eq!(
            palette(Colours::Auto, &[("TERM", "xterm-256color"), ("COLORFGBG", "0;default;15")]),
            Some(ON_LIGHT)
        );
        assert_eq!(palette(Colours::Auto, &[("TERM", "rxvt-256color"), ("COLORFGBG", "15;0")]), Some(ON_DARK));
        assert_eq!(palette(Colours::Auto, &[("TERM", "linux")]), Some(OF_EIGHT));
        for none in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "vt220")] {
            assert_eq!(palette(Colours::Auto, &[none]), None);
        }
        assert_eq!(palette(Colours::On, &[("NO_COLOR", "1"), ("TERM", "dumb")]), Some(OF_EIGHT));
        assert_eq!(palette(Colours::Off, &[("TERM", "xterm-256color")]), None);
    }
}

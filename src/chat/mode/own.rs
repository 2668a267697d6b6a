//! MODE of oneself: invisible (`i`), operator (`o`), wallops (`w`), bot (`B`).

use crate::wire::reply::*;

use super::super::Session;
use super::super::join::clip_word;
use super::super::turn::Turn;
use super::change::{Asked, Change, asked, told};

/// Every user mode with whether it is on, in the order in which they are shown.
fn modes_of(session: &Session) -> [(char, bool); 4] {
    [('B', session.bot), ('i', session.invisible), ('o', session.operator), ('w', session.wants_wallops)]
}

impl Session {
    /// The user modes that are on, as RPL_UMODEIS shows them (`+iw`).
    pub fn modes_text(&self) -> String {
        let letters = modes_of(self).into_iter().filter(|(_, on)| *on).map(|(letter, _)| letter);
        std::iter::once('+').chain(letters).collect()
    }
}

impl Turn<'_> {
    /// `MODE <own nick> [<modes>]`
    pub(in crate::chat) fn own_mode(&mut self, target: &str, modes: &str) {
        let Some(meant) = self.chat.session_named(target) else {
            return self.numeric(ERR_NOSUCHNICK, &[clip_word(target)], "nobody of that name is here");
        };
        if meant.nick != self.session().nick {
            return self.numeric(ERR_USERSDONTMATCH, &[], "you can see and change only your own modes");
        }
        if modes.is_empty() {
            let text = self.session().modes_text();
            return self.bare_numeric(RPL_UMODEIS, &[&text]);
        }
        let before = modes_of(self.session());
        let unknown = asked(modes, &[], |_, _| false).into_iter().filter(|asked| !self.set_own(*asked)).count();
        if unknown > 0 {
            let sentence = "there is a mode in that line that GZY does not know; it knows B, i, o and w";
            self.numeric(ERR_UMODEUNKNOWNFLAG, &[], sentence);
        }
        self.tell_own_changes(before);
    }

    /// Sets one mode; false when there is none of that letter. Nobody becomes an operator this way, and that is refused silently, as RFC 2812 asks.
    fn set_own(&mut self, asked: Asked) -> bool {
        match asked.letter {
            'B' => self.session_mut().bot = asked.on,
            'i' => self.set_invisible(asked.on),
            'w' => self.session_mut().wants_wallops = asked.on,
            'o' if asked.on => {}
            'o' => self.set_operator(false),
            _ => return false,
        }
        true
    }

    fn tell_own_changes(&mut self, before: [(char, bool); 4]) {
        let nick = self.session().nick.clone();
        let after = modes_of(self.session()).into_iter().zip(before);
        let changed = after.filter(|(is, was)| is != was);
        let changes: Vec<Change> = changed.map(|((letter, on), _)| Change { on, letter, param: None }).collect();
        for text in told(&changes, usize::MAX) {
            let event = self.my_event(format_args!("MODE {} {text}", nick.as_str()), None);
            self.reply_event(&event, "");
        }
        if changes.iter().any(|change| change.letter == 'o') {
            self.log(format!("{} is no operator from here on", nick.as_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;

    #[test]
    fn own_modes_are_set_taken_and_shown() {
        let mut w = World::new();
        let 小阳 = w.join("小阳");
        assert_eq!(w.ask(小阳, "MODE 小阳"), [":gzy.local 221 小阳 +"]);
        let me = w.source(小阳);
        assert_eq!(w.ask(小阳, "MODE 小阳 +iw"), [format!(":{me} MODE 小阳 +iw")]);
        assert_eq!(w.ask(小阳, "MODE 小阳 +i"), [""; 0]);
        assert_eq!(w.ask(小阳, "MODE 小阳 +B-w"), [format!(":{me} MODE 小阳 +B-w")]);
        assert_eq!(w.ask(小阳, "MODE 小阳"), [":gzy.local 221 小阳 +Bi"]);
        assert_eq!(w.ask(小阳, "MODE 小阳 -i+i-i"), [format!(":{me} MODE 小阳 -i")]);
        assert_eq!(w.ask(小阳, "MODE 小阳 +i-i"), [""; 0], "nothing is different from before");
    }

    #[test]
    fn what_a_bot_says_is_marked() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", "message-tags");
        let helper = w.join("helper");
        w.line(helper, "MODE helper +B");
        w.line(helper, "JOIN #lobby");
        w.line(helper, "NOTICE anna :整点了");
        let said = w.said_to(anna);
        assert!(said[0].starts_with("@msgid=") && said[0].contains(";bot :helper!"), "{said:?}");
    }

    #[test]
    fn an_operator_can_step_down_and_nobody_can_step_up() {
        let mut w = World::new();
        let anna = w.join("anna");
        assert_eq!(w.ask(anna, "MODE anna +o"), [""; 0]);
        assert!(!w.session(anna).operator);
        w.make_operator(anna);
        assert_eq!(w.ask(anna, "MODE anna"), [":gzy.local 221 anna +o"]);
        assert_eq!(w.ask(anna, "MODE anna -o"), [format!(":{} MODE anna -o", w.source(anna))]);
        assert!(!w.session(anna).operator);
        assert_eq!(w.log.last().map(String::as_str), Some("anna is no operator from here on"));
    }

    #[test]
    fn unknown_letters_other_people_and_nobody_are_refused() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.join("小阳");
        assert_eq!(
            w.ask(anna, "MODE anna +xiy"),
            [
                ":gzy.local 501 anna :there is a mode in that line that GZY does not know; it knows B, i, o and w"
                    .into(),
                format!(":{} MODE anna +i", w.source(anna)),
            ]
        );
        assert_eq!(w.ask(anna, "MODE 小阳"), [":gzy.local 502 anna :you can see and change only your own modes"]);
        assert_eq!(w.ask(anna, "MODE 小阳 +i"), [":gzy.local 502 anna :you can see and change only your own modes"]);
        assert_eq!(w.ask(anna, "MODE 无人 +i"), [":gzy.local 401 anna 无人 :nobody of that name is here"]);
    }
}

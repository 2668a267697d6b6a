//! MONITOR: being told when somebody comes or goes (IRCv3 monitor).

use std::fmt::Write;

use crate::wire::limits::MONITOR_NAMES;
use crate::wire::line::{Line, clip};
use crate::wire::name::{Key, NAME_BYTES, Nick};
use crate::wire::reply::*;

use super::join::clip_word;
use super::turn::{Turn, pack};
use super::{Chat, ConnId, Effect, SERVER_NAME};

/// Bytes of the names in one refusal: with the longest nick and the sentence they fit a classic line.
const REFUSED_BYTES: usize = 350;

impl Turn<'_> {
    /// `MONITOR +|- <nick>{,<nick>}`, `MONITOR C|L|S`
    pub(super) fn monitor(&mut self, line: &Line) {
        let names = || line.param(1).unwrap_or("").split(',').filter(|name| !name.is_empty());
        match line.params()[0] {
            "+" => self.watch(names()),
            "-" => names().for_each(|name| self.unwatch(&Key::of(name))),
            "C" | "c" => self.chat.forget_watching(self.me),
            "L" | "l" => {
                let list: Vec<String> =
                    self.session().monitored().iter().map(|nick| nick.as_str().to_owned()).collect();
                if !list.is_empty() {
                    self.packed_numeric(RPL_MONLIST, &[], &list, ',');
                }
                self.numeric(RPL_ENDOFMONLIST, &[], "End of MONITOR list");
            }
            "S" | "s" => {
                let list: Vec<String> =
                    self.session().monitored().iter().map(|nick| nick.as_str().to_owned()).collect();
                self.show_who_is_here(&list);
            }
            other => {
                self.fail(
                    "MONITOR",
                    "INVALID_PARAMS",
                    &[clip_word(other)],
                    "MONITOR takes + and - with nicks, C, L and S",
                );
            }
        }
    }

    fn watch<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        let (mut watched, mut refused) = (Vec::new(), Vec::new());
        for name in names {
            let full = self.session().monitored().len() >= MONITOR_NAMES;
            match Nick::parse(name) {
                Ok(nick) if self.session().monitored().iter().all(|other| other.key() != nick.key()) => {
                    if full {
                        refused.push(nick.as_str().to_owned());
                        continue;
                    }
                    watched.push(nick.as_str().to_owned());
                    self.chat.watchers.entry(nick.key()).or_default().push(self.me);
                    self.session_mut().monitored_mut().push(nick);
                }
                // Watched already; or nobody can ever have that name, so there is nothing to watch.
                Ok(_) | Err(_) => watched.push(clip(name, NAME_BYTES).to_owned()),
            }
        }
        self.show_who_is_here(&watched);
        if !refused.is_empty() {
            let limit = MONITOR_NAMES.to_string();
            for names in pack(&refused, ',', REFUSED_BYTES) {
                self.numeric(ERR_MONLISTFULL, &[&limit, &names], "Monitor list is full.");
            }
        }
    }

    fn unwatch(&mut self, key: &Key) {
        let me = self.me;
        self.chat.drop_watcher(key, me);
        self.session_mut().monitored_mut().retain(|nick| nick.key() != *key);
    }

    fn show_who_is_here(&mut self, names: &[String]) {
        let (mut here, mut gone) = (Vec::new(), Vec::new());
        for name in names {
            match self.chat.session_named(name) {
                Some(person) => here.push(person.source().to_owned()),
                None => gone.push(name.clone()),
            }
        }
        for (code, names) in [(RPL_MONONLINE, here), (RPL_MONOFFLINE, gone)] {
            if !names.is_empty() {
                self.packed_numeric(code, &[], &names, ',');
            }
        }
    }
}

impl Chat {
    /// Takes a session out of the table of watchers, and empties its list.
    pub(super) fn forget_watching(&mut self, conn: ConnId) {
        let Some(session) = self.session_mut(conn).filter(|session| !session.monitored().is_empty()) else { return };
        for nick in std::mem::take(session.monitored_mut()) {
            self.drop_watcher(&nick.key(), conn);
        }
    }

    fn drop_watcher(&mut self, key: &Key, conn: ConnId) {
        let Some(watchers) = self.watchers.get_mut(key) else { return };
        watchers.retain(|watcher| *watcher != conn);
        if watchers.is_empty() {
            self.watchers.remove(key);
        }
    }

    /// Tells those who watch a nick that it has come. The session has the nick already.
    pub(super) fn tell_watchers_here(&self, nick: &Nick, effects: &mut Vec<Effect>) {
        if let Some(person) = self.session_named(nick.as_str()) {
            self.tell_watchers(nick, RPL_MONONLINE, person.source(), effects);
        }
    }

    /// Tells those who watch a nick that it has gone.
    pub(super) fn tell_watchers_gone(&self, nick: &Nick, effects: &mut Vec<Effect>) {
        self.tell_watchers(nick, RPL_MONOFFLINE, nick.as_str(), effects);
    }

    fn tell_watchers(&self, nick: &Nick, code: Numeric, shown: &str, effects: &mut Vec<Effect>) {
        let Some(watchers) = self.watchers.get(&nick.key()) else { return };
        for watcher in watchers.iter().filter_map(|conn| self.session(*conn)) {
            let mut lines = String::new();
            let _ = write!(lines, ":{SERVER_NAME} {} {} :{shown}\r\n", code.0, watcher.nick.as_str());
            effects.push(Effect::Send { to: watcher.conn, lines });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;

    #[test]
    fn a_watcher_is_told_who_comes_and_goes() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "PART #lobby");
        w.drain();
        assert_eq!(w.ask(anna, "MONITOR + 小阳,Ben"), [":gzy.local 731 anna :小阳,Ben"]);
        let 小阳 = w.join("小明");
        assert_eq!(w.said_to(anna), [""; 0]);
        w.line(小阳, "NICK 小阳");
        assert_eq!(w.said_to(anna), [format!(":gzy.local 730 anna :{}", w.source(小阳))]);
        assert_eq!(
            w.ask(anna, "MONITOR S"),
            [format!(":gzy.local 730 anna :{}", w.source(小阳)), ":gzy.local 731 anna :Ben".into(),]
        );
        w.line(小阳, "NICK 小明");
        assert_eq!(w.said_to(anna), [":gzy.local 731 anna :小阳"]);
        w.line(小阳, "NICK ben");
        assert_eq!(w.said_to(anna), [format!(":gzy.local 730 anna :{}", w.source(小阳))], "letter case does not count");
        w.line(小阳, "NICK BEN");
        assert_eq!(w.said_to(anna), [""; 0], "and is no coming or going");
        w.lose(小阳);
        assert_eq!(w.said_to(anna), [":gzy.local 731 anna :BEN"]);
    }

    #[test]
    fn whoever_has_not_finished_coming_in_is_not_here() {
        let mut w = World::new();
        let anna = w.join("anna");
        let 小阳 = w.connect();
        w.line(小阳, "NICK 小阳");
        assert_eq!(w.ask(anna, "MONITOR + 小阳"), [":gzy.local 731 anna :小阳"]);
        w.lose(小阳);
        assert_eq!(w.said_to(anna), [""; 0]);
    }

    #[test]
    fn the_list_is_shown_shortened_and_emptied() {
        let mut w = World::new();
        let anna = w.join("anna");
        let end = ":gzy.local 733 anna :End of MONITOR list";
        assert_eq!(w.ask(anna, "MONITOR L"), [end]);
        w.line(anna, "MONITOR + 小阳,ben,小红");
        w.line(anna, "MONITOR + BEN");
        w.drain();
        assert_eq!(w.ask(anna, "MONITOR L"), [":gzy.local 732 anna :小阳,ben,小红", end]);
        assert_eq!(w.ask(anna, "MONITOR - 小阳,Ben,eve"), [""; 0]);
        assert_eq!(w.ask(anna, "monitor l"), [":gzy.local 732 anna :小红", end]);
        assert_eq!(w.ask(anna, "MONITOR C"), [""; 0]);
        assert_eq!(w.ask(anna, "MONITOR L"), [end]);
        assert_eq!(w.ask(anna, "MONITOR S"), [""; 0]);
        w.join("小红");
        w.line(anna, "PART #lobby");
        assert!(w.said_to(anna).iter().all(|line| !line.contains(" 730 ")), "nobody is watched");
        assert!(w.chat.watchers.is_empty());
    }

    #[test]
    fn the_list_has_an_end() {
        let mut w = World::new();
        let anna = w.join("anna");
        for at in 0..MONITOR_NAMES {
            w.line(anna, &format!("MONITOR + 同学{at}"));
        }
        w.drain();
        assert_eq!(
            w.ask(anna, "MONITOR + 小阳,同学3,ben"),
            [":gzy.local 731 anna :同学3", ":gzy.local 734 anna 100 小阳,ben :Monitor list is full.",]
        );
        let many: Vec<String> = (0..300).map(|at| format!("路人{at}")).collect();
        let refused = w.ask(anna, &format!("MONITOR + {}", many.join(",")));
        assert_eq!(refused.iter().map(|line| line.matches("路人").count()).sum::<usize>(), 300);
        let listed = w.ask(anna, "MONITOR L");
        assert!(listed.len() > 2, "in lines that fit");
        assert_eq!(listed.iter().map(|line| line.matches("同学").count()).sum::<usize>(), MONITOR_NAMES);
    }

    #[test]
    fn a_watcher_who_leaves_leaves_nothing_behind() {
        let mut w = World::new();
        let (anna, ben) = (w.join("anna"), w.join("ben"));
        w.line(anna, "MONITOR + 小阳,ben");
        w.line(ben, "MONITOR + 小阳,ben");
        w.line(anna, "QUIT");
        assert_eq!(w.chat.watchers.len(), 2);
        w.lose(ben);
        assert!(w.chat.watchers.is_empty());
        let 小阳 = w.join("小阳");
        assert_eq!(小阳.slot, anna.slot, "and whoever gets the slot is not told");
        assert_eq!(w.said_to(小阳), [""; 0]);
    }

    #[test]
    fn a_name_that_nobody_can_have_is_not_here_and_not_watched() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", "standard-replies");
        assert_eq!(w.ask(anna, "MONITOR + 12345"), [":gzy.local 731 anna :12345"]);
        assert!(w.chat.watchers.is_empty());
        let sentence = ":gzy.local FAIL MONITOR INVALID_PARAMS X :MONITOR takes + and - with nicks, C, L and S";
        assert_eq!(w.ask(anna, "MONITOR X"), [sentence]);
        assert_eq!(w.ask(anna, "MONITOR +"), [""; 0]);
    }
}

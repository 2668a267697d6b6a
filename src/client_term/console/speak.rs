//! Saying something: where it goes, and what is not said because it was most likely a slip.

use super::places::Expected;
use super::*;

impl Console {
    /// Says something where the user is, unless it is most likely a slip of the fingers.
    pub(super) fn say(&mut self, now_ms: u64, text: &str) {
        let name = commands::name_in(text).filter(|_| self.front != Front::Script && !text.contains('\n'));
        if let Some(near) = name.as_deref().and_then(commands::slip_of) {
            let end = text.find(|c: char| c.is_whitespace() || matches!(c, '*' | '＊')).unwrap_or(text.len());
            return self.tell(&Saying::NearlyACommand(&text[..end], near));
        }
        // Who comes into a group wants to talk there. Who makes one is told its number first.
        if name.is_some_and(|name| matches!(&*name, "join" | "加群")) {
            self.expects_room = Some(Expected::Bare);
        }
        self.send(now_ms, None, text);
    }

    pub(super) fn send(&mut self, now_ms: u64, to: Option<Box<str>>, text: &str) {
        self.next_key += 1;
        self.open.insert(self.next_key, now_ms);
        let elsewhere = fold(self.current()) != fold(self.view.home());
        let target = to.or_else(|| elsewhere.then(|| self.current().into()));
        if self.front == Front::Screen && self.is_up && !self.features().gives_receipts() {
            self.show_own(now_ms, target.as_deref().unwrap_or(self.view.home()).into(), text);
        }
        self.commands.push_back(Command::Say { key: self.next_key, target, text: text.into() });
    }

    /// Shows what was typed where the server does not send it back.
    fn show_own(&mut self, now_ms: u64, target: Box<str>, text: &str) {
        let is_room = self.features().is_room(&target);
        let with = (!is_room).then(|| target.clone());
        let said = Said { who: self.view.nick().into(), text: text.into(), with, own: true, ..Said::default() };
        self.show(now_ms, Shown { at_ms: now_ms, room: is_room.then_some(target), what: What::Said(said) });
    }
}

//! What a typed line makes a console do.

use super::*;
use crate::client::account::Secret;

impl Console {
    pub(super) fn understood(&mut self, now_ms: u64, typed: Typed, line: &str) {
        match typed {
            Typed::Nothing => {}
            Typed::AskTo if self.front != Front::Script => {
                self.asking = Asking::Who;
                self.ask();
            }
            Typed::Say(text) => self.say(now_ms, &text),
            // A script is asked nothing.
            Typed::AskTo => self.send(now_ms, None, line),
            Typed::To { who, text } => self.send(now_ms, Some(who), &text),
            Typed::Nick(nick) => self.commands.push_back(Command::Nick(nick)),
            Typed::Join(room) => self.join(now_ms, room),
            Typed::Part(room) => self.part(room),
            Typed::Room(name) => self.change_to(now_ms, &name),
            Typed::Query(who) => {
                self.talks.open(&who, false);
                self.talk_to(now_ms, who);
            }
            Typed::Rooms => self.list_talks(),
            Typed::Clear => self.print.push_back(Print::Cleared),
            Typed::Help(question) => {
                if self.front == Front::Screen {
                    self.tell(&Saying::Keys);
                }
                self.send(now_ms, None, &question);
            }
            Typed::Account(wanted, name, password) => self.account_typed(wanted, name, password),
            Typed::Password(password, line) => {
                self.commands.push_back(Command::ChangePassword(Secret(password), line));
            }
            Typed::Files(wish, line) => self.file_wish(now_ms, wish, &line),
            Typed::Forget => {
                self.kept_login = None;
                self.errands.push_back(Errand::ForgetLogin);
            }
            Typed::Search(words, _) if self.search(now_ms, &words) => {}
            Typed::Search(_, line) => self.send(now_ms, None, &line),
            Typed::Quit => self.quit(),
            Typed::Usage(how) => self.tell(&Saying::Usage(how)),
            Typed::Unknown(name, near) => self.tell(&Saying::UnknownCommand(&name, near)),
        }
    }

    pub(super) fn nick_typed(&mut self, typed: &str, free: Option<Box<str>>) {
        let chosen = match (Nick::parse(typed), &free) {
            (Ok(nick), _) => Box::from(nick.as_str()),
            (Err(_), Some(free)) if typed.is_empty() => free.clone(),
            (Err(why), _) => {
                self.tell(&Saying::BadNick(why));
                self.asking = Asking::Nick(free);
                return self.ask();
            }
        };
        self.commands.push_back(Command::Nick(chosen));
    }
}

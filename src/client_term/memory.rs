//! What a terminal keeps of a visit for the next one: the server, the nick, the login.

use super::console::{Console, Errand, Print};
use crate::client::Event;
use crate::client::start::Start;

/// Where it is kept; nowhere when nobody sits at the terminal.
pub struct Memory<'a> {
    start: Option<&'a mut Start>,
    is_noted: bool,
}

impl<'a> Memory<'a> {
    /// For a user, or for a script.
    pub fn new(start: Option<&'a mut Start>) -> Memory<'a> {
        Memory { start, is_noted: false }
    }

    /// Notes the server and the nick of the first welcome: a nick that a broken link forces on the user is not what they chose.
    pub fn happened(&mut self, event: &Event, console: &mut Console) {
        if let (Event::In { nick, .. }, Some(start), false) = (event, &mut self.start, self.is_noted) {
            self.is_noted = true;
            if let Err(sentence) = start.logged_in(nick) {
                console.print.push_back(Print::Failure(sentence));
            }
        }
    }

    /// Does what the console wants kept or forgotten.
    pub fn run_errands(&mut self, console: &mut Console) {
        while let Some(errand) = console.errands.pop_front() {
            let Some(start) = &mut self.start else { continue };
            let outcome = match errand {
                Errand::KeepLogin(login) => start.keep_login(&login),
                Errand::ForgetLogin => start.forget_login(),
            };
            let (Ok(sentence) | Err(sentence)) = outcome;
            console.tell_words(&sentence);
        }
    }
}

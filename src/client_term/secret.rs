//! Asking for a password before there is a screen: what is typed is not shown.

use std::io::{self, Write};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal;

use crate::wire::limits::SASL_BYTES;

/// A password being typed.
#[derive(Default)]
struct Typing {
    text: String,
}

/// What a key led to.
#[derive(PartialEq, Eq, Debug)]
enum Typed {
    /// There is more to come.
    More,
    /// The password is complete.
    Done,
    /// Nobody wants to type one.
    Abandoned,
}

impl Typing {
    fn pressed(&mut self, key: KeyEvent) -> Typed {
        let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL) && !key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            _ if key.kind == KeyEventKind::Release => {}
            KeyCode::Enter => return Typed::Done,
            KeyCode::Char('j' | 'm') if is_ctrl => return Typed::Done,
            KeyCode::Char('c' | 'd') if is_ctrl => return Typed::Abandoned,
            KeyCode::Esc => return Typed::Abandoned,
            KeyCode::Char('u') if is_ctrl => self.text.clear(),
            KeyCode::Char('h') if is_ctrl => drop(self.text.pop()),
            KeyCode::Backspace => drop(self.text.pop()),
            KeyCode::Char(c) if !is_ctrl && self.text.len() < SASL_BYTES => self.text.push(c),
            _ => {}
        }
        Typed::More
    }
}

/// Asks at the terminal. `None` when nobody wants to type one, or there is no terminal.
pub fn ask(question: &str) -> Option<String> {
    // The answer of a script's run may be piped somewhere; the question is for who sits there.
    let mut out = io::stderr();
    write!(out, "{question}").and_then(|()| out.flush()).ok()?;
    terminal::enable_raw_mode().ok()?;
    let typed = read();
    let _ = terminal::disable_raw_mode();
    let _ = writeln!(out);
    typed
}

fn read() -> Option<String> {
    let mut typing = Typing::default();
    loop {
        if let Event::Key(key) = crossterm::event::read().ok()? {
            match typing.pressed(key) {
                Typed::More => {}
                Typed::Done => return Some(typing.text),
                Typed::Abandoned => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(typing: &mut Typing, code: KeyCode, modifiers: KeyModifiers) -> Typed {
        typing.pressed(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn a_password_is_typed_and_corrected_and_done() {
        let mut typing = Typing::default();
        for c in "口令x".chars() {
            assert_eq!(press(&mut typing, KeyCode::Char(c), KeyModifiers::NONE), Typed::More);
        }
        press(&mut typing, KeyCode::Backspace, KeyModifiers::NONE);
        assert_eq!((press(&mut typing, KeyCode::Enter, KeyModifiers::NONE), &*typing.text), (Typed::Done, "口令"));
        press(&mut typing, KeyCode::Char('u'), KeyModifiers::CONTROL);
        assert_eq!(typing.text, "");
        assert_eq!(press(&mut typing, KeyCode::Char('c'), KeyModifiers::CONTROL), Typed::Abandoned);
    }
}

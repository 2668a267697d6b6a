//! What a key means.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::editor::Edit;
use super::reader::End;

/// What a key (or another event of the terminal) means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// Something for the line.
    Edit(Edit),
    /// The line is done.
    Enter,
    /// Completes the word; the one before with true.
    Complete(bool),
    /// To the conversation of this number.
    Go(usize),
    /// A page of what was said before, or after.
    Page(End),
    /// Gives up what is being done (Esc). A digit behind it is [`Key::Go`].
    Escape,
    /// Throws the line away, or leaves when there is none (Ctrl-C).
    Abandon,
    /// Leaves when nothing is typed, else removes a character (Ctrl-D).
    EndOrDelete,
    /// Clears the screen.
    Clear,
    /// Goes to the background (Ctrl-Z).
    Suspend,
    /// The window has another size.
    Resized,
}

/// The meaning of an event; `None` when it has none. `after_escape`: the key before was Esc, which stands for Alt where there is no such key.
pub fn meaning(event: Event, after_escape: bool) -> Option<Key> {
    match event {
        Event::Resize(..) => Some(Key::Resized),
        Event::Paste(text) => Some(Key::Edit(Edit::Paste(text))),
        Event::Key(key) if key.kind != KeyEventKind::Release => pressed(key, after_escape),
        _ => None,
    }
}

fn pressed(key: KeyEvent, after_escape: bool) -> Option<Key> {
    let (is_ctrl, is_alt) =
        (key.modifiers.contains(KeyModifiers::CONTROL), key.modifiers.contains(KeyModifiers::ALT) || after_escape);
    let is_word = is_ctrl || is_alt;
    Some(match key.code {
        // On some keyboards AltGr is Ctrl and Alt, and makes letters.
        KeyCode::Char(c) if is_ctrl && !key.modifiers.contains(KeyModifiers::ALT) => return with_ctrl(c),
        KeyCode::Char(c) if is_alt && !is_ctrl => return with_alt(c),
        KeyCode::Char(c) => Key::Edit(Edit::Insert(c)),
        KeyCode::Enter if is_alt => Key::Edit(Edit::Insert('\n')),
        KeyCode::Enter => Key::Enter,
        KeyCode::Tab => Key::Complete(false),
        KeyCode::BackTab => Key::Complete(true),
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace if is_word => Key::Edit(Edit::CutWord),
        KeyCode::Backspace => Key::Edit(Edit::Backspace),
        KeyCode::Delete => Key::Edit(Edit::Delete),
        KeyCode::Left if is_word => Key::Edit(Edit::WordLeft),
        KeyCode::Right if is_word => Key::Edit(Edit::WordRight),
        KeyCode::Left => Key::Edit(Edit::Left),
        KeyCode::Right => Key::Edit(Edit::Right),
        KeyCode::Home => Key::Edit(Edit::Home),
        KeyCode::End => Key::Edit(Edit::End),
        KeyCode::PageUp => Key::Page(End::Older),
        KeyCode::PageDown => Key::Page(End::Newer),
        KeyCode::Up => Key::Edit(Edit::Older),
        KeyCode::Down => Key::Edit(Edit::Newer),
        _ => return None,
    })
}

fn with_ctrl(c: char) -> Option<Key> {
    Some(match c.to_ascii_lowercase() {
        'a' => Key::Edit(Edit::Home),
        'b' => Key::Edit(Edit::Left),
        'c' => Key::Abandon,
        'd' => Key::EndOrDelete,
        'e' => Key::Edit(Edit::End),
        'f' => Key::Edit(Edit::Right),
        'g' => Key::Escape,
        'h' => Key::Edit(Edit::Backspace),
        'j' | 'm' => Key::Enter,
        'k' => Key::Edit(Edit::CutToEnd),
        'l' => Key::Clear,
        'n' => Key::Edit(Edit::Newer),
        'p' => Key::Edit(Edit::Older),
        'r' => Key::Edit(Edit::Search),
        'u' => Key::Edit(Edit::CutToStart),
        'w' => Key::Edit(Edit::CutWord),
        'y' => Key::Edit(Edit::PutBack),
        'z' => Key::Suspend,
        _ => return None,
    })
}

fn with_alt(c: char) -> Option<Key> {
    Some(match c.to_ascii_lowercase() {
        'b' => Key::Edit(Edit::WordLeft),
        'f' => Key::Edit(Edit::WordRight),
        digit @ '1'..='9' => Key::Go(digit as usize - '0' as usize),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Option<Key> {
        meaning(Event::Key(KeyEvent::new(code, modifiers)), false)
    }

    #[test]
    fn letters_are_typed_and_keys_of_the_shell_edit() {
        assert_eq!(key(KeyCode::Char('你'), KeyModifiers::NONE), Some(Key::Edit(Edit::Insert('你'))));
        assert_eq!(key(KeyCode::Char('A'), KeyModifiers::SHIFT), Some(Key::Edit(Edit::Insert('A'))));
        assert_eq!(key(KeyCode::Char('w'), KeyModifiers::CONTROL), Some(Key::Edit(Edit::CutWord)));
        let alt_gr = KeyModifiers::CONTROL | KeyModifiers::ALT;
        assert_eq!(key(KeyCode::Char('@'), alt_gr), Some(Key::Edit(Edit::Insert('@'))));
        assert_eq!(key(KeyCode::Char('q'), KeyModifiers::CONTROL), None);
    }

    #[test]
    fn a_digit_with_alt_or_behind_escape_changes_the_room() {
        assert_eq!(key(KeyCode::Char('3'), KeyModifiers::ALT), Some(Key::Go(3)));
        let digit = Event::Key(KeyEvent::new(KeyCode::Char('3'), KeyModifiers::NONE));
        assert_eq!(meaning(digit.clone(), true), Some(Key::Go(3)));
        assert_eq!(meaning(digit, false), Some(Key::Edit(Edit::Insert('3'))));
    }

    #[test]
    fn a_key_let_go_is_no_key() {
        let event = KeyEvent { kind: KeyEventKind::Release, ..KeyEvent::from(KeyCode::Enter) };
        assert_eq!(meaning(Event::Key(event), false), None);
        assert_eq!(key(KeyCode::Enter, KeyModifiers::ALT), Some(Key::Edit(Edit::Insert('\n'))));
    }
}

//! The line being typed: its text, the cursor, and what was typed before.

use std::collections::VecDeque;

use unicode_segmentation::UnicodeSegmentation;

/// Bytes of one message being typed or pasted: a long poem, not a film.
pub const LINE_BYTES: usize = 64 * 1024;

/// Lines that Up brings back.
const HISTORY: usize = 500;

/// Bytes of all lines that Up brings back, so that pasted novels do not stay in memory.
const HISTORY_BYTES: usize = 256 * 1024;

/// Spaces that a pasted tab becomes: a terminal would move the cursor to where nobody expects it.
const TAB: &str = "    ";

/// What a key does to the line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    /// Puts a character in.
    Insert(char),
    /// Puts a text in, perhaps of several lines.
    Paste(String),
    /// Removes what is in front of the cursor.
    Backspace,
    /// Removes what is under the cursor.
    Delete,
    /// One character to the left.
    Left,
    /// One character to the right.
    Right,
    /// One word to the left.
    WordLeft,
    /// One word to the right.
    WordRight,
    /// To the start.
    Home,
    /// To the end.
    End,
    /// Cuts everything in front of the cursor.
    CutToStart,
    /// Cuts everything behind the cursor.
    CutToEnd,
    /// Cuts the word in front of the cursor.
    CutWord,
    /// Puts back what was cut last.
    PutBack,
    /// The line typed before.
    Older,
    /// The line typed after.
    Newer,
    /// Looks for an earlier line; again: for one before that.
    Search,
}

/// The line being typed.
#[derive(Default, Debug)]
pub struct Editor {
    text: String,
    /// A byte position between two characters (as people see them).
    cursor: usize,
    cut: String,
    past: Past,
    search: Option<Search>,
}

/// What was typed before.
#[derive(Default, Debug)]
struct Past {
    lines: VecDeque<String>,
    bytes: usize,
    /// Which of the lines is shown, and what was being typed before it was.
    shown: Option<(usize, String)>,
}

/// A search through what was typed before.
#[derive(Debug)]
struct Search {
    words: String,
    found: Option<usize>,
    before: String,
}

impl Editor {
    /// What was typed so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the cursor is, in bytes.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// What is searched for among earlier lines, while that is so.
    pub fn searched(&self) -> Option<&str> {
        self.search.as_ref().map(|search| search.words.as_str())
    }

    /// Does what a key asks for. False when there was nothing to do, which is worth a beep.
    pub fn edit(&mut self, edit: Edit) -> bool {
        if self.search.is_some() {
            match edit {
                Edit::Insert(c) => return self.search_for(|words| words.push(c)),
                Edit::Backspace => return self.search_for(|words| _ = words.pop()),
                Edit::Search => return self.search_older(),
                _ => self.search = None,
            }
        }
        let before = (self.text.len(), self.cursor);
        match edit {
            Edit::Insert(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Edit::Paste(text) => self.insert(&tidy(&text)),
            Edit::Backspace => self.remove(self.left(), self.cursor),
            Edit::Delete => self.remove(self.cursor, self.right()),
            Edit::Left => self.cursor = self.left(),
            Edit::Right => self.cursor = self.right(),
            Edit::WordLeft => self.cursor = self.word_left(),
            Edit::WordRight => self.cursor = self.word_right(),
            Edit::Home => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
            Edit::CutToStart => self.cut(0, self.cursor),
            Edit::CutToEnd => self.cut(self.cursor, self.text.len()),
            Edit::CutWord => self.cut(self.blank_left(), self.cursor),
            Edit::PutBack => self.insert(&self.cut.clone()),
            Edit::Older => return self.older(),
            Edit::Newer => return self.newer(),
            Edit::Search => {
                self.search = Some(Search { words: String::new(), found: None, before: self.text.clone() });
                return true;
            }
        }
        before != (self.text.len(), self.cursor)
    }

    /// Ends a search and keeps what it found. False when there was none.
    pub fn take_found(&mut self) -> bool {
        self.search.take().is_some()
    }

    /// Ends a search and brings back what was typed before it. False when there was none.
    pub fn give_up_search(&mut self) -> bool {
        self.search.take().map(|search| self.show(search.before)).is_some()
    }

    /// Puts another text in the place of the bytes from `from` to the cursor.
    pub fn replace(&mut self, from: usize, with: &str) {
        self.remove(from, self.cursor);
        self.insert(with);
    }

    /// Takes the line, so that the next one can be typed.
    pub fn take(&mut self) -> String {
        self.search = None;
        self.past.shown = None;
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Remembers a line, so that Up brings it back.
    pub fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || self.past.lines.back().is_some_and(|last| last == line) {
            return;
        }
        self.past.bytes += line.len();
        self.past.lines.push_back(line.to_owned());
        while self.past.lines.len() > HISTORY || self.past.bytes > HISTORY_BYTES {
            let Some(oldest) = self.past.lines.pop_front() else { break };
            self.past.bytes -= oldest.len();
        }
    }

    /// Forgets what was cut: it may be a password.
    pub fn forget_cut(&mut self) {
        self.cut.clear();
    }

    /// The lines that Up brings back, oldest first.
    pub fn remembered(&self) -> impl Iterator<Item = &str> {
        self.past.lines.iter().map(String::as_str)
    }

    fn insert(&mut self, text: &str) {
        let room = LINE_BYTES.saturating_sub(self.text.len());
        let fits = (0..=text.len().min(room)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.text.insert_str(self.cursor, &text[..fits]);
        self.cursor += fits;
        // What was put in may have joined with what follows: a joiner, an accent.
        if !self.is_boundary(self.cursor) {
            self.cursor = self.right();
        }
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn cut(&mut self, from: usize, to: usize) {
        if from < to {
            self.cut = self.text[from..to].to_owned();
            self.remove(from, to);
        }
    }

    fn show(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    fn is_boundary(&self, at: usize) -> bool {
        at == self.text.len() || self.text.grapheme_indices(true).any(|(start, _)| start == at)
    }

    fn left(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(start, _)| start)
    }

    fn right(&self) -> usize {
        let next = self.text.grapheme_indices(true).find(|(start, _)| *start > self.cursor);
        next.map_or(self.text.len(), |(start, _)| start)
    }

    fn word_left(&self) -> usize {
        let mut words = self.text[..self.cursor].unicode_word_indices();
        words.next_back().map_or(0, |(start, _)| start)
    }

    fn word_right(&self) -> usize {
        let behind = &self.text[self.cursor..];
        let word = behind.unicode_word_indices().next();
        word.map_or(self.text.len(), |(start, word)| self.cursor + start + word.len())
    }

    /// Where the word in front of the cursor starts, as blanks divide it.
    fn blank_left(&self) -> usize {
        let word = self.text[..self.cursor].trim_end();
        word.char_indices().rev().find(|(_, c)| c.is_whitespace()).map_or(0, |(at, c)| at + c.len_utf8())
    }

    fn older(&mut self) -> bool {
        let at = match &self.past.shown {
            Some((0, _)) => return false,
            Some((at, _)) => at - 1,
            None if self.past.lines.is_empty() => return false,
            None => self.past.lines.len() - 1,
        };
        let draft = self.past.shown.take().map_or_else(|| self.text.clone(), |(_, draft)| draft);
        self.past.shown = Some((at, draft));
        self.show(self.past.lines[at].clone());
        true
    }

    fn newer(&mut self) -> bool {
        let Some((at, draft)) = self.past.shown.take() else { return false };
        match self.past.lines.get(at + 1).cloned() {
            Some(line) => {
                self.past.shown = Some((at + 1, draft));
                self.show(line);
            }
            None => self.show(draft),
        }
        true
    }

    fn search_for(&mut self, change: impl Fn(&mut String)) -> bool {
        if let Some(search) = &mut self.search {
            change(&mut search.words);
            search.found = None;
        }
        self.search_older()
    }

    /// Shows the next older line that has the words in it.
    fn search_older(&mut self) -> bool {
        let Some(search) = &mut self.search else { return false };
        if search.words.is_empty() {
            return true;
        }
        let end = search.found.unwrap_or(self.past.lines.len()).min(self.past.lines.len());
        let Some(at) = (0..end).rev().find(|at| self.past.lines[*at].contains(&search.words)) else { return false };
        search.found = Some(at);
        self.show(self.past.lines[at].clone());
        true
    }
}

/// A pasted text as it may stand in a message: one kind of line end, none at the end, no control characters.
fn tidy(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', TAB);
    let text = text.trim_end_matches('\n');
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Editor {
        let mut editor = Editor::default();
        text.chars().for_each(|c| assert!(editor.edit(Edit::Insert(c))));
        editor
    }

    /// The line with `|` at the cursor.
    fn after(editor: &mut Editor, edits: &[Edit]) -> String {
        edits.iter().for_each(|edit| _ = editor.edit(edit.clone()));
        format!("{}|{}", &editor.text()[..editor.cursor()], &editor.text()[editor.cursor()..])
    }

    #[test]
    fn one_key_moves_over_what_people_see_as_one_character() {
        let mut editor = typed("你e\u{301}👨\u{200d}👩\u{200d}👧x");
        assert_eq!(after(&mut editor, &[Edit::Left, Edit::Backspace]), "你e\u{301}|x");
        assert_eq!(after(&mut editor, &[Edit::Left, Edit::Left]), "|你e\u{301}x");
        assert_eq!(after(&mut editor, &[Edit::Delete, Edit::Right]), "e\u{301}|x");
        assert!(!typed("").edit(Edit::Backspace));
    }

    #[test]
    fn words_and_ends_are_reached_and_cut_and_put_back() {
        let mut editor = typed("今晚 八点 meet here");
        assert_eq!(after(&mut editor, &[Edit::CutWord]), "今晚 八点 meet |");
        assert_eq!(after(&mut editor, &[Edit::CutWord, Edit::Home, Edit::PutBack]), "meet |今晚 八点 ");
        assert_eq!(after(&mut editor, &[Edit::CutToEnd, Edit::WordLeft]), "|meet ");
        assert_eq!(after(&mut editor, &[Edit::WordRight, Edit::CutToStart]), "| ");
        assert_eq!(after(&mut editor, &[Edit::End, Edit::PutBack]), " meet|");
    }

    #[test]
    fn a_pasted_poem_is_one_message_without_control_characters() {
        let mut editor = typed("看：");
        editor.edit(Edit::Paste("床前明月光\r\n疑是\t地上霜\r举头\u{1b}[2J\n\n".into()));
        assert_eq!(editor.text(), "看：床前明月光\n疑是    地上霜\n举头[2J");
    }

    #[test]
    fn a_line_cannot_grow_without_end() {
        let mut editor = typed("x");
        editor.edit(Edit::Paste("字".repeat(LINE_BYTES)));
        assert!(editor.text().len() <= LINE_BYTES && editor.text().len() > LINE_BYTES - 3);
        assert!(!editor.edit(Edit::Insert('字')));
    }

    #[test]
    fn earlier_lines_come_back_and_what_was_begun_is_not_lost() {
        let mut editor = Editor::default();
        for line in ["一", "二", "二", " "] {
            editor.remember(line);
        }
        editor.edit(Edit::Insert('三'));
        assert_eq!(after(&mut editor, &[Edit::Older]), "二|");
        assert_eq!(after(&mut editor, &[Edit::Older, Edit::Older]), "一|");
        assert_eq!(after(&mut editor, &[Edit::Newer, Edit::Newer]), "三|");
        assert!(!editor.edit(Edit::Newer));
        assert_eq!((editor.take(), editor.text()), ("三".to_owned(), ""));
    }

    #[test]
    fn a_search_finds_older_and_older_lines() {
        let mut editor = Editor::default();
        ["买牛奶", "回家", "买面包"].iter().for_each(|line| editor.remember(line));
        editor.edit(Edit::Insert('x'));
        assert_eq!(after(&mut editor, &[Edit::Search, Edit::Insert('买')]), "买面包|");
        assert_eq!(editor.searched(), Some("买"));
        assert_eq!(after(&mut editor, &[Edit::Search]), "买牛奶|");
        assert!(!editor.edit(Edit::Search));
        assert!(editor.give_up_search());
        assert_eq!(after(&mut editor, &[]), "x|");
        assert_eq!(after(&mut editor, &[Edit::Search, Edit::Insert('家'), Edit::Home]), "|回家");
        assert!(!editor.take_found());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut editor = Editor::default();
        (0..HISTORY * 2).for_each(|number| editor.remember(&number.to_string()));
        assert_eq!(editor.remembered().count(), HISTORY);
        (0..20).for_each(|number| editor.remember(&number.to_string().repeat(LINE_BYTES / 2)));
        assert!(editor.remembered().map(str::len).sum::<usize>() <= HISTORY_BYTES);
    }
}

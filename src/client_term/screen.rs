//! How the bottom of the screen is drawn: the line being typed, its prompt, and lines printed above. Pure: bytes for the terminal come out.

use std::fmt::Write;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::wire::escape::printable;

/// The narrowest window that is drawn for; below it the terminal wraps as it likes.
const COLUMNS_LEAST: usize = 8;

/// What stands at the bottom of the screen.
#[derive(Clone, Default, Debug)]
pub struct Bottom<'a> {
    /// Rows above everything else, safe to print and no wider than the window.
    pub bars: &'a [String],
    /// A line above the prompt, safe to print; empty for none.
    pub status: &'a str,
    /// In front of the typed text, safe to print.
    pub prompt: &'a str,
    /// What was typed; line breaks are part of it.
    pub text: &'a str,
    /// The cursor's place in it, in bytes.
    pub cursor: usize,
    /// Whether colours and the like may be used.
    pub is_colourful: bool,
}

/// The terminal, as far as it was drawn to.
#[derive(Debug)]
pub struct Screen {
    columns: usize,
    rows: usize,
    /// Columns that each drawn row takes.
    widths: Vec<usize>,
    /// Where the cursor is among them: row and column.
    cursor: (usize, usize),
    /// A page is shown in its place.
    is_page: bool,
}

impl Screen {
    /// A terminal with nothing drawn at its bottom.
    pub fn new(columns: u16, rows: u16) -> Screen {
        let mut screen = Screen { columns: 0, rows: 0, widths: Vec::new(), cursor: (0, 0), is_page: false };
        screen.resized(columns, rows);
        screen
    }

    /// Columns that a row of ours may take: with the last one empty no terminal wraps by itself.
    pub fn columns(&self) -> usize {
        self.columns - 1
    }

    /// The window has this size, which may be another. Terminals wrap the rows that became too long, which moves the cursor down.
    ///
    /// To be called right before drawing, and once: what was drawn is known as it was in the size before.
    pub fn resized(&mut self, columns: u16, rows: u16) {
        // Some terminals say 0 when they do not know (a serial line).
        let columns = if columns == 0 { 80 } else { usize::from(columns).max(COLUMNS_LEAST) };
        self.rows = if rows == 0 { 24 } else { usize::from(rows).max(2) };
        if std::mem::replace(&mut self.columns, columns) == columns {
            return;
        }
        let above: usize = self.widths.iter().take(self.cursor.0).map(|width| width.div_ceil(columns).max(1)).sum();
        self.cursor = (above + self.cursor.1 / columns, self.cursor.1 % columns);
        // Only the rows above the cursor matter from here on: everything below is cleared.
        self.widths.clear();
        self.widths.resize(self.cursor.0, 0);
    }

    /// Rows that bars may take at most, so that talk and typing have the rest.
    pub fn bar_rows(&self) -> usize {
        self.rows / 3
    }

    /// Prints lines above the bottom and draws the bottom again. Returns what to write to the terminal.
    pub fn draw(&mut self, above: impl IntoIterator<Item = String>, bottom: &Bottom) -> String {
        let mut above = above.into_iter().peekable();
        // With nothing to print, each row is written over itself: nothing flickers while bars grow. Each is cleared as a whole before, because
        // some terminals count cells that are cleared from the middle on as text when they wrap rows for another size.
        let is_over = above.peek().is_none();
        let mut out = if is_over { self.go_to_top() } else { self.erase() };
        for line in above {
            out.push_str(&line);
            out.push_str("\r\n");
        }
        let (rows, cursor) = self.laid_out(bottom);
        let clear = if is_over { "\x1b[2K" } else { "" };
        for (number, row) in rows.iter().enumerate() {
            out.push_str(if number == 0 { "" } else { "\r\n" });
            out.push_str(clear);
            out.push_str(&row.text);
        }
        out.push_str(if is_over { "\x1b[J" } else { "" });
        up(&mut out, rows.len() - 1 - cursor.0);
        out.push('\r');
        right(&mut out, cursor.1);
        self.widths = rows.iter().map(|row| row.width).collect();
        self.cursor = cursor;
        out
    }

    /// Removes the bottom, so that others can write to the terminal.
    pub fn erase(&mut self) -> String {
        self.go_to_top() + "\x1b[J"
    }

    /// To the first row of the bottom.
    fn go_to_top(&mut self) -> String {
        let mut out = "\r".to_owned();
        up(&mut out, self.cursor.0);
        (self.widths, self.cursor) = (Vec::new(), (0, 0));
        out
    }

    /// Rows of a page above the bottom that fit the window.
    pub fn page_rows(&self, bottom: &Bottom) -> usize {
        self.rows.saturating_sub(self.laid_out(bottom).0.len()).max(1)
    }

    /// Shows a page above the bottom, on a screen of its own: what was on the screen comes back with [`Screen::leave_page`].
    pub fn draw_page(&mut self, page: &[&str], bottom: &Bottom) -> String {
        let mut out = String::new();
        if !std::mem::replace(&mut self.is_page, true) {
            out.push_str(&self.erase());
            out.push_str("\x1b[?1049h");
        }
        let (rows, cursor) = self.laid_out(bottom);
        let height = self.rows.saturating_sub(rows.len()).max(1);
        out.push_str("\x1b[H");
        for number in 0..height {
            out.push_str(page.get(number).copied().unwrap_or_default());
            out.push_str("\x1b[K\r\n");
        }
        for (number, row) in rows.iter().enumerate() {
            out.push_str(if number == 0 { "" } else { "\x1b[K\r\n" });
            out.push_str(&row.text);
        }
        // Writing to a String cannot fail.
        let _ = write!(out, "\x1b[J\x1b[{};{}H", height + cursor.0 + 1, cursor.1 + 1);
        out
    }

    /// Brings back what was on the screen before the page. Nothing when there is none.
    pub fn leave_page(&mut self) -> &'static str {
        if std::mem::take(&mut self.is_page) { "\x1b[?1049l" } else { "" }
    }

    /// Clears the whole screen.
    pub fn clear(&mut self) -> &'static str {
        (self.widths, self.cursor) = (Vec::new(), (0, 0));
        "\x1b[H\x1b[2J"
    }

    /// The rows of the bottom, and the cursor among them. What does not fit the window is left out around the cursor.
    fn laid_out(&self, bottom: &Bottom) -> (Vec<Row>, (usize, usize)) {
        let columns = self.columns();
        let (mut rows, mut cursor) = typed_rows(bottom, columns);
        let bars = &bottom.bars[..bottom.bars.len().min(self.bar_rows())];
        let most = (self.rows - usize::from(!bottom.status.is_empty())).saturating_sub(1 + bars.len()).max(1);
        if rows.len() > most {
            let first = (cursor.0 + 1).saturating_sub(most);
            rows.truncate(first + most);
            rows.drain(..first);
            cursor.0 -= first;
        }
        if !bottom.status.is_empty() {
            let shown = clipped(bottom.status, columns);
            let width = shown.width();
            let text = if bottom.is_colourful { format!("\x1b[2m{shown}\x1b[m") } else { shown };
            rows.insert(0, Row { text, width });
            cursor.0 += 1;
        }
        cursor.0 += bars.len();
        let bars = bars.iter().map(|bar| Row { text: bar.clone(), width: bar.width() });
        (bars.chain(rows).collect(), cursor)
    }
}

/// One row as it is printed.
#[derive(Default, Debug)]
struct Row {
    text: String,
    width: usize,
}

/// The prompt and the typed text, cut into rows at characters as people see them.
fn typed_rows(bottom: &Bottom, columns: usize) -> (Vec<Row>, (usize, usize)) {
    let prompt = clipped(bottom.prompt, columns.saturating_sub(4).max(1));
    let width = prompt.width();
    let text = if bottom.is_colourful { format!("\x1b[1m{prompt}\x1b[m") } else { prompt };
    let mut rows = vec![Row { text, width }];
    let mut cursor = (0, width);
    for (at, part) in bottom.text.grapheme_indices(true) {
        let shown = if part == "\n" { "↵".into() } else { printable(part) };
        let wide = shown.width();
        if rows.last().is_some_and(|row| row.width + wide > columns) {
            rows.push(Row::default());
        }
        if at == bottom.cursor {
            cursor = (rows.len() - 1, rows.last().map_or(0, |row| row.width));
        }
        if let Some(row) = rows.last_mut() {
            row.text.push_str(&shown);
            row.width += wide;
        }
        if part == "\n" {
            rows.push(Row::default());
        }
    }
    if bottom.cursor >= bottom.text.len() {
        if rows.last().is_some_and(|row| row.width >= columns) {
            rows.push(Row::default());
        }
        cursor = (rows.len() - 1, rows.last().map_or(0, |row| row.width));
    }
    (rows, cursor)
}

/// As much of a text as fits, with an ellipsis where something is missing.
pub fn clipped(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut width = 0;
    for part in text.graphemes(true) {
        width += part.width();
        if width + 1 > columns {
            break;
        }
        shown.push_str(part);
    }
    shown.push('…');
    shown
}

/// A painted line in rows of so many columns, each with the colours that it begins in.
pub fn wrapped(line: &str, columns: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    let (mut width, mut style) = (0, String::new());
    for (number, part) in line.split('\x1b').enumerate() {
        let text = match part.split_once('m').filter(|_| number > 0) {
            Some((code, text)) => {
                style = if code == "[" { String::new() } else { style + "\x1b" + code + "m" };
                rows.last_mut().into_iter().for_each(|row| *row += &format!("\x1b{code}m"));
                text
            }
            None => part,
        };
        for piece in text.graphemes(true) {
            if width + piece.width() > columns {
                let reset = if style.is_empty() { "" } else { "\x1b[m" };
                rows.last_mut().into_iter().for_each(|row| *row += reset);
                rows.push(style.clone());
                width = 0;
            }
            width += piece.width();
            rows.last_mut().into_iter().for_each(|row| *row += piece);
        }
    }
    rows
}

fn up(out: &mut String, rows: usize) {
    if rows > 0 {
        // Writing to a String cannot fail.
        let _ = write!(out, "\x1b[{rows}A");
    }
}

fn right(out: &mut String, columns: usize) {
    if columns > 0 {
        let _ = write!(out, "\x1b[{columns}C");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bottom(text: &str) -> Bottom<'_> {
        Bottom { prompt: "大厅(3)> ", text, cursor: text.len(), ..Bottom::default() }
    }

    fn rows(text: &str, columns: usize) -> (Vec<String>, (usize, usize)) {
        let (rows, cursor) = typed_rows(&bottom(text), columns);
        assert!(rows.iter().all(|row| row.width <= columns && row.text.width() == row.width));
        (rows.into_iter().map(|row| row.text).collect(), cursor)
    }

    #[test]
    fn chinese_and_emoji_take_two_columns() {
        assert_eq!(rows("你好", 40), (vec!["大厅(3)> 你好".into()], (0, 13)));
        assert_eq!(rows("👨\u{200d}👩\u{200d}👧ａ", 40).1, (0, 13));
        assert_eq!(rows("", 40), (vec!["大厅(3)> ".into()], (0, 9)));
    }

    #[test]
    fn a_wide_character_is_never_cut_in_two() {
        let (shown, cursor) = rows("字一二三四五六", 14);
        assert_eq!(shown, ["大厅(3)> 字一", "二三四五六"]);
        assert_eq!(cursor, (1, 10));
        // With the row full, the cursor waits on the next one.
        assert_eq!(rows("abcde", 14), (vec!["大厅(3)> abcde".into(), "".into()], (1, 0)));
    }

    #[test]
    fn line_breaks_and_what_cannot_be_seen_are_shown() {
        assert_eq!(rows("床前\n明月", 40), (vec!["大厅(3)> 床前↵".into(), "明月".into()], (1, 4)));
        assert_eq!(rows("a\u{202e}b", 40).0, ["大厅(3)> a\\u{202e}b"]);
    }

    #[test]
    fn lines_are_printed_above_what_is_typed() {
        let mut screen = Screen::new(20, 10);
        screen.draw([], &bottom("第一行会很长，第二行也有字"));
        assert_eq!((screen.widths.len(), screen.cursor), (2, (1, 16)));
        let out = screen.draw(["21:00 小阳: 你好".to_owned()], &bottom("hi"));
        assert_eq!(out, "\r\x1b[1A\x1b[J21:00 小阳: 你好\r\n大厅(3)> hi\r\x1b[11C");
    }

    #[test]
    fn bars_stand_above_the_line_and_are_written_over_themselves() {
        let mut screen = Screen::new(20, 9);
        let bars = ["↑ a 1 %".to_owned(), "↑ b 2 %".to_owned()];
        let with_bars = Bottom { bars: &bars, status: "慢", ..bottom("hi") };
        screen.draw([], &with_bars);
        let out = screen.draw([], &with_bars);
        assert_eq!(out, "\r\x1b[3A\x1b[2K↑ a 1 %\r\n\x1b[2K↑ b 2 %\r\n\x1b[2K慢\r\n\x1b[2K大厅(3)> hi\x1b[J\r\x1b[11C");
        let out = screen.draw([], &bottom("hi"));
        assert_eq!(out, "\r\x1b[3A\x1b[2K大厅(3)> hi\x1b[J\r\x1b[11C", "nothing is left of them");
        let low = Screen::new(20, 2);
        assert_eq!(low.laid_out(&with_bars).0.len(), 2, "talk and typing come first");
    }

    #[test]
    fn a_window_made_narrower_has_wrapped_what_was_drawn() {
        let mut screen = Screen::new(80, 24);
        screen.draw([], &bottom(&"字".repeat(30)));
        assert_eq!(screen.cursor, (0, 69));
        screen.resized(40, 24);
        assert_eq!(screen.cursor, (1, 29));
        assert!(screen.erase().starts_with("\r\x1b[1A\x1b[J"));
        screen.resized(0, 0);
        assert_eq!((screen.columns(), screen.rows), (79, 24));
    }

    #[test]
    fn a_painted_line_keeps_its_colours_from_row_to_row() {
        assert_eq!(wrapped("一二三", 4), ["一二", "三"]);
        assert_eq!(wrapped("\x1b[2ma\x1b[m bcd", 3), ["\x1b[2ma\x1b[m b", "cd"]);
        assert_eq!(wrapped("x\x1b[1m一二\x1b[m", 4), ["x\x1b[1m一\x1b[m", "\x1b[1m二\x1b[m"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn a_page_has_a_screen_of_its_own_and_gives_the_other_back() {
        let mut screen = Screen::new(20, 4);
        let page = screen.draw_page(&["一", "二"], &bottom("hi"));
        assert_eq!(page, "\r\x1b[J\x1b[?1049h\x1b[H一\x1b[K\r\n二\x1b[K\r\n\x1b[K\r\n大厅(3)> hi\x1b[J\x1b[4;12H");
        assert!(!screen.draw_page(&[], &bottom("")).contains("1049"));
        assert_eq!((screen.leave_page(), screen.leave_page()), ("\x1b[?1049l", ""));
    }

    #[test]
    fn a_novel_is_shown_around_the_cursor() {
        let mut screen = Screen::new(20, 6);
        let novel = "字".repeat(500);
        let status = Bottom { status: "连接断开，正在重新连接，请稍等", ..bottom(&novel) };
        screen.draw([], &status);
        assert_eq!(screen.widths.len(), 5);
        let at_start = Bottom { cursor: 0, ..bottom(&novel) };
        assert!(screen.draw([], &at_start).contains("大厅"));
        assert_eq!(screen.cursor, (0, 9));
    }

    #[test]
    fn what_is_too_long_is_clipped_by_columns() {
        assert_eq!(clipped("连接断开", 8), "连接断开");
        assert_eq!(clipped("连接断开", 7), "连接断…");
        assert_eq!(clipped("连接断开", 6), "连接…");
    }
}

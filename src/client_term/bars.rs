//! The bars above the prompt: how far files on their way are. Pure: rows come out.

use unicode_width::UnicodeWidthStr;

use super::screen::clipped;
use crate::client::transfers::{Progress, Stage, Way};
use crate::client::words::amount::{files, size, span, speed};
use crate::client::words::{BarWord, Language, bar_word};
use crate::wire::escape::printable;

/// Files that have a row of their own; the others are a number.
const BARS: usize = 4;

/// The widest a name gets, in columns; beyond it the end of it, which tells more files apart, stays.
const NAME: usize = 28;

/// Columns of a bar, where the window is wide and where it is not.
const WIDE: usize = 16;
const NARROW: usize = 8;

/// Windows of so many columns have wide bars, and narrow ones; below there is the percentage only.
const WIDE_FROM: usize = 72;
const NARROW_FROM: usize = 48;

/// Parts of a column that a bar can fill.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Columns of `999.9 MB/s`.
const SPEED: usize = 10;

/// All files that are under way, also those that nothing is said about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Whole {
    /// How many.
    pub count: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// The rows for files on their way, in a window of so many columns, with room for so many rows.
pub fn rows(progress: &[Progress], whole: Whole, columns: usize, most: usize, language: Language) -> Vec<String> {
    let count = whole.count.max(progress.len());
    let own_rows = if count > most.min(BARS) { most.min(BARS + 1).saturating_sub(1) } else { BARS };
    let shown = shown(progress, own_rows);
    let widest = shown.iter().map(|file| printable(&file.job.name).width()).max().unwrap_or(0);
    let name_width = widest.min(NAME).min(columns / 3);
    let mut rows: Vec<String> = shown.iter().map(|file| row(file, name_width, columns, language)).collect();
    // Before anything moves there is nothing to draw.
    if shown.len() < count && most > 0 && !progress.is_empty() {
        let rest = files(language, count - shown.len());
        let bytes = shown.iter().fold(whole.bytes, |bytes, file| bytes.saturating_sub(file.job.size));
        rows.push(clipped(&bar_word(language, &BarWord::More(&rest, &size(bytes))), columns));
    }
    rows
}

/// All files that something is known about, each behind its number, for whoever asks.
pub fn numbered(progress: &[Progress], whole: Whole, columns: usize, language: Language) -> Vec<String> {
    let name_width = progress.iter().map(|file| printable(&file.job.name).width()).max().unwrap_or(0).min(NAME);
    let row = |file: &Progress| format!("{:>4} {}", file.job.key, row(file, name_width, columns, language));
    let rows = progress.iter().map(row);
    let rest = whole.count.saturating_sub(progress.len());
    let bytes = progress.iter().fold(whole.bytes, |bytes, file| bytes.saturating_sub(file.job.size));
    let more = (rest > 0).then(|| bar_word(language, &BarWord::More(&files(language, rest), &size(bytes))));
    rows.chain(more.map(|more| format!("     {more}"))).collect()
}

/// The files that get a row: those that something is done with, in the order in which they were asked for, so that no row jumps.
fn shown(progress: &[Progress], most: usize) -> Vec<&Progress> {
    let is_busy = |file: &&Progress| !matches!(file.stage, Stage::Waiting | Stage::Offered);
    let busy = progress.iter().filter(is_busy);
    let idle = progress.iter().filter(|file| !is_busy(file));
    let mut shown: Vec<&Progress> = busy.chain(idle).take(most).collect();
    shown.sort_by_key(|file| file.job.key);
    shown
}

/// `↑ 名字.zip  ██████▌    62 %  11.3 MB/s  还有 12 秒`
fn row(file: &Progress, name_width: usize, columns: usize, language: Language) -> String {
    let arrow = match file.job.way {
        Way::Up => "↑",
        Way::Down => "↓",
    };
    let name = with_its_end(&printable(&file.job.name), name_width);
    let head = format!("{arrow} {name}{}  ", " ".repeat(name_width.saturating_sub(name.width())));
    let mut parts = vec![];
    if matches!(file.stage, Stage::Moving | Stage::Hashing) {
        parts.extend(bar(file, columns));
        parts.push(format!("{:>3} %", percent(file)));
    }
    parts.extend(match file.stage {
        // Nobody knows yet.
        Stage::Moving if file.per_second == 0 => vec![],
        Stage::Moving => vec![format!("{:>SPEED$}", speed(file.per_second))],
        Stage::Hashing => vec![bar_word(language, &BarWord::Hashing)],
        Stage::Waiting => vec![bar_word(language, &BarWord::Waiting)],
        Stage::Offered => vec![bar_word(language, &BarWord::Offered)],
        Stage::Checking => vec![bar_word(language, &BarWord::Checking)],
        Stage::Pausing(ms) => vec![bar_word(language, &BarWord::Pausing(&span(language, ms.div_ceil(1_000))))],
    });
    if let (Stage::Moving, Some(secs)) = (file.stage, file.left_seconds) {
        parts.push(bar_word(language, &BarWord::Left(&span(language, secs))));
    }
    fitted(head, &parts, columns)
}

/// The head and as many of the parts as fit, the first ones first.
fn fitted(head: String, parts: &[String], columns: usize) -> String {
    let mut row = head;
    for (number, part) in parts.iter().enumerate() {
        let gap = if number == 0 { "" } else { "  " };
        if row.width() + gap.len() + part.width() > columns {
            break;
        }
        row = row + gap + part;
    }
    clipped(row.trim_end(), columns)
}

fn bar(file: &Progress, columns: usize) -> Option<String> {
    let width = match columns {
        WIDE_FROM.. => WIDE,
        NARROW_FROM.. => NARROW,
        _ => return None,
    };
    let eighths = parts_of(file, width as u64 * 8) as usize;
    let filled = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
    let blank = width - filled.chars().count();
    Some(filled + &" ".repeat(blank))
}

/// Never 100 before it is there.
fn percent(file: &Progress) -> u64 {
    parts_of(file, 100)
}

/// How far a file is, of so many parts.
fn parts_of(file: &Progress, parts: u64) -> u64 {
    let size = u128::from(file.job.size.max(1));
    let done = u128::from(file.done.min(file.job.size));
    (done * u128::from(parts) / size) as u64
}

/// A name in so many columns: of one that is too long the beginning and the end.
fn with_its_end(name: &str, columns: usize) -> String {
    const END: usize = 8;
    if name.width() <= columns || columns < 2 * END {
        return clipped(name, columns);
    }
    let mut end = String::new();
    for c in name.chars().rev() {
        if end.width() + c.to_string().width() > END {
            break;
        }
        end.insert(0, c);
    }
    // The ellipsis is clipped's.
    clipped(name, columns - end.width()) + &end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::transfers::Job;

    fn moving(key: u64, name: &str, done: u64) -> Progress {
        Progress {
            job: Job { key, way: Way::Up, scope: "*".into(), name: name.into(), size: 1_000 },
            stage: Stage::Moving,
            done,
            per_second: 11_300_000,
            left_seconds: Some(12),
        }
    }

    fn at(stage: Stage) -> Progress {
        Progress { stage, ..moving(1, "名字.zip", 620) }
    }

    #[test]
    fn a_bar_says_how_far_how_fast_and_how_long() {
        let shown = |file, columns| rows(&[file], Whole::default(), columns, 5, Language::Zh).remove(0);
        let wide = "↑ 名字.zip  █████████▉         62 %   11.3 MB/s  还有 12 秒";
        assert_eq!(shown(moving(1, "名字.zip", 620), 79), wide);
        assert_eq!(shown(moving(1, "名字.zip", 620), 51), "↑ 名字.zip  ████▉      62 %   11.3 MB/s  还有 12 秒");
        assert_eq!(shown(moving(1, "名字.zip", 620), 39), "↑ 名字.zip   62 %   11.3 MB/s");
        assert_eq!(shown(moving(1, "名字.zip", 620), 20), "↑ 名字.…   62 %");
        assert!(shown(moving(1, "名字.zip", 620), 7).width() <= 7);
        let begun = Progress { per_second: 0, left_seconds: None, ..moving(1, "名字.zip", 0) };
        assert_eq!(shown(begun, 39), "↑ 名字.zip    0 %");
        assert_eq!(shown(at(Stage::Hashing), 39), "↑ 名字.zip   62 %  计算 SHA-256");
        assert_eq!(shown(at(Stage::Checking), 39), "↑ 名字.zip  正在核对");
        assert_eq!(shown(at(Stage::Pausing(1_200)), 39), "↑ 名字.zip  2 秒后再试");
    }

    #[test]
    fn rows_stay_in_their_order_and_the_rest_is_a_number() {
        let mut files: Vec<Progress> = (1..=9).map(|key| moving(key, &key.to_string(), 0)).collect();
        for waiting in [0, 2, 3, 8] {
            files[waiting].stage = Stage::Waiting;
        }
        let whole = Whole { count: 9, bytes: 9_000 };
        let shown = rows(&files, whole, 79, 5, Language::En);
        let keys: Vec<&str> = shown.iter().filter_map(|row| row.split(' ').nth(1)).collect();
        assert_eq!(keys, ["2", "5", "6", "7", "and"]);
        assert_eq!(shown[4], "… and 5 files more, 5.0 kB");
        assert_eq!(rows(&files, whole, 79, 2, Language::En).len(), 2);
        assert_eq!(rows(&files[..4], Whole::default(), 79, 5, Language::En).len(), 4);
        assert_eq!(rows(&files, whole, 79, 1, Language::En), ["… and 9 files more, 9.0 kB"]);
        let many = Whole { count: 10_000, bytes: 10_000_000 };
        assert_eq!(rows(&files, many, 79, 5, Language::En)[4], "… and 9996 files more, 10.0 MB");
        let none = [rows(&files, whole, 79, 0, Language::En), rows(&[], Whole::default(), 79, 5, Language::En)];
        assert!(none.iter().all(Vec::is_empty));
    }

    #[test]
    fn who_asks_is_told_all_with_their_numbers() {
        let files: Vec<Progress> = (7..=12).map(|key| moving(key, "a", 500)).collect();
        let rows = numbered(&files, Whole { count: 8, bytes: 8_000 }, 40, Language::En);
        assert_eq!((rows.len(), &*rows[0]), (7, "   7 ↑ a   50 %   11.3 MB/s  12 s left"));
        assert_eq!((&rows[5][..5], &*rows[6]), ("  12 ", "     … and 2 files more, 2.0 kB"));
    }

    #[test]
    fn no_row_is_wider_than_the_window_whatever_the_name_is() {
        let names = [
            "很长很长的名字".repeat(9) + "末尾.zip",
            "👨\u{200d}👩\u{200d}👧".repeat(30),
            "\u{1b}[2J\u{202e}x\ny".into(),
            "".into(),
        ];
        for name in names {
            for columns in 1..100 {
                for row in
                    rows(&[moving(1, &name, 999), at(Stage::Hashing)], Whole::default(), columns, 5, Language::Zh)
                {
                    assert!(row.width() <= columns, "{columns}: {row:?}");
                    assert!(!row.contains(['\u{1b}', '\n', '\u{202e}']), "{row:?}");
                }
            }
        }
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(with_its_end("很长很长很长很长很长的名字之末尾.zip", 20), "很长很长很…末尾.zip");
        assert_eq!(percent(&Progress { done: u64::MAX, ..moving(1, "x", 0) }), 100);
    }
}

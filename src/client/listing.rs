//! How a listing of files looks: one row each, in columns, with folders as one row.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr;

use super::transfers::Listed;
use super::words::amount::{files, size};
use super::words::kind;
use super::writer::Writer;
use crate::wire::escape::printable;

/// Rows of a listing: more than one screen shows, and less than what pushes the talk out of every memory.
const ROWS: usize = 200;

/// Columns that the name of whoever brought a file may take.
const UPLOADER: usize = 16;

/// A listing in rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// The rows, safe to print.
    pub rows: Vec<String>,
    /// Rows that are left out.
    pub more: usize,
    /// How many files there are.
    pub count: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// What a row is about: a file, or a folder with files in it.
struct Entry<'a> {
    name: &'a str,
    /// How many files are in it; 0 for a file.
    inside: usize,
    bytes: u64,
    stored_ms: u64,
    uploader: &'a str,
    media: &'a str,
}

/// Makes rows of the files that a pattern fits. Without a pattern, or with the name of a folder, what is in its folders is one row each.
pub fn listing(writer: &Writer, now_ms: u64, pattern: Option<&str>, listed: &[Listed]) -> Listing {
    let entries = entries(pattern, listed);
    let cells: Vec<[String; 4]> = entries.iter().take(ROWS).map(|entry| cells(writer, now_ms, entry)).collect();
    let width = |column: usize| cells.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let rows = cells.iter().map(|[bytes, time, uploader, name]| {
        let gap = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.width()));
        let row = format!(
            "{}{bytes}  {time}{}  {uploader}{}  {name}",
            gap(bytes, widths[0]),
            gap(time, widths[1]),
            gap(uploader, widths[2])
        );
        row.trim_end().to_owned()
    });
    Listing {
        rows: rows.collect(),
        more: entries.len().saturating_sub(ROWS),
        count: listed.len(),
        bytes: listed.iter().fold(0, |bytes, file| bytes.saturating_add(file.size)),
    }
}

fn entries<'a>(pattern: Option<&str>, listed: &'a [Listed]) -> Vec<Entry<'a>> {
    let pattern = pattern.unwrap_or_default();
    let folds = !pattern.contains(['*', '?']);
    let base = pattern.trim_end_matches('/');
    let mut folders: BTreeMap<&str, Entry> = BTreeMap::new();
    let mut plain = Vec::new();
    for file in listed {
        let uploader = file.uploader.as_deref().unwrap_or_default();
        let inside = file.name.strip_prefix(base).map_or(&*file.name, |rest| rest.strip_prefix('/').unwrap_or(rest));
        let folder = inside.find('/').filter(|_| folds).map(|at| &file.name[..file.name.len() - inside.len() + at]);
        let Some(folder) = folder else {
            let media = file.media.as_deref().unwrap_or_default();
            let (bytes, stored_ms) = (file.size, file.stored_ms);
            plain.push(Entry { name: &file.name, inside: 0, bytes, stored_ms, uploader, media });
            continue;
        };
        let new = Entry { name: folder, inside: 0, bytes: 0, stored_ms: 0, uploader, media: "" };
        let entry = folders.entry(folder).or_insert(new);
        entry.inside += 1;
        entry.bytes = entry.bytes.saturating_add(file.size);
        entry.stored_ms = entry.stored_ms.max(file.stored_ms);
        if entry.uploader != uploader {
            // Several people.
            entry.uploader = "…";
        }
    }
    folders.into_values().chain(plain).collect()
}

fn cells(writer: &Writer, now_ms: u64, entry: &Entry) -> [String; 4] {
    let language = writer.language;
    let name = printable(entry.name);
    let name = match entry.inside {
        0 if entry.media.is_empty() => name.into_owned(),
        0 => format!("{name}  {}", kind(language, entry.media)),
        count => format!("{name}/  {}", files(language, count)),
    };
    let uploader = printable(entry.uploader);
    let is_long = uploader.width() > UPLOADER;
    let mut width = 0;
    let cut: String = uploader
        .chars()
        .take_while(|c| {
            width += c.to_string().width();
            !is_long || width < UPLOADER
        })
        .collect();
    let uploader = if is_long { cut + "…" } else { cut };
    [size(entry.bytes), writer.time(entry.stored_ms, now_ms), uploader, name]
}

#[cfg(test)]
mod tests {
    use time::UtcOffset;

    use super::*;
    use crate::client::words::Language;
    use crate::wire::digest::Digest;

    const NOON_MS: u64 = 1_795_180_761_007; // 2026-11-20T13:19:21Z

    fn file(name: &str, size: u64, uploader: Option<&str>, media: Option<&str>) -> Listed {
        Listed {
            name: name.into(),
            size,
            digest: Digest([0; 32]),
            stored_ms: NOON_MS.saturating_sub(size),
            uploader: uploader.map(Into::into),
            media: media.map(Into::into),
        }
    }

    fn of(pattern: Option<&str>, listed: &[Listed]) -> Listing {
        let writer = Writer { language: Language::Zh, offset: UtcOffset::UTC, current: "".into() };
        listing(&writer, NOON_MS, pattern, listed)
    }

    #[test]
    fn names_stand_under_each_other_whatever_they_are_written_in() {
        let listed = [
            file("a.zip", 12_345_678, Some("ben"), None),
            file("照片.png", 900, Some("小阳"), Some("image/png,640x480")),
            file("host.iso", 2_000_000_000, None, None),
        ];
        let Listing { rows, more, count, bytes } = of(None, &listed);
        let shown = [
            "12.3 MB  09:53        ben   a.zip",
            "  900 B  13:19        小阳  照片.png  图片 640×480",
            " 2.0 GB  10-28 09:46        host.iso",
        ];
        assert_eq!(rows, shown);
        assert_eq!((more, count, bytes), (0, 3, 2_012_346_578));
    }

    #[test]
    fn folders_are_one_row_until_one_looks_into_them() {
        let listed = [
            file("作业/a", 1, Some("ben"), None),
            file("作业/一/b", 2, Some("ben"), None),
            file("作业/一/c", 3, Some("小阳"), None),
            file("z", 4, None, None),
        ];
        assert_eq!(of(None, &listed).rows, ["6 B  13:19  …  作业/  3 个文件", "4 B  13:19     z"]);
        assert_eq!(
            of(Some("作业/"), &listed[..3]).rows,
            ["5 B  13:19  …    作业/一/  2 个文件", "1 B  13:19  ben  作业/a"]
        );
        assert_eq!(of(Some("*"), &listed).rows.len(), 4);
    }

    #[test]
    fn a_long_listing_ends_and_eve_prints_nothing() {
        let listed: Vec<Listed> = (0..1_000).map(|number| file(&number.to_string(), 1, Some("eve"), None)).collect();
        let Listing { rows, more, .. } = of(None, &listed);
        assert_eq!((rows.len(), more), (ROWS, 1_000 - ROWS));
        let evil = "\u{1b}[2J\u{202e}x".repeat(20);
        let shown = of(None, &[file(&evil, u64::MAX, Some(&evil), Some(&evil)), file("b", u64::MAX, None, None)]);
        assert!(!shown.rows[0].contains(['\u{1b}', '\u{202e}']) && shown.bytes == u64::MAX);
    }
}

//! What a typed line wants done with files.

use crate::client::paths::{Between, words};

/// Something that is to be done with files, as it was typed. Where they are or go is the front end's business.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileWish {
    /// Bring these to the cloud.
    Put(Paths),
    /// Bring something to the cloud whose path is asked for.
    AskPath,
    /// Bring these to somebody.
    Send(Box<str>, Paths),
    /// Fetch the files with these names or patterns.
    Get(Vec<Box<str>>),
    /// List the files that fit a pattern; all when `None`.
    List(Option<Box<str>>),
    /// Remove the file with this name.
    Remove(Box<str>),
    /// Stop a transfer; all of them when `None`.
    Cancel(Option<u64>),
    /// What is under way.
    UnderWay,
}

/// Paths as they were typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paths {
    /// The part of the line that holds them.
    pub text: Box<str>,
    /// What stands between them.
    pub between: Between,
}

impl Paths {
    /// Behind a command: its first character says how the line is divided. `None` when nothing is there.
    fn behind(rest: &str) -> Option<Paths> {
        let (text, between) = divided(rest);
        let text = if between == Between::Stars { text.trim_matches(is_star).trim() } else { text };
        (!text.is_empty()).then(|| Paths { text: text.into(), between })
    }
}

/// Whether a command wants paths behind it, and how many words stand in front of them.
pub fn words_before_paths(name: &str) -> Option<usize> {
    match name {
        "put" | "上传文件" => Some(0),
        "send" | "发文件" => Some(1),
        _ => None,
    }
}

/// Whether a command wants names of files in the cloud behind it.
pub fn wants_names(name: &str) -> bool {
    matches!(name, "get" | "下载文件" | "rm" | "删除文件" | "ls" | "查看文件")
}

/// What a command of this name wants, with what stands behind it; how it is written when that is not right. `None` for all other commands.
pub(super) fn read(name: &str, rest: &str) -> Option<Result<FileWish, &'static str>> {
    Some(match name {
        "put" | "上传文件" => Paths::behind(rest).map(FileWish::Put).ok_or("!put PATH…, ！上传文件*路径"),
        "ft" | "传文件" => Ok(Paths::behind(rest).map_or(FileWish::AskPath, FileWish::Put)),
        "send" | "发文件" => send(rest).ok_or("!send WHO PATH, ！发文件*谁*路径"),
        "get" | "下载文件" => {
            let names = names(rest);
            if names.is_empty() {
                Err("!get NAME…, !get *.png, ！下载文件*名")
            } else {
                Ok(FileWish::Get(names))
            }
        }
        "ls" | "查看文件" => Ok(FileWish::List(one_name(rest))),
        "rm" | "删除文件" => one_name(rest).map(FileWish::Remove).ok_or("!rm NAME, ！删除文件*名"),
        "cancel" | "取消" => match divided(rest).0.trim_matches(is_star).trim_start_matches('#') {
            "" => Ok(FileWish::Cancel(None)),
            number => number.parse().map(|number| FileWish::Cancel(Some(number))).map_err(|_| "/cancel, /cancel 2"),
        },
        "transfers" | "传输" => Ok(FileWish::UnderWay),
        _ => return None,
    })
}

fn is_star(c: char) -> bool {
    matches!(c, '*' | '＊')
}

/// What stands behind the one character that divides a command from it, and what divides the rest.
fn divided(rest: &str) -> (&str, Between) {
    match rest.strip_prefix(is_star) {
        Some(rest) => (rest.trim(), Between::Stars),
        None => (rest.trim(), Between::Blanks),
    }
}

fn send(rest: &str) -> Option<FileWish> {
    let who_and_rest = rest.trim_start_matches(|c: char| c.is_whitespace() || is_star(c));
    let end = who_and_rest.find(|c: char| c.is_whitespace() || is_star(c))?;
    let (who, rest) = who_and_rest.split_at(end);
    Some(FileWish::Send(who.into(), Paths::behind(rest.trim_end())?))
}

/// Names and patterns. Behind a star there is one, which may have stars and blanks in it.
fn names(rest: &str) -> Vec<Box<str>> {
    match divided(rest) {
        ("", _) => Vec::new(),
        (text, Between::Stars) => vec![unquoted(text)],
        (text, Between::Blanks) => words(text, Between::Blanks).into_iter().map(Into::into).collect(),
    }
}

/// The one name behind a command: blanks belong to it.
fn one_name(rest: &str) -> Option<Box<str>> {
    let text = divided(rest).0;
    (!text.is_empty()).then(|| unquoted(text))
}

/// A name without the quotes around it, or with what was escaped in it.
fn unquoted(text: &str) -> Box<str> {
    match &words(text, Between::Blanks)[..] {
        [one] => one.as_str().into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(line: &str) -> Result<FileWish, &'static str> {
        let end = line.find(|c: char| c.is_whitespace() || is_star(c)).unwrap_or(line.len());
        read(&line[..end], &line[end..]).unwrap()
    }

    fn get(names: &[&str]) -> Result<FileWish, &'static str> {
        Ok(FileWish::Get(names.iter().map(|name| Box::from(*name)).collect()))
    }

    fn paths(text: &str, between: Between) -> Paths {
        Paths { text: text.into(), between }
    }

    #[test]
    fn both_languages_and_both_ways_to_divide_words_are_understood() {
        let by_blanks = paths("a.zip b.zip", Between::Blanks);
        assert_eq!(wish("put  a.zip b.zip "), Ok(FileWish::Put(by_blanks)));
        assert_eq!(wish("上传文件*我的 照片.png"), Ok(FileWish::Put(paths("我的 照片.png", Between::Stars))));
        assert_eq!(wish("上传文件 a.png"), Ok(FileWish::Put(paths("a.png", Between::Blanks))));
        assert_eq!(wish("send ben ~/a b"), Ok(FileWish::Send("ben".into(), paths("~/a b", Between::Blanks))));
        let for_ben = FileWish::Send("小阳".into(), paths("我的 照片.png", Between::Stars));
        assert_eq!(wish("发文件*小阳*我的 照片.png"), Ok(for_ben));
        assert_eq!((wish("ft"), wish("传文件")), (Ok(FileWish::AskPath), Ok(FileWish::AskPath)));
        assert_eq!(wish("rm my photo.png"), Ok(FileWish::Remove("my photo.png".into())));
        assert_eq!((wish("ls"), wish("查看文件*")), (Ok(FileWish::List(None)), Ok(FileWish::List(None))));
        assert_eq!((wish("cancel"), wish("取消*2")), (Ok(FileWish::Cancel(None)), Ok(FileWish::Cancel(Some(2)))));
    }

    #[test]
    fn a_star_in_a_pattern_is_not_what_divides_the_words() {
        assert_eq!(wish("get *.png"), get(&["*.png"]));
        assert_eq!(wish("下载文件**.png"), get(&["*.png"]));
        assert_eq!(wish("下载文件*照片?.png"), get(&["照片?.png"]));
        assert_eq!(wish("get a.png 'my photo.png' b*"), get(&["a.png", "my photo.png", "b*"]));
        assert_eq!(wish("ls homework/*"), Ok(FileWish::List(Some("homework/*".into()))));
    }

    #[test]
    fn what_is_missing_is_told() {
        for line in ["put", "上传文件*", "send ben", "发文件*", "get", "rm ", "cancel x"] {
            assert!(wish(line).is_err(), "{line}");
        }
        assert_eq!(read("history", " 5"), None);
    }
}

//! What is said about files that others bring and remove.

use super::Language::{self, En, Zh};
use super::amount::{files, size};
use super::printable;
use crate::client::shown::{Deed, Shared};

/// Files that somebody brought or removed, as a sentence.
pub(super) fn shared(language: Language, shared: &Shared) -> String {
    let files_done = match (shared.deed, shared.count) {
        (Deed::Brought, 1) => one(language, shared),
        (Deed::Brought, _) => many(language, shared),
        (Deed::Removed, 1) => match language {
            Zh => format!("文件「{}」", printable(&shared.name)),
            En => format!("the file {}", printable(&shared.name)),
        },
        (Deed::Removed, count) => files(language, count),
    };
    let who = printable(&shared.who);
    let with = shared.with.as_deref().map(printable);
    match (language, shared.deed, with) {
        (Zh, Deed::Brought, _) if who.is_empty() => format!("有新文件：{files_done}"),
        (En, Deed::Brought, _) if who.is_empty() => format!("here from the host: {files_done}"),
        (Zh, Deed::Brought, None) => format!("{who} 分享了 {files_done}"),
        (En, Deed::Brought, None) => format!("{who} shared {files_done}"),
        (Zh, Deed::Brought, Some(with)) if shared.own => format!("我发给 {with} {files_done}"),
        (En, Deed::Brought, Some(with)) if shared.own => format!("you sent {with} {files_done}"),
        (Zh, Deed::Brought, Some(_)) => format!("{who} 发给你 {files_done}"),
        (En, Deed::Brought, Some(_)) => format!("{who} sent you {files_done}"),
        (Zh, Deed::Removed, _) if who.is_empty() => format!("{files_done}已删除"),
        (En, Deed::Removed, _) if who.is_empty() => format!("removed by the host: {files_done}"),
        (Zh, Deed::Removed, _) if shared.count == 1 => format!("{who} 删除了{files_done}"),
        (Zh, Deed::Removed, _) => format!("{who} 删除了 {files_done}"),
        (En, Deed::Removed, _) => format!("{who} removed {files_done}"),
    }
}

/// `图片 640×480「照片.png」 2.1 MB · SHA-256 ab12cd34 · /get 照片.png`
fn one(language: Language, shared: &Shared) -> String {
    let kind = kind(language, &shared.media);
    let name = printable(&shared.name);
    let named = match language {
        Zh => format!("{kind}「{name}」"),
        En => format!("{kind} {name}"),
    };
    format!("{named} {} · SHA-256 {} · /get {}", size(shared.size), printable(&shared.digest), typed(&name))
}

/// `512 个文件「homework/」 5.1 MB · /get homework`
fn many(language: Language, shared: &Shared) -> String {
    let (count, bytes) = (files(language, shared.count), size(shared.size));
    let folder = printable(&shared.name);
    match (language, &*folder) {
        (Zh, "") => format!("{count} {bytes} · /ls"),
        (En, "") => format!("{count}, {bytes} · /ls"),
        (Zh, folder) => format!("{count}「{folder}/」 {bytes} · /get {}", typed(folder)),
        (En, folder) => format!("{count} in {folder}/, {bytes} · /get {}", typed(folder)),
    }
}

/// A name as it can be typed.
fn typed(name: &str) -> String {
    match (name.contains(char::is_whitespace), name.contains('"')) {
        (false, _) => name.to_owned(),
        (true, false) => format!("\"{name}\""),
        (true, true) => format!("'{name}'"),
    }
}

/// What is in a file, by its type on the wire: `image/png,640x480`.
pub fn kind(language: Language, media: &str) -> String {
    let (mime, measure) = media.split_once(',').unwrap_or((media, ""));
    let measure = measure.split_once('x').and_then(|(width, height)| {
        let (width, height): (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
        Some(format!(" {width}×{height}"))
    });
    let (family, rest) = mime.split_once('/').unwrap_or((mime, ""));
    let word = match (language, family, rest) {
        (Zh, "image", _) => "图片",
        (En, "image", _) => "picture",
        (Zh, "audio", _) => "声音",
        (En, "audio", _) => "sound",
        (Zh, "video", _) => "视频",
        (En, "video", _) => "video",
        (Zh, "text", _) => "文本",
        (En, "text", _) => "text",
        (_, _, "pdf") => "PDF",
        (Zh, _, rest) if is_archive(rest) => "压缩包",
        (En, _, rest) if is_archive(rest) => "archive",
        (Zh, ..) => "文件",
        (En, ..) => "file",
    };
    word.to_owned() + &measure.filter(|_| family == "image").unwrap_or_default()
}

fn is_archive(subtype: &str) -> bool {
    const ARCHIVES: &[&str] =
        &["zip", "gzip", "x-7z-compressed", "x-tar", "x-xz", "zstd", "x-bzip2", "vnd.rar", "x-rar-compressed", "x-rar"];
    ARCHIVES.contains(&subtype)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo() -> Shared {
        Shared {
            who: "小阳".into(),
            name: "照片.png".into(),
            size: 2_100_000,
            digest: "ab12cd34".into(),
            media: "image/png,640x480".into(),
            ..Shared::default()
        }
    }

    #[test]
    fn a_picture_that_comes_says_what_it_is_and_how_to_get_it() {
        let said = shared(Zh, &photo());
        assert_eq!(said, "小阳 分享了 图片 640×480「照片.png」 2.1 MB · SHA-256 ab12cd34 · /get 照片.png");
        let spaced = Shared { name: "my photo.png".into(), media: "".into(), who: "".into(), ..photo() };
        let said = shared(En, &spaced);
        assert_eq!(said, "here from the host: file my photo.png 2.1 MB · SHA-256 ab12cd34 · /get \"my photo.png\"");
    }

    #[test]
    fn many_files_are_one_line() {
        let many = Shared { count: 512, name: "homework".into(), ..photo() };
        assert_eq!(shared(Zh, &many), "小阳 分享了 512 个文件「homework/」 2.1 MB · /get homework");
        let gone = Shared { count: 3, deed: Deed::Removed, ..photo() };
        assert_eq!(shared(En, &gone), "小阳 removed 3 files");
        assert_eq!(shared(Zh, &Shared { count: 1, ..gone }), "小阳 删除了文件「照片.png」");
        let alone = Shared { with: Some("小阳".into()), ..photo() };
        assert!(shared(Zh, &alone).starts_with("小阳 发给你 图片 640×480「照片.png」"));
    }

    #[test]
    fn eve_prints_nothing_with_names_types_and_digests() {
        let evil = "\u{1b}[2J\u{202e}x";
        for (deed, count) in [(Deed::Brought, 1), (Deed::Brought, 2), (Deed::Removed, 1), (Deed::Removed, 2)] {
            let shared = Shared {
                who: evil.into(),
                name: evil.into(),
                digest: evil.into(),
                media: format!("image/{evil},{evil}x7").into(),
                deed,
                count,
                ..Shared::default()
            };
            for language in [Zh, En] {
                let said = super::shared(language, &shared);
                assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said:?}");
            }
        }
        assert_eq!(kind(Zh, "image/png,99999999999x1"), "图片");
        assert_eq!((kind(Zh, "application/zip"), kind(En, "audio/ogg,1x1")), ("压缩包".into(), "sound".into()));
    }
}

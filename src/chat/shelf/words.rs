//! How sizes, kinds and names are written in notices, lines and links.

use std::fmt::Write;

use crate::wire::media::Media;

/// `999 B`, `12.3 MB`: as disks and browsers count, in thousands.
pub fn size_words(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (bytes / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        (tenths, unit) = (tenths / 1000, unit + 1);
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// What a file is, for people: `图片 picture 640×480`; nothing for what is only a file.
pub fn kind_words(media: Media) -> Option<String> {
    match media {
        Media::Picture(_, Some((width, height))) => Some(format!("图片 picture {width}×{height}")),
        Media::Picture(_, None) => Some("图片 picture".into()),
        Media::Sound(_) => Some("声音 sound".into()),
        Media::Video(_) => Some("视频 video".into()),
        Media::Text => Some("文本 text".into()),
        Media::Other(_) | Media::Unknown => None,
    }
}

/// A name as it stands in a link or in one word of a line: percent-encoded (RFC 3986), but for `/`.
pub fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

/// What a program is told of what is in a file, as a message tag; nothing when that is nothing.
pub fn media_tag(media: Media) -> Option<Box<str>> {
    (media != Media::Unknown).then(|| {
        let mut tag = String::from("gzy/media=");
        crate::wire::line::escape_into(&media.to_string(), &mut tag);
        tag.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short_and_never_rounded_up() {
        for (bytes, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (12_345_678, "12.3 MB"),
            (999_999, "999.9 kB"),
            (5 << 30, "5.3 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(size_words(bytes), words);
        }
    }

    #[test]
    fn a_name_in_a_link_is_one_word_of_plain_letters() {
        assert_eq!(encoded("周/a b%.zip"), "%E5%91%A8/a%20b%25.zip");
        assert_eq!(
            media_tag(Media::Picture("image/png", Some((640, 480)))).as_deref(),
            Some("gzy/media=image/png,640x480")
        );
        assert_eq!(media_tag(Media::Unknown), None);
    }
}

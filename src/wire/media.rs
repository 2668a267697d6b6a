//! What is in a file, by its first bytes: a picture with its size, sound, video, or something else. Never by its name.

mod picture;

use std::fmt;

/// The first bytes of a file that [`Media::of`] looks at: all headers that say a picture's size are in them, but for a JPEG with a large preview.
pub const MEDIA_BYTES: usize = 64 << 10;

/// What is in a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Media {
    /// A picture: its type, and width and height in pixels where its first bytes say them.
    Picture(&'static str, Option<(u32, u32)>),
    /// Sound.
    Sound(&'static str),
    /// Moving pictures.
    Video(&'static str),
    /// Text in UTF-8.
    Text,
    /// Anything else that is known: an archive, a document.
    Other(&'static str),
    /// Nothing that is known.
    #[default]
    Unknown,
}

const TEXT: &str = "text/plain";
const UNKNOWN: &str = "application/octet-stream";

const AVIF: Media = Media::Picture("image/avif", None);
const HEIC: Media = Media::Picture("image/heic", None);
const AAC: Media = Media::Sound("audio/aac");
const MP3: Media = Media::Sound("audio/mpeg");
const M4A: Media = Media::Sound("audio/mp4");
const OGG: Media = Media::Sound("audio/ogg");
const WAV: Media = Media::Sound("audio/wav");
const AVI: Media = Media::Video("video/x-msvideo");
const MATROSKA: Media = Media::Video("video/matroska");
const MP4: Media = Media::Video("video/mp4");
const OGV: Media = Media::Video("video/ogg");
const MPEG_TS: Media = Media::Video("video/mp2t");
const QUICKTIME: Media = Media::Video("video/quicktime");
const WEBM: Media = Media::Video("video/webm");
const TAR: Media = Media::Other("application/x-tar");

/// What is known by how it begins, and nothing else needs to be looked at.
const BEGINNINGS: &[(&[u8], Media)] = &[
    (b"ID3", MP3),
    (b"fLaC", Media::Sound("audio/flac")),
    (b"#!AMR", Media::Sound("audio/amr")),
    (b"MThd\0\0\0\x06", Media::Sound("audio/midi")),
    (b"FLV\x01", Media::Video("video/x-flv")),
    (b"\0\0\x01\xba", Media::Video("video/mpeg")),
    (b"%PDF-", Media::Other("application/pdf")),
    (b"PK\x03\x04", Media::Other("application/zip")),
    (b"PK\x05\x06", Media::Other("application/zip")),
    (b"\x1f\x8b\x08", Media::Other("application/gzip")),
    (b"\xfd7zXZ\0", Media::Other("application/x-xz")),
    (b"\x28\xb5\x2f\xfd", Media::Other("application/zstd")),
    (b"7z\xbc\xaf\x27\x1c", Media::Other("application/x-7z-compressed")),
    (b"Rar!\x1a\x07", Media::Other("application/vnd.rar")),
];

/// What more bytes than the beginning are needed for.
const OTHERS: &[Media] = &[
    AVIF,
    HEIC,
    AAC,
    M4A,
    OGG,
    WAV,
    AVI,
    MATROSKA,
    MP4,
    OGV,
    MPEG_TS,
    QUICKTIME,
    WEBM,
    TAR,
    Media::Text,
    Media::Unknown,
];

impl Media {
    /// What is in a file with these first bytes: [`MEDIA_BYTES`] of them, or all that it has.
    pub fn of(first: &[u8]) -> Media {
        if let Some((kind, size)) = picture::of(first) {
            return Media::Picture(kind, size);
        }
        let by_beginning =
            BEGINNINGS.iter().find(|(beginning, _)| first.starts_with(beginning)).map(|(_, media)| *media);
        by_beginning
            .or_else(|| of_boxes(first))
            .or_else(|| of_chunks(first))
            .or_else(|| of_frames(first))
            .or_else(|| is_text(first).then_some(Media::Text))
            .unwrap_or_default()
    }

    /// What [`Display`](fmt::Display) has written.
    pub fn parse(token: &str) -> Option<Media> {
        let (kind, size) = token.split_once(',').map_or((token, None), |(kind, size)| (kind, Some(size)));
        if let Some(kind) = picture::KINDS.iter().find(|known| **known == kind) {
            let size = size.map(|size| {
                let (width, height) = size.split_once('x')?;
                Some((decimal(width)?, decimal(height)?))
            });
            return Some(Media::Picture(
                kind,
                match size {
                    Some(size) => Some(size?),
                    None => None,
                },
            ));
        }
        let known = BEGINNINGS.iter().map(|(_, media)| media).chain(OTHERS);
        known.copied().find(|media| size.is_none() && media.kind() == kind)
    }

    /// Its type (RFC 6838).
    pub fn kind(&self) -> &'static str {
        match self {
            Media::Picture(kind, _) | Media::Sound(kind) | Media::Video(kind) | Media::Other(kind) => kind,
            Media::Text => TEXT,
            Media::Unknown => UNKNOWN,
        }
    }
}

impl fmt::Display for Media {
    /// The token on the wire and in the database: the type (RFC 6838), and `,640x480` for a picture whose size is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Media::Picture(_, Some((width, height))) => write!(f, ",{width}x{height}"),
            _ => Ok(()),
        }
    }
}

/// As a number is written back: no sign, no zero in front.
fn decimal(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

/// The ISO family (ISO/IEC 14496-12): the brand in the first box says which of them.
fn of_boxes(first: &[u8]) -> Option<Media> {
    let (length, rest) = first.split_first_chunk::<4>()?;
    let brands = rest.strip_prefix(b"ftyp")?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?.saturating_sub(8);
    let mut brands = brands[..length.min(brands.len())].chunks_exact(4);
    let main = brands.next()?;
    let has = |wanted: &[u8]| main == wanted || brands.clone().skip(1).any(|brand| brand == wanted);
    Some(match main {
        b"avif" | b"avis" => AVIF,
        b"heic" | b"heix" | b"heim" | b"heis" => HEIC,
        b"mif1" | b"msf1" if has(b"avif") => AVIF,
        b"mif1" | b"msf1" => HEIC,
        b"M4A " | b"M4B " => M4A,
        b"qt  " => QUICKTIME,
        _ => MP4,
    })
}

/// Files that say what they are behind a few bytes of their container.
fn of_chunks(first: &[u8]) -> Option<Media> {
    let at = |from: usize, what: &[u8]| first.get(from..).is_some_and(|rest| rest.starts_with(what));
    if at(0, b"RIFF") {
        return if at(8, b"WAVE") { Some(WAV) } else { at(8, b"AVI ").then_some(AVI) };
    }
    if at(0, b"OggS") {
        return Some(if at(28, b"\x80theora") { OGV } else { OGG });
    }
    if at(0, b"\x1a\x45\xdf\xa3") {
        // The name of the kind stands in the first element.
        let head = &first[..first.len().min(64)];
        return Some(if head.windows(4).any(|four| four == b"webm") { WEBM } else { MATROSKA });
    }
    at(257, b"ustar").then_some(TAR)
}

/// Files that are frames from the first byte on.
fn of_frames(first: &[u8]) -> Option<Media> {
    match first {
        [0xff, 0xf0 | 0xf1 | 0xf8 | 0xf9, third, ..] if third >> 2 & 15 < 13 => Some(AAC),
        // Layer III with a bit rate and a sampling rate that exist.
        [0xff, second, third, ..] if second & 0xe6 == 0xe2 && !matches!(third >> 4, 0 | 15) && third >> 2 & 3 != 3 => {
            Some(MP3)
        }
        _ => [0, 188, 376].iter().all(|at| first.get(*at) == Some(&0x47)).then_some(MPEG_TS),
    }
}

/// UTF-8 without what no text has. The first bytes may end inside a character.
fn is_text(first: &[u8]) -> bool {
    let text = match std::str::from_utf8(first) {
        Ok(text) => text,
        Err(why) if why.error_len().is_none() && first.len() >= MEDIA_BYTES => {
            std::str::from_utf8(&first[..why.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    // Escapes colour the logs of many programs.
    let is_texts = |b: u8| b >= b' ' && b != 0x7f || matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    !text.is_empty() && text.bytes().all(is_texts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_in_a_file_is_seen_by_its_first_bytes() {
        let tar = [&[b'a'; 257][..], b"ustar\0"].concat();
        let stream: Vec<u8> = (0..400).map(|i| if i % 188 == 0 { 0x47 } else { 0xff }).collect();
        for (first, kind) in [
            (&b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41"[..], "video/mp4"),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime"),
            (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42", "audio/mp4"),
            (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "image/avif"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "image/heic"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "image/avif"),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm"),
            (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska", "video/matroska"),
            (b"RIFF\x24\0\0\0AVI LIST", "video/x-msvideo"),
            (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
            (b"ID3\x04\0\0\0\0\0\0", "audio/mpeg"),
            (b"\xff\xfb\x90\x64\0\0", "audio/mpeg"),
            (b"\xff\xf1\x50\x80\0\0", "audio/aac"),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead", "audio/ogg"),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x2a\x80theora", "video/ogg"),
            (b"fLaC\0\0\0\x22", "audio/flac"),
            (b"%PDF-1.7\n", "application/pdf"),
            (b"PK\x03\x04\x14\0", "application/zip"),
            (b"\x1f\x8b\x08\0", "application/gzip"),
            (b"\xfd7zXZ\0", "application/x-xz"),
            (b"\x28\xb5\x2f\xfd", "application/zstd"),
            (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
            (&tar, "application/x-tar"),
            (&stream, "video/mp2t"),
            ("作业：第一周\n".as_bytes(), "text/plain"),
            (b"<html><script>alert(1)</script>", "text/plain"),
            (b"", "application/octet-stream"),
            (b"\x7fELF\x02\x01\x01\0", "application/octet-stream"),
            (b"\xff\xfea\0b\0", "application/octet-stream"),
            (b"caf\xe9", "application/octet-stream"),
        ] {
            let media = Media::of(first);
            assert_eq!(media.kind(), kind, "{first:?}");
            assert_eq!(Media::parse(&media.to_string()), Some(media), "{kind}");
        }
    }

    #[test]
    fn chinese_text_that_is_cut_inside_a_character_is_text() {
        let long = "阳".repeat(MEDIA_BYTES / 3 + 1);
        assert_eq!(Media::of(&long.as_bytes()[..MEDIA_BYTES]), Media::Text);
        assert_eq!(Media::of(&"阳".as_bytes()[..2]), Media::Unknown);
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        for media in [Media::Picture("image/png", Some((640, 480))), Media::Picture("image/png", None), Media::Unknown]
        {
            assert_eq!(Media::parse(&media.to_string()), Some(media));
        }
        for wrong in [
            "",
            "image/x",
            "image/png,",
            "image/png,640",
            "image/png,640x",
            "image/png,+1x2",
            "image/png,01x2",
            "text/plain,1x1",
            "image/png,1x99999999999",
            "IMAGE/PNG",
        ] {
            assert_eq!(Media::parse(wrong), None, "{wrong}");
        }
    }

    /// How each kind begins, so that random bytes get beyond the first look.
    fn beginning() -> impl Strategy<Value = Vec<u8>> {
        let known: Vec<Vec<u8>> = [
            &b"\xff\xd8\xff"[..],
            b"\x89PNG\r\n\x1a\n",
            b"GIF89a",
            b"RIFF\0\0\0\0WEBPVP8 ",
            b"RIFF\0\0\0\0WEBPVP8L",
            b"RIFF\0\0\0\0WEBPVP8X",
            b"BM",
            b"\0\0\0\x20ftyp",
            b"\x1a\x45\xdf\xa3",
            b"OggS",
            b"\xff",
            b"",
        ]
        .iter()
        .map(|beginning| beginning.to_vec())
        .collect();
        proptest::sample::select(known)
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(begin in beginning(), rest in proptest::collection::vec(any::<u8>(), 0..600)) {
            let media = Media::of(&[begin, rest].concat());
            prop_assert_eq!(Media::parse(&media.to_string()), Some(media));
        }

        #[test]
        fn no_token_is_too_strange(token in "(image/(png|jpeg)|text/plain|\\PC{0,9}),?\\PC{0,9}") {
            if let Some(media) = Media::parse(&token) {
                prop_assert_eq!(media.to_string(), token);
            }
        }
    }
}

//! What is in a file, by its first bytes: a picture with its size, sound, video, or something else. Never by its name.

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

impl fmt::Display for Media {
    /// The token on the wire and in the database: the type (RFC 6838), and `,640x480` for a picture whose size is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Media::Picture(mime, Some((width, height))) => write!(f, "{mime},{width}x{height}"),
            Media::Picture(mime, None) | Media::Sound(mime) | Media::Video(mime) | Media::Other(mime) => {
                f.write_str(mime)
            }
            Media::Text => f.write_str("text/plain"),
            Media::Unknown => f.write_str("application/octet-stream"),
        }
    }
}

/// The types that have a token of their own.
const KINDS: &[Media] = &[
    Media::Picture("image/png", None),
    Media::Picture("image/jpeg", None),
    Media::Picture("image/gif", None),
    Media::Picture("image/webp", None),
    Media::Sound("audio/mpeg"),
    Media::Video("video/mp4"),
    Media::Text,
    Media::Other("application/zip"),
    Media::Other("application/pdf"),
];

impl Media {
    /// Reads what `Display` writes; what is not known is [`Media::Unknown`].
    pub fn parse(text: &str) -> Media {
        let (mime, size) = text.split_once(',').unwrap_or((text, ""));
        let size = size.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        match KINDS.iter().copied().find(|kind| kind.to_string() == mime) {
            Some(Media::Picture(mime, _)) => Media::Picture(mime, size),
            Some(kind) => kind,
            None => Media::Unknown,
        }
    }
}

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

impl Media {
    /// What is in a file with these first bytes ([`MEDIA_BYTES`] of them, or all).
    pub fn of(_first: &[u8]) -> Media {
        Media::Unknown
    }
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

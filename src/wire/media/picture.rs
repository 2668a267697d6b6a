//! How large is a picture, by its head? Only the head is read, and no size in it is trusted with memory.

/// The types of pictures that are known, with a size or without.
pub const KINDS: &[&str] = &[PNG, JPEG, GIF, WEBP, BMP, "image/avif", "image/heic"];

const PNG: &str = "image/png";
const JPEG: &str = "image/jpeg";
const GIF: &str = "image/gif";
const WEBP: &str = "image/webp";
const BMP: &str = "image/bmp";

/// Width and height in pixels.
type Size = (u32, u32);

/// The type of a picture, and its size where its first bytes say it.
pub fn of(first: &[u8]) -> Option<(&'static str, Option<Size>)> {
    let (kind, size) = match first {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', rest @ ..] => (PNG, png(rest)),
        [0xff, 0xd8, 0xff, ..] => (JPEG, jpeg(&first[2..])),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', rest @ ..] => (GIF, gif(rest)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', rest @ ..] => (WEBP, webp(rest)),
        [b'B', b'M', ..] => (BMP, Some(bmp(first)?)),
        _ => return None,
    };
    Some((kind, size.filter(|(width, height)| *width > 0 && *height > 0)))
}

/// Behind the signature the first chunk, `IHDR`.
fn png(rest: &[u8]) -> Option<Size> {
    let head = rest.get(4..)?.strip_prefix(b"IHDR")?;
    Some((be32(head, 0)?, be32(head, 4)?))
}

fn gif(rest: &[u8]) -> Option<Size> {
    Some((le16(rest, 0)?, le16(rest, 2)?))
}

/// Segments, each a marker and its length, up to the one that begins a frame (ITU T.81, table B.1).
fn jpeg(mut rest: &[u8]) -> Option<Size> {
    loop {
        let [0xff, marker, after @ ..] = rest else { return None };
        match marker {
            // Filling.
            0xff => rest = &rest[1..],
            // No length follows.
            0x01 | 0xd0..=0xd8 => rest = after,
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some((be16(after, 5)?, be16(after, 3)?));
            }
            // The pixels, or the end: no frame was before them.
            0xd9 | 0xda => return None,
            _ => rest = after.get(usize::try_from(be16(after, 0)?.max(2)).ok()?..)?,
        }
    }
}

/// One of three kinds of the first chunk (RFC 9649).
fn webp(rest: &[u8]) -> Option<Size> {
    let (kind, chunk) = rest.split_first_chunk::<4>()?;
    let data = chunk.get(4..)?;
    match kind {
        b"VP8 " if data.get(3..6)? == b"\x9d\x01\x2a" => Some((le16(data, 6)? & 0x3fff, le16(data, 8)? & 0x3fff)),
        b"VP8L" if data.first()? == &0x2f => {
            let bits = le32(data, 1)?;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => {
            let less_one = |at| Some(le16(data, at)? | u32::from(*data.get(at + 2)?) << 16);
            Some((less_one(4)? + 1, less_one(7)? + 1))
        }
        _ => None,
    }
}

/// `BM` begins many a text; the head behind it has one of a few lengths.
fn bmp(first: &[u8]) -> Option<Size> {
    if le32(first, 6)? != 0 {
        return None;
    }
    match le32(first, 14)? {
        12 => Some((le16(first, 18)?, le16(first, 20)?)),
        // A negative height only means that the first line is the top one.
        40 | 52 | 56 | 64 | 108 | 124 => Some((le32(first, 18)?, le32(first, 22)?.cast_signed().unsigned_abs())),
        _ => None,
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_picture_is_read_from_its_head() {
        let jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xff\xdb\0\x03\0\xff\xc2\0\x11\x08\x01\xe0\x02\x80\x03";
        for (first, kind) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06"[..], PNG),
            (jpeg, JPEG),
            (b"GIF89a\x80\x02\xe0\x01\xf7\0", GIF),
            (b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\x30\x01\0\x9d\x01\x2a\x80\x02\xe0\x01", WEBP),
            (b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x7f\xc2\x77\x00", WEBP),
            (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\x7f\x02\0\xdf\x01\0", WEBP),
            (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x80\x02\0\0\x20\xfe\xff\xff\x01\0", BMP),
        ] {
            assert_eq!(of(first), Some((kind, Some((640, 480)))), "{kind}");
        }
    }

    #[test]
    fn a_head_that_is_cut_off_or_says_nothing_leaves_the_size_open() {
        for first in [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"[..], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\0"] {
            assert_eq!(of(first), Some((PNG, None)));
        }
        for first in [&b"\xff\xd8\xff\xda\0\x02"[..], b"\xff\xd8\xff\xe0\xff\xff", b"\xff\xd8\xff\xff\xff\xff"] {
            assert_eq!(of(first), Some((JPEG, None)));
        }
        assert_eq!(of(b"BMW is a car, and this is a letter about it."), None);
    }
}

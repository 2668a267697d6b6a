//! The few requests that move bytes, and the answers to them: HTTP/1.1 (RFC 9110, RFC 9112), text only.

use crate::wire::digest::Digest;

/// The longest head of an answer that is read.
pub(super) const HEAD_BYTES: usize = 16 << 10;

/// Fields in a head that are looked at.
const FIELDS: usize = 64;

/// Asks to take bytes from an offset on.
pub(super) fn bring(host: &str, token: &str, offset: u64, length: u64) -> String {
    format!(
        "PATCH /t/{token} HTTP/1.1\r\nHost: {host}\r\nUpload-Offset: {offset}\r\nContent-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Asks for bytes from an offset on.
pub(super) fn fetch(host: &str, token: &str, offset: u64) -> String {
    let range = if offset > 0 { format!("Range: bytes={offset}-\r\n") } else { String::new() };
    format!("GET /t/{token} HTTP/1.1\r\nHost: {host}\r\n{range}\r\n")
}

/// The head of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Head {
    /// Its status.
    pub(super) status: u16,
    /// How long its body is; `None` when it ends with the connection, or in a way that is not read here.
    pub(super) length: Option<u64>,
    /// The first byte of `Content-Range`.
    pub(super) from: Option<u64>,
    /// `Repr-Digest` (RFC 9530).
    pub(super) digest: Option<Digest>,
    /// Nothing can be asked on this connection any more.
    pub(super) closes: bool,
}

/// What the bytes that came so far are.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Read {
    /// A head, of so many bytes.
    Head(Head, usize),
    /// The beginning of one.
    More,
    /// No HTTP.
    Odd,
}

/// Reads the head of an answer at the beginning of `bytes`.
pub(super) fn head(bytes: &[u8]) -> Read {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut answer = httparse::Response::new(&mut fields);
    let length = match answer.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_BYTES => return Read::More,
        Ok(httparse::Status::Partial) | Err(_) => return Read::Odd,
    };
    let mut head = Head { status: answer.code.unwrap_or_default(), ..Head::default() };
    head.closes = answer.version == Some(0);
    let mut has_other_framing = false;
    for field in answer.headers.iter() {
        let Ok(value) = std::str::from_utf8(field.value).map(str::trim) else { continue };
        match field.name.to_ascii_lowercase().as_str() {
            "content-length" => match value.parse() {
                Ok(length) if head.length.is_none_or(|other| other == length) => head.length = Some(length),
                _ => return Read::Odd,
            },
            "content-range" => head.from = first_of(value),
            "repr-digest" => head.digest = sha256_of(value),
            "transfer-encoding" => has_other_framing = true,
            "connection" => head.closes |= value.split(',').any(|word| word.trim().eq_ignore_ascii_case("close")),
            _ => {}
        }
    }
    // These have no body, whatever else they say.
    if head.status < 200 || matches!(head.status, 204 | 304) {
        head.length = Some(0);
    } else if has_other_framing {
        head.length = None;
    }
    head.closes |= head.length.is_none();
    Read::Head(head, length)
}

/// The first byte of `bytes 5-9/10`.
fn first_of(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}

/// The digest in `sha-256=:…:`, among others.
fn sha256_of(value: &str) -> Option<Digest> {
    let item = value.split(',').find_map(|item| item.trim().strip_prefix("sha-256=:"))?;
    Digest::from_base64(item.strip_suffix(':')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Head {
        let Read::Head(head, length) = head(text.as_bytes()) else { panic!("{text:?}") };
        assert_eq!(length, text.find("\r\n\r\n").unwrap() + 4);
        head
    }

    #[test]
    fn an_answer_says_what_follows_and_whether_more_can_be_asked() {
        let digest = Digest::from_base64("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=").unwrap();
        let stored = "HTTP/1.1 204 No Content\r\nRepr-Digest: md5=:x:, sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\n\r\nHTTP/1.1";
        assert_eq!(read(stored), Head { status: 204, length: Some(0), digest: Some(digest), ..Head::default() });
        let part =
            read("HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\nContent-Range: bytes 5-9/10\r\n\r\n56789");
        assert_eq!(part, Head { status: 206, length: Some(5), from: Some(5), ..Head::default() });
        assert!(read("HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n").closes);
        let chunked = read("HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n");
        assert_eq!((chunked.length, chunked.closes), (None, true));
        assert!(read("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n").closes);
    }

    #[test]
    fn half_heads_wait_and_odd_ones_are_told_apart() {
        assert_eq!(head(b""), Read::More);
        assert_eq!(head(b"HTTP/1.1 204 No Con"), Read::More);
        let twice = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
        let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; HEAD_BYTES]].concat();
        for odd in [&b"ERROR :too slow\r\n"[..], b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", twice, &endless] {
            assert_eq!(head(odd), Read::Odd, "{}", String::from_utf8_lossy(odd));
        }
    }

    #[test]
    fn requests_are_whole_and_ask_for_the_rest_only() {
        let bring = bring("board:510", "t0", 7, 3);
        assert!(bring.starts_with("PATCH /t/t0 HTTP/1.1\r\nHost: board:510\r\nUpload-Offset: 7\r\n"), "{bring}");
        assert!(bring.ends_with("Content-Length: 3\r\n\r\n"));
        assert_eq!(fetch("b", "t", 0), "GET /t/t HTTP/1.1\r\nHost: b\r\n\r\n");
        assert_eq!(fetch("b", "t", 9), "GET /t/t HTTP/1.1\r\nHost: b\r\nRange: bytes=9-\r\n\r\n");
    }
}

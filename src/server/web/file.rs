//! What is answered to a request for a file, before a byte of it moves: conditions, ranges, and what a browser may do with it.

use crate::chat::shelf::web::Outgoing;
use crate::store::file::Scope;
use crate::wire::http::answer::AnswerHead;
use crate::wire::http::head::{Field, Head, Method};
use crate::wire::http::range::{self, Part};
use crate::wire::http::{condition, date, digests, disposition};
use crate::wire::media::Media;

use super::answer::{Answer, empty, text};

/// What a browser may do with a file that it shows: nothing. It is a stranger's, and the page would be ours.
const SANDBOX: &str = "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'";
/// Browsers show a PDF in a program of theirs that a sandbox keeps from starting. It is not a page, so it has no rights to take away.
const NO_SANDBOX: &str = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'";
const PDF: &str = "application/pdf";

/// How a request for a file goes on.
pub enum Plan {
    /// Everything is said.
    Say(Answer),
    /// The head, and then these bytes of the file.
    Send {
        /// The head, with the length.
        head: AnswerHead,
        /// The first byte.
        start: u64,
        /// How many; 0 for HEAD.
        length: u64,
    },
}

/// Looks at the conditions (RFC 9110 section 13.2.2), then at the range.
pub fn plan(request: &Head, file: &Outgoing, now: &str) -> Plan {
    let last_modified = date::write(file.stored_ms);
    if request.field(Field::IfMatch).is_some_and(|list| !condition::is_matched(list, &file.digest)) {
        return Plan::Say(text(AnswerHead::new(412, now), "the file is not the one that you asked for; get it anew"));
    }
    if is_known(request, file) {
        let head =
            AnswerHead::new(304, now).field("ETag", &condition::etag(&file.digest)).field("Cache-Control", "no-cache");
        return Plan::Say(empty(head));
    }
    let size = file.stamp.size;
    let range = request.field(Field::Range).filter(|_| {
        request.method == Method::Get
            && condition::allows_range(request.field(Field::IfRange), &file.digest, &last_modified)
    });
    let (status, start, length) = match range::asked(range, size) {
        Part::Whole => (200, 0, size),
        Part::Bytes { start, length } => (206, start, length),
        Part::Nothing => {
            let head = AnswerHead::new(416, now).field("Content-Range", &format!("bytes */{size}"));
            return Plan::Say(text(
                head,
                &format!("the file has {size} bytes; none of those that you asked for is there"),
            ));
        }
    };
    let mut head = AnswerHead::new(status, now).number("Content-Length", length);
    if status == 206 {
        head = head.field("Content-Range", &format!("bytes {start}-{}/{size}", start + length - 1));
    }
    let head = describe(head, file, &last_modified);
    Plan::Send { head, start, length: if request.method == Method::Head { 0 } else { length } }
}

/// Whether the one who asks has it already.
fn is_known(request: &Head, file: &Outgoing) -> bool {
    if let Some(list) = request.field(Field::IfNoneMatch) {
        return condition::is_named(list, &file.digest);
    }
    let since = request.field(Field::IfModifiedSince).and_then(date::read);
    since.is_some_and(|since| i64::try_from(file.stored_ms / 1000).is_ok_and(|stored| stored <= since))
}

fn describe(head: AnswerHead, file: &Outgoing, last_modified: &str) -> AnswerHead {
    let (kind, is_inline) = kind(file.media);
    head.field("Content-Type", kind)
        .field("ETag", &condition::etag(&file.digest))
        .field("Repr-Digest", &digests::sha256(&file.digest))
        .field("Last-Modified", last_modified)
        .field("Accept-Ranges", "bytes")
        .field("Content-Disposition", &disposition::write(is_inline, file.file.name.last()))
        .field("Cache-Control", if file.file.scope == Scope::Public { "no-cache" } else { "private, no-cache" })
        .field("X-Content-Type-Options", "nosniff")
        .field("Content-Security-Policy", if kind == PDF { NO_SANDBOX } else { SANDBOX })
}

/// The content type, and whether a browser shows it rather than saves it.
fn kind(media: Media) -> (&'static str, bool) {
    match media {
        Media::Picture(mime, _) | Media::Sound(mime) | Media::Video(mime) => (mime, true),
        Media::Text => ("text/plain; charset=utf-8", true),
        Media::Other(mime) => (mime, mime == PDF),
        Media::Unknown => ("application/octet-stream", false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::{FileKey, Stamp};
    use crate::wire::digest::Digest;
    use crate::wire::file_name::FileName;

    fn file() -> Outgoing {
        Outgoing {
            file: FileKey { scope: Scope::Public, name: FileName::parse("作业/图.png").unwrap() },
            digest: Digest([0xab; 32]),
            stored_ms: 784_111_777_123,
            media: Media::Picture("image/png", Some((640, 480))),
            stamp: Stamp { size: 100, ..Stamp::default() },
        }
    }

    fn asked(fields: &str) -> Plan {
        let head = Head::parse(format!("GET /cloud/a HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes()).unwrap();
        plan(&head, &file(), "now")
    }

    fn status(plan: &Plan) -> u16 {
        let head = match plan {
            Plan::Say(answer) => answer.head.clone(),
            Plan::Send { head, .. } => head.clone(),
        };
        head.end()[9..12].parse().unwrap()
    }

    #[test]
    fn the_whole_file_is_described() {
        let Plan::Send { head, start, length } = asked("") else { panic!("it is sent") };
        let head = head.end();
        assert_eq!((start, length), (0, 100));
        for field in [
            "HTTP/1.1 200 OK\r\n",
            "Content-Length: 100\r\n",
            "Content-Type: image/png\r\n",
            "ETag: \"abababab",
            "Repr-Digest: sha-256=:q6ur",
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
            "Accept-Ranges: bytes\r\n",
            "Content-Disposition: inline; filename=\"_.png\"; filename*=UTF-8''%E5%9B%BE.png\r\n",
            "X-Content-Type-Options: nosniff\r\n",
            "Content-Security-Policy: sandbox; default-src 'none'",
        ] {
            assert!(head.contains(field), "{field} in {head}");
        }
    }

    #[test]
    fn a_range_is_a_part_and_what_is_not_there_is_said() {
        let plan = asked("Range: bytes=90-\r\n");
        assert_eq!(status(&plan), 206);
        let Plan::Send { head, start: 90, length: 10 } = plan else { panic!("ten bytes are sent") };
        assert!(head.end().contains("Content-Range: bytes 90-99/100\r\n"));
        let Plan::Say(answer) = asked("Range: bytes=100-\r\n") else { panic!("nothing is sent") };
        assert!(answer.head.end().contains("Content-Range: bytes */100\r\n"));
    }

    #[test]
    fn conditions_come_before_ranges() {
        let ours = condition::etag(&file().digest);
        for (fields, expected) in [
            (format!("If-None-Match: {ours}\r\n"), 304),
            ("If-None-Match: \"x\"\r\nRange: bytes=0-1\r\n".into(), 206),
            ("If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n".into(), 200),
            ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n".into(), 304),
            ("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n".into(), 200),
            ("If-Match: \"x\"\r\n".into(), 412),
            (format!("If-Match: {ours}\r\nRange: bytes=0-1\r\n"), 206),
            (format!("If-Range: {ours}\r\nRange: bytes=0-1\r\n"), 206),
            ("If-Range: \"x\"\r\nRange: bytes=0-1\r\n".into(), 200),
            ("If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\nRange: bytes=0-1\r\n".into(), 206),
            ("If-Range: Sun, 06 Nov 1994 08:49:30 GMT\r\nRange: bytes=0-1\r\n".into(), 200),
        ] {
            assert_eq!(status(&asked(&fields)), expected, "{fields}");
        }
    }

    #[test]
    fn what_a_browser_could_run_it_saves() {
        assert_eq!(kind(Media::Text), ("text/plain; charset=utf-8", true));
        assert_eq!(kind(Media::Other(PDF)), (PDF, true));
        assert_eq!(kind(Media::Other("application/zip")), ("application/zip", false));
        assert_eq!(kind(Media::Unknown), ("application/octet-stream", false));
    }
}

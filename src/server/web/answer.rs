//! What are the answers that are known before a byte of a file moves?

use crate::chat::shelf::order::Fault;
use crate::store::file::{FileKey, Scope};
use crate::wire::digest::Digest;
use crate::wire::http::answer::AnswerHead;
use crate::wire::http::{BadRequest, condition, digests, path};

/// A whole answer but for the fields that say what becomes of the connection.
pub struct Answer {
    /// Its head so far.
    pub head: AnswerHead,
    /// Its body; `None` where the status has none.
    pub body: Option<Vec<u8>>,
}

/// Why something is not done: a status, a sentence, and the offset that would have been right.
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// One clear sentence.
    pub sentence: Box<str>,
    /// `Upload-Offset`.
    pub offset: Option<u64>,
}

impl Refusal {
    /// Without an offset.
    pub fn new(status: u16, sentence: &str) -> Refusal {
        Refusal { status, sentence: sentence.into(), offset: None }
    }

    /// The answer that says it.
    pub fn answer(&self, date: &str, network: &str) -> Answer {
        let mut head = AnswerHead::new(self.status, date);
        head = match self.status {
            401 => head.field("WWW-Authenticate", &format!("Basic realm=\"{}\", charset=\"UTF-8\"", realm(network))),
            503 | 429 => head.number("Retry-After", RETRY_SECS),
            _ => head,
        };
        if let Some(offset) = self.offset {
            head = head.number("Upload-Offset", offset);
        }
        text(head, &self.sentence)
    }
}

impl From<BadRequest> for Refusal {
    fn from(why: BadRequest) -> Refusal {
        Refusal::new(why.status, why.sentence)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        match fault {
            Fault::DigestMismatch => Refusal::new(
                422,
                "the SHA-256 of what arrived is not the one that was announced; nothing was kept, send it again",
            ),
            Fault::TooLarge => Refusal::new(413, "that is more than was announced, or more than is allowed here"),
            Fault::DiskFull => Refusal::new(507, "the server's disk is full; ask its host to make room, then go on"),
            Fault::NameTaken => Refusal::new(409, "another file has that name; choose another one"),
            Fault::WrongOffset(offset) => Refusal {
                offset: Some(offset),
                ..Refusal::new(409, "the bytes begin at the wrong place; Upload-Offset says the right one")
            },
            Fault::Superseded => Refusal::new(409, "another connection sends this upload by now"),
            Fault::Io(why) => {
                // The system's words may name the host's folders.
                log::warn!("an upload failed: {}", crate::wire::escape::printable(&why));
                Refusal::new(500, "the server cannot write the file; its log says why, try again later")
            }
        }
    }
}

/// Seconds after which it is worth trying again.
const RETRY_SECS: u64 = 5;

/// The network's name, as far as a quoted string takes it.
fn realm(network: &str) -> String {
    network.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
}

/// A sentence for people.
pub fn text(head: AnswerHead, sentence: &str) -> Answer {
    let head = head.field("Content-Type", "text/plain; charset=utf-8").field("X-Content-Type-Options", "nosniff");
    Answer { head, body: Some(format!("{sentence}\n").into_bytes()) }
}

/// An answer that has no body at all.
pub fn empty(head: AnswerHead) -> Answer {
    Answer { head, body: None }
}

/// How the second answer to an upload is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Brought {
    /// By PATCH: so many bytes there are.
    Patch(u64),
    /// By PUT.
    Put,
    /// By POST.
    Post,
}

/// An upload is a file.
pub fn stored(date: &str, how: Brought, file: &FileKey, digest: &Digest, is_new: bool) -> Answer {
    let status = match how {
        Brought::Patch(_) => 204,
        Brought::Put if !is_new => 200,
        Brought::Put | Brought::Post => 201,
    };
    let mut head = AnswerHead::new(status, date)
        .field("Repr-Digest", &digests::sha256(digest))
        .field("ETag", &condition::etag(digest));
    if let Brought::Patch(offset) = how {
        return empty(head.number("Upload-Offset", offset).field("Upload-Complete", "?1"));
    }
    if file.scope == Scope::Public {
        head = head.field("Location", &format!("/cloud/{}", path::encode(file.name.as_str())));
    }
    // As sha256sum writes it, so that the two can be compared by eye or by program.
    text(head, &format!("{digest}  {}", file.name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::file_name::FileName;

    fn shown(answer: Answer) -> String {
        answer.head.end() + &String::from_utf8(answer.body.unwrap_or_default()).unwrap()
    }

    #[test]
    fn a_refusal_is_a_status_and_one_sentence() {
        let shown = |refusal: Refusal| shown(refusal.answer("now", "anna's \"home\""));
        assert!(shown(Refusal::new(404, "there is no such file")).ends_with("\r\n\r\nthere is no such file\n"));
        assert!(
            shown(Refusal::new(401, "log in"))
                .contains("WWW-Authenticate: Basic realm=\"anna's home\", charset=\"UTF-8\"\r\n")
        );
        assert!(shown(Fault::WrongOffset(7).into()).contains("HTTP/1.1 409 Conflict\r\n"));
        assert!(shown(Fault::WrongOffset(7).into()).contains("Upload-Offset: 7\r\n"));
        assert!(!shown(Fault::Io("/home/anna: denied".into()).into()).contains("anna:"));
    }

    #[test]
    fn who_brought_a_file_learns_its_digest_and_where_it_is() {
        let file = FileKey { scope: Scope::Public, name: FileName::parse("作业/a b.zip").unwrap() };
        let digest = Digest([0xab; 32]);
        let put = shown(stored("now", Brought::Put, &file, &digest, true));
        assert!(put.starts_with("HTTP/1.1 201 Created\r\n"), "{put}");
        assert!(put.contains("Location: /cloud/%E4%BD%9C%E4%B8%9A/a%20b.zip\r\n"), "{put}");
        assert!(put.ends_with(&format!("\r\n\r\n{digest}  作业/a b.zip\n")), "{put}");
        assert!(shown(stored("now", Brought::Put, &file, &digest, false)).starts_with("HTTP/1.1 200 OK\r\n"));
        let patch = shown(stored("now", Brought::Patch(5), &file, &digest, true));
        assert!(
            patch.starts_with("HTTP/1.1 204 No Content\r\n")
                && patch.contains("Upload-Offset: 5\r\nUpload-Complete: ?1\r\n")
        );
        let hidden = FileKey { scope: Scope::Group(crate::store::record::GroupId(1)), ..file };
        assert!(!shown(stored("now", Brought::Put, &hidden, &digest, true)).contains("Location"));
    }
}

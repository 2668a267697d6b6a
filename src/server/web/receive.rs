//! An upload: the rules are asked, the bytes go to the disk as they come, and the verdict follows.

use async_channel::Receiver;
use smol::future::yield_now;

use crate::chat::shelf::order::{Fault, Intake};
use crate::chat::shelf::web::{WebReply, WebWish};
use crate::server::cloud::Upload;
use crate::wire::digest::Digest;
use crate::wire::file_name::FileName;
use crate::wire::http::answer::AnswerHead;
use crate::wire::http::chunked::Chunked;
use crate::wire::http::head::{Field, Framing, Head};
use crate::wire::http::{BadRequest, condition, digests, disposition, number, truth};
use crate::wire::limits::HTTP_UNWANTED_BYTES;

use super::answer::{Brought, Refusal, empty, stored};
use super::item::{Body, Then, What};
use super::reader::{Reader, Reading};
use super::route::Want;
use super::shared::Pace;
use super::turns::Turn;
use super::visit::End;

/// What somebody is told who resumes in a way that only some servers have.
const NO_CONTENT_RANGE: &str =
    "a PUT brings a whole file; to go on with one, take a ticket with FILE PUT and send a PATCH";

/// Why the bytes of an upload do not come to their end.
enum Broken {
    /// The connection did not bring them.
    Link,
    /// They are not taken.
    Refused(Refusal),
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Broken {
        Broken::Refused(fault.into())
    }
}

/// What is left of a body.
enum Left {
    Bytes(u64),
    Chunks(Chunked),
}

impl Left {
    fn is_nothing(&self) -> bool {
        match self {
            Left::Bytes(left) => *left == 0,
            Left::Chunks(chunked) => chunked.is_done(),
        }
    }
}

impl Reader<'_> {
    /// A request that brings a file, or a part of one.
    pub(super) async fn upload(&mut self, head: Head, want: Want) -> Reading<()> {
        let offset = head.field(Field::UploadOffset).map_or(Some(0), number);
        let (wish, offset) = match (wish(&head, &want), offset) {
            (Ok(wish), Some(offset)) => (wish, if matches!(want, Want::Patch(_)) { offset } else { 0 }),
            (Err(refusal), _) => return self.refuse_with_body(&head, &refusal).await,
            (_, None) => {
                return self
                    .refuse_with_body(&head, &Refusal::new(400, "the Upload-Offset is no number of bytes"))
                    .await;
            }
        };
        let replies = self.ask(&head, wish).await;
        let intake = match replies.recv().await {
            Ok(WebReply::Receive(intake)) => intake,
            reply => return self.answer_at_once(&head, &want, reply.ok()).await,
        };
        if let Err(refusal) = fits(&intake, offset, head.framing) {
            return self.refuse_with_body(&head, &refusal).await;
        }
        let Some(turn) = self.turn().await else {
            return self
                .refuse_with_body(&head, &Refusal::new(503, "too many transfers at once; try again in a moment"))
                .await;
        };
        match self.visit.shared.cloud.receive(&intake, offset).await {
            Ok(upload) => self.take_bytes(Bringing { head, want, intake, offset, replies, turn }, upload).await,
            Err(fault) => self.refuse_with_body(&head, &fault.into()).await,
        }
    }

    /// What is said before any byte has been taken.
    async fn answer_at_once(&mut self, head: &Head, want: &Want, reply: Option<WebReply>) -> Reading<()> {
        let shared = self.visit.shared.clone();
        let date = shared.date();
        let answer = match reply {
            Some(WebReply::Stored { file, digest, is_new }) => {
                let how = if *want == Want::Post { Brought::Post } else { Brought::Put };
                stored(&date, how, &file, &digest, is_new)
            }
            Some(WebReply::Refused { status, sentence, offset }) => {
                shared.refuse(&Refusal { status, sentence, offset })
            }
            Some(WebReply::Send(_)) => shared.refuse(&Refusal::new(405, "this ticket is for getting a file; use GET")),
            Some(_) => shared.refuse(&Refusal::new(500, "the server mixed something up; please report it")),
            None => shared.refuse(&Refusal::new(503, "the server is stopping; try again in a moment")),
        };
        self.answer_with_body(head, answer).await
    }

    async fn turn(&mut self) -> Option<Turn> {
        let visit = self.visit;
        visit.reads.within(visit.shared.patience.turn, visit.shared.turns.take(visit.household)).await
    }

    async fn take_bytes(&mut self, bringing: Bringing, mut upload: Upload) -> Reading<()> {
        let Bringing { head, want, intake, offset, replies, turn } = bringing;
        if head.expects_continue && self.incoming.rest().is_empty() {
            self.queue(What::Continue, Then::GoesOn).await?;
        }
        let mut left = match head.framing {
            Framing::Length(length) => Left::Bytes(length),
            Framing::Chunked => Left::Chunks(Chunked::default()),
        };
        let taken = match self.pour(&mut upload, &mut left).await {
            Ok(taken) => taken,
            Err(Broken::Link) => return Err(End::Broken),
            Err(Broken::Refused(refusal)) => {
                drop(upload);
                return self.refuse_rest(&head, &left, &refusal).await;
            }
        };
        drop(turn);
        let (end, then) = (offset + taken, Then::of(&head));
        let is_part = match intake.size {
            Some(size) => end < size,
            None => head.field(Field::UploadComplete).and_then(truth) == Some(false),
        };
        if is_part {
            // What came stays, and waits for the rest.
            drop(upload);
            let date = self.visit.shared.date();
            let answer = AnswerHead::new(204, &date).number("Upload-Offset", end).field("Upload-Complete", "?0");
            return self.queue(What::Say(empty(answer), Body::Sent), then).await;
        }
        upload.finish();
        let how = match want {
            Want::Patch(_) => Brought::Patch(end),
            Want::Post => Brought::Post,
            _ => Brought::Put,
        };
        self.queue(What::Upload(replies, how), then).await
    }

    /// Refuses an upload whose body is half read.
    async fn refuse_rest(&mut self, head: &Head, left: &Left, refusal: &Refusal) -> Reading<()> {
        let unwanted = match left {
            Left::Bytes(left) => (*left <= HTTP_UNWANTED_BYTES).then_some(*left),
            Left::Chunks(chunked) => chunked.is_done().then_some(0),
        };
        let answer = self.visit.shared.refuse(refusal);
        self.answer_and_read_past(head, answer, unwanted).await
    }

    /// Takes a body; says how many bytes it had. What came of it is given to the disk in any case.
    async fn pour(&mut self, upload: &mut Upload, left: &mut Left) -> Result<u64, Broken> {
        let (mut taken, mut pace) = (0, self.visit.shared.pace());
        while !left.is_nothing() {
            let mut buffer = upload.buffer().await?;
            let result = self.fill(&mut buffer, left, &mut pace).await;
            taken += buffer.len() as u64;
            if !buffer.is_empty() {
                upload.give(buffer);
            }
            result?;
            // The others get their turn.
            yield_now().await;
        }
        Ok(taken)
    }

    /// Fills a buffer, as far as the body reaches.
    async fn fill(&mut self, buffer: &mut Vec<u8>, left: &mut Left, pace: &mut Pace) -> Result<(), Broken> {
        loop {
            self.use_up(buffer, left).map_err(|why| Broken::Refused(why.into()))?;
            if left.is_nothing() || buffer.len() == buffer.capacity() {
                return Ok(());
            }
            let room = buffer.capacity() - buffer.len();
            pace.allowed(room).await;
            match self.bring(buffer, left) {
                Ok(Some(count)) => pace.spend(count),
                Ok(None) => self.visit.readable().await.map_err(|_| Broken::Link)?,
                Err(_) => return Err(Broken::Link),
            }
        }
    }

    /// Moves what was read before into the buffer.
    fn use_up(&mut self, buffer: &mut Vec<u8>, left: &mut Left) -> Result<(), BadRequest> {
        loop {
            let room = buffer.capacity() - buffer.len();
            let rest = self.incoming.rest();
            let rest = &rest[..rest.len().min(room)];
            if rest.is_empty() || left.is_nothing() {
                return Ok(());
            }
            let used = match left {
                Left::Bytes(left) => {
                    let count = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    buffer.extend_from_slice(&rest[..count]);
                    *left -= count as u64;
                    count
                }
                Left::Chunks(chunked) => {
                    let step = chunked.step(rest)?;
                    buffer.extend_from_slice(&rest[step.framing..][..step.content]);
                    step.framing + step.content
                }
            };
            self.incoming.advance(used);
        }
    }

    /// Reads once, straight into the buffer where that can be. `None` when nothing has come yet.
    fn bring(&mut self, buffer: &mut Vec<u8>, left: &mut Left) -> std::io::Result<Option<usize>> {
        let visit = self.visit;
        let Left::Bytes(left) = left else { return self.take_in() };
        if !visit.link.is_encrypted() {
            let before = buffer.len();
            let count = visit.link.receive_into(buffer)?;
            let fits = before + usize::try_from(*left).unwrap_or(usize::MAX - before);
            if buffer.len() > fits {
                self.incoming.push(&buffer[fits..]);
                buffer.truncate(fits);
            }
            *left -= (buffer.len() - before) as u64;
            return Ok(count);
        }
        let incoming = &mut self.incoming;
        visit.link.read_much(&mut visit.shared.scratch.borrow_mut(), |bytes| {
            let room = (buffer.capacity() - buffer.len()).min(usize::try_from(*left).unwrap_or(usize::MAX));
            let (here, behind) = bytes.split_at(bytes.len().min(room));
            buffer.extend_from_slice(here);
            *left -= here.len() as u64;
            if !behind.is_empty() {
                incoming.push(behind);
            }
        })
    }
}

/// An upload whose bytes may come.
struct Bringing {
    head: Head,
    want: Want,
    intake: Box<Intake>,
    offset: u64,
    replies: Receiver<WebReply>,
    turn: Turn,
}

/// What the rules are asked.
fn wish(head: &Head, want: &Want) -> Result<WebWish, Refusal> {
    let name = match want {
        Want::Patch(token) => return Ok(WebWish::Redeem { token: token.as_str().into() }),
        Want::Put(name) => name.as_str().into(),
        _ => posted_name(head),
    };
    if head.framing == Framing::Length(0) && head.field(Field::ContentLength).is_none() {
        return Err(Refusal::new(411, "an upload needs a Content-Length, or chunks"));
    }
    if head.field(Field::ContentRange).is_some() {
        return Err(Refusal::new(400, NO_CONTENT_RANGE));
    }
    let size = match head.framing {
        Framing::Length(length) => Some(length),
        Framing::Chunked => None,
    };
    let replaces = match head.field(Field::IfMatch) {
        Some(list) => Some(
            condition::only_match(list)
                .ok_or_else(|| Refusal::new(412, "If-Match names the one content that may be replaced: its ETag"))?,
        ),
        None => None,
    };
    Ok(WebWish::Put { name, size, digest: digest(head)?, replaces, may_rename: *want == Want::Post })
}

/// What a sender says that the SHA-256 is. The body is the whole file, so its own digest is as good.
fn digest(head: &Head) -> Result<Option<Digest>, BadRequest> {
    let read = |field, read: fn(&str) -> Result<Option<Digest>, BadRequest>| head.field(field).map_or(Ok(None), read);
    Ok(read(Field::ReprDigest, digests::read)?
        .or(read(Field::ContentDigest, digests::read)?)
        .or(read(Field::Digest, digests::read_old)?))
}

/// What a file is called that came by POST: what its sender says, without folders, or after its kind.
fn posted_name(head: &Head) -> Box<str> {
    let said = head.field(Field::ContentDisposition).and_then(disposition::read);
    let said = said.as_deref().and_then(|name| name.rsplit(['/', '\\']).next());
    if let Some(name) = said.and_then(|name| FileName::clean(name).ok()) {
        return name.as_str().into();
    }
    let kind = head.field(Field::ContentType).unwrap_or_default().split(';').next().unwrap_or_default();
    let extension = match kind.trim() {
        "image/png" => ".png",
        "image/jpeg" => ".jpg",
        "image/gif" => ".gif",
        "image/webp" => ".webp",
        "video/mp4" => ".mp4",
        "audio/mpeg" => ".mp3",
        "audio/ogg" => ".ogg",
        "text/plain" => ".txt",
        "application/pdf" => ".pdf",
        _ => "",
    };
    format!("upload{extension}").into()
}

/// Whether what comes can be what was announced.
fn fits(intake: &Intake, offset: u64, framing: Framing) -> Result<(), Refusal> {
    let Framing::Length(length) = framing else { return Ok(()) };
    let end = offset.checked_add(length).unwrap_or(u64::MAX);
    let most = intake.size.unwrap_or(u64::MAX).min(intake.at_most);
    if end <= most {
        return Ok(());
    }
    Err(Refusal::new(413, &format!("these would be {end} bytes; {most} were announced, or are allowed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &str) -> Head {
        Head::parse(format!("PUT /cloud/a HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn what_a_put_says_is_asked() {
        let digest = Digest([7; 32]);
        let fields = format!(
            "Content-Length: 5\r\nRepr-Digest: {}\r\nIf-Match: {}\r\n",
            digests::sha256(&digest),
            condition::etag(&Digest([8; 32]))
        );
        let expected = WebWish::Put {
            name: "a".into(),
            size: Some(5),
            digest: Some(digest),
            replaces: Some(Digest([8; 32])),
            may_rename: false,
        };
        assert_eq!(wish(&head(&fields), &Want::Put("a".into())).ok(), Some(expected));
        let status = |fields: &str| wish(&head(fields), &Want::Put("a".into())).err().map(|refusal| refusal.status);
        assert_eq!(status("Content-Length: 0\r\n"), None);
        assert_eq!(status("Transfer-Encoding: chunked\r\nContent-Digest: sha-512=:AA==:\r\n"), None);
        assert_eq!(status(""), Some(411));
        assert_eq!(status("Content-Length: 5\r\nContent-Range: bytes 5-9/10\r\n"), Some(400));
        assert_eq!(status("Content-Length: 5\r\nRepr-Digest: sha-256=:AA==:\r\n"), Some(400));
        assert_eq!(status("Content-Length: 5\r\nIf-Match: *\r\n"), Some(412));
    }

    #[test]
    fn a_posted_file_has_a_name_in_any_case() {
        let name = |fields: &str| posted_name(&head(fields)).into_string();
        assert_eq!(name("Content-Disposition: attachment; filename=\"C:\\\\dir\\\\a.png\"\r\n"), "a.png");
        assert_eq!(name("Content-Disposition: attachment; filename*=UTF-8''..%2F..%2F.%E4%BD%9C\r\n"), "作");
        assert_eq!(
            name("Content-Disposition: attachment; filename=..\r\nContent-Type: image/png; x=y\r\n"),
            "upload.png"
        );
        assert_eq!(name(""), "upload");
    }

    #[test]
    fn more_than_was_announced_is_refused_before_it_comes() {
        let intake = |size, at_most| Intake {
            upload: crate::chat::shelf::order::UploadId(1),
            to: crate::store::file::FileKey {
                scope: crate::store::file::Scope::Public,
                name: FileName::parse("a").unwrap(),
            },
            part: "p".into(),
            size,
            digest: None,
            at_most,
            replaces: None,
            resumable: true,
        };
        let length = Framing::Length;
        assert!(fits(&intake(Some(10), 100), 4, length(6)).is_ok());
        assert!(fits(&intake(Some(10), 100), 5, length(6)).is_err());
        assert!(fits(&intake(None, 100), 0, length(101)).is_err());
        assert!(fits(&intake(None, u64::MAX), 1, length(u64::MAX)).is_ok());
        assert!(fits(&intake(None, 1), 0, Framing::Chunked).is_ok());
    }
}

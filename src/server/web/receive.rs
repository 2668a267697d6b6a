//! An upload: the rules are asked, the bytes go to the disk as they come, and the verdict follows.

use async_channel::Receiver;
use smol::future::yield_now;

use crate::chat::shelf::order::{Fault, Intake};
use crate::chat::shelf::web::{WebReply, WebWish};
use crate::server::cloud::Upload;
use crate::wire::http::answer::AnswerHead;
use crate::wire::http::chunked::Chunked;
use crate::wire::http::head::{self, Field, Framing, Head, Method};
use crate::wire::http::{BadRequest, number, truth};
use crate::wire::limits::{HTTP_PIPELINED, HTTP_UNWANTED_BYTES};

use super::announced::{fits, wish};
use super::answer::{Brought, Refusal, empty, stored};
use super::item::{Body, Then, What};
use super::reader::{Ahead, Reader, Reading, is_led_astray};
use super::route::{Want, route};
use super::shared::Pace;
use super::turns::Turn;
use super::visit::End;

/// Bytes that are read of several small uploads before the rules are asked about them.
const LOOKED_AHEAD_BYTES: usize = 64 << 10;

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
    pub(super) async fn upload(&mut self, head: Head, want: Want, asked: Option<Receiver<WebReply>>) -> Reading<()> {
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
        let replies = match asked {
            Some(replies) => replies,
            None => {
                let replies = self.ask(&head, wish);
                self.look_ahead(&head);
                self.ask_now().await;
                replies
            }
        };
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

    /// Many small uploads follow each other: the rules are asked about those that are here as a whole, too, so that they are not asked one by one.
    fn look_ahead(&mut self, first: &Head) {
        let Some(mut at) = small_body(first).filter(|_| first.keeps_alive) else { return };
        if self.incoming.rest().len() < LOOKED_AHEAD_BYTES {
            // What is wrong with the connection is seen when it is read from in earnest.
            let _ = self.take_in();
        }
        let mut paths = vec![first.path.clone()];
        while paths.len() < HTTP_PIPELINED {
            let Some(rest) = self.incoming.rest().get(at..) else { return };
            let Ok(Some(length)) = head::end(rest, 0) else { return };
            let Ok(head) = Head::parse(&rest[..length]) else { return };
            let (Want::Patch(token), Some(body)) = (route(&head), small_body(&head)) else { return };
            // The same upload twice is in order: what is sent second depends on the first.
            if is_led_astray(&head) || !head.keeps_alive || paths.contains(&head.path) {
                return;
            }
            at += length + body;
            paths.push(head.path.clone());
            let replies = self.ask(&head, WebWish::Redeem { token: token.into() });
            self.ahead.push_back(Ahead { length, head, replies });
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

/// How long the body of a small upload by ticket is.
fn small_body(head: &Head) -> Option<usize> {
    match head.framing {
        Framing::Length(length) if head.method == Method::Patch && !head.expects_continue => {
            usize::try_from(length).ok().filter(|length| *length <= LOOKED_AHEAD_BYTES)
        }
        _ => None,
    }
}

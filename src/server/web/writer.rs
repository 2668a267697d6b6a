//! What goes out on a connection: answers in the order of the requests, small ones gathered into one write.

use std::fs::File;
use std::io;

use async_channel::{Receiver, TryRecvError};

use crate::chat::shelf::order::Intake;
use crate::chat::shelf::web::{Listed, Outgoing, WebReply};
use crate::system::moving;
use crate::wire::http::answer::AnswerHead;
use crate::wire::http::head::{Field, Head, Method};
use crate::wire::http::path;
use crate::wire::limits::HTTP_GATHERED_BYTES;

use super::answer::{Answer, Brought, Refusal, empty, stored, text};
use super::file::{Plan, plan};
use super::item::{Body, Item, Then, What};
use super::listing::{self, PAGE_POLICY};
use super::visit::Visit;

/// The writing side of a connection.
pub struct Writer<'a> {
    pub(super) visit: &'a Visit,
    items: Receiver<Item>,
    /// What is gathered.
    out: Vec<u8>,
    /// Answers in it that are complete with it.
    complete: usize,
}

impl<'a> Writer<'a> {
    /// With nothing to say.
    pub fn new(visit: &'a Visit, items: Receiver<Item>) -> Writer<'a> {
        Writer { visit, items, out: Vec::new(), complete: 0 }
    }

    /// Writes until nothing more will be asked.
    pub async fn write(mut self) -> io::Result<()> {
        loop {
            let item = match self.items.try_recv() {
                Ok(item) => item,
                Err(TryRecvError::Closed) => return self.flush().await,
                Err(TryRecvError::Empty) => {
                    self.flush().await?;
                    // An idle connection holds no memory for it.
                    self.out = Vec::new();
                    match self.items.recv().await {
                        Ok(item) => item,
                        Err(_) => return Ok(()),
                    }
                }
            };
            self.answer(item).await?;
            self.complete += 1;
        }
    }

    async fn answer(&mut self, item: Item) -> io::Result<()> {
        let then = item.then;
        match item.what {
            What::Say(answer, body) => self.say(answer, body, then).await,
            What::Continue => self.gather(b"HTTP/1.1 100 Continue\r\n\r\n").await,
            What::File(replies, head) => {
                let reply = self.reply(&replies).await?;
                self.file(reply, &head, then).await
            }
            What::Listing(replies, head, folder, turn) => {
                let reply = self.reply(&replies).await?;
                let answer = match reply {
                    Some(WebReply::Listing(files)) => self.shown(&head, &folder, &files),
                    reply => self.other(reply),
                };
                let is_long = answer.body.as_ref().is_some_and(|body| body.len() > HTTP_GATHERED_BYTES);
                let _turn = is_long.then_some(turn);
                self.say(answer, body_of(&head), then).await
            }
            What::Removal(replies) => {
                let answer = match self.reply(&replies).await? {
                    Some(WebReply::Removed) => empty(AnswerHead::new(204, &self.visit.shared.date())),
                    reply => self.other(reply),
                };
                self.say(answer, Body::Sent, then).await
            }
            What::Upload(replies, how) => {
                let reply = self.reply(&replies).await?;
                let answer = self.verdict(reply, how);
                self.say(answer, Body::Sent, then).await
            }
        }
    }

    /// What the rules answer. What was gathered does not wait for it.
    async fn reply(&mut self, replies: &Receiver<WebReply>) -> io::Result<Option<WebReply>> {
        if let Ok(reply) = replies.try_recv() {
            return Ok(Some(reply));
        }
        self.flush().await?;
        Ok(replies.recv().await.ok())
    }

    fn verdict(&self, reply: Option<WebReply>, how: Brought) -> Answer {
        match reply {
            Some(WebReply::Stored { file, digest, is_new }) => {
                stored(&self.visit.shared.date(), how, &file, &digest, is_new)
            }
            reply => self.other(reply),
        }
    }

    /// An answer that is not the one hoped for.
    fn other(&self, reply: Option<WebReply>) -> Answer {
        let refusal = match reply {
            Some(WebReply::Refused { status, sentence, offset }) => Refusal { status, sentence, offset },
            Some(_) => Refusal::new(500, "the server mixed something up; please report it"),
            None => Refusal::new(503, "the server is stopping; try again in a moment"),
        };
        self.visit.shared.refuse(&refusal)
    }

    fn shown(&self, head: &Head, folder: &str, files: &[Listed]) -> Answer {
        let shared = &self.visit.shared;
        let answer = AnswerHead::new(200, &shared.date())
            .field("Cache-Control", "no-cache")
            .field("Vary", "Accept")
            .field("X-Content-Type-Options", "nosniff");
        if listing::wants_json(head.field(Field::Accept)) {
            let body = listing::json(folder, files).into_bytes();
            return Answer { head: answer.field("Content-Type", "application/json"), body: Some(body) };
        }
        let answer = answer
            .field("Content-Type", "text/html; charset=utf-8")
            .field("Content-Security-Policy", PAGE_POLICY)
            .field("Referrer-Policy", "no-referrer");
        Answer { head: answer, body: Some(listing::page(&shared.settings.network, folder, files).into_bytes()) }
    }

    async fn file(&mut self, reply: Option<WebReply>, head: &Head, then: Then) -> io::Result<()> {
        let answer = match reply {
            Some(WebReply::Send(file)) => return self.send_file(&file, head, then).await,
            Some(WebReply::Receive(intake)) => self.progress(&intake, head).await,
            Some(WebReply::Folder) => {
                let way = format!("{}/", path::encode(&head.path));
                text(AnswerHead::new(301, &self.visit.shared.date()).field("Location", &way), &way)
            }
            reply => self.other(reply),
        };
        self.say(answer, body_of(head), then).await
    }

    /// How far an upload is.
    async fn progress(&self, intake: &Intake, head: &Head) -> Answer {
        let shared = &self.visit.shared;
        if head.method != Method::Head {
            return shared.refuse(&Refusal::new(
                405,
                "this ticket is for bringing a file; use PATCH, or HEAD to see how far it is",
            ));
        }
        match shared.cloud.progress(intake).await {
            Ok(offset) => {
                let mut answer = AnswerHead::new(204, &shared.date())
                    .number("Upload-Offset", offset)
                    .field("Upload-Complete", "?0")
                    .field("Cache-Control", "no-store");
                if let Some(size) = intake.size {
                    answer = answer.number("Upload-Length", size);
                }
                empty(answer)
            }
            Err(why) => {
                log::warn!("how far an upload is cannot be seen: {why}");
                shared.refuse(&Refusal::new(500, "the server cannot see how far that upload is; try again later"))
            }
        }
    }

    async fn send_file(&mut self, file: &Outgoing, head: &Head, then: Then) -> io::Result<()> {
        let shared = self.visit.shared.clone();
        let (answer, start, length) = match plan(head, file, &shared.date()) {
            Plan::Say(answer) => return self.say(answer, body_of(head), then).await,
            Plan::Send { head, start, length } => (head, start, length),
        };
        let opened = match shared.cloud.open_file(file) {
            Ok(opened) => opened,
            Err(why) => {
                let answer = shared.refuse(&unreadable(&why));
                return self.say(answer, body_of(head), then).await;
            }
        };
        if length <= HTTP_GATHERED_BYTES as u64 {
            let bytes = say_then(answer, then).end().into_bytes();
            return self.small(&opened, start, length as usize, &bytes).await;
        }
        let waiting = shared.turns.take(self.visit.household);
        let Some(_turn) = self.visit.writes.within(shared.patience.turn, waiting).await else {
            let refusal = Refusal::new(503, "too many transfers at once; try again in a moment");
            return self.say(shared.refuse(&refusal), Body::Sent, then).await;
        };
        self.gather(say_then(answer, then).end().as_bytes()).await?;
        self.send_all().await?;
        self.send_bytes(&opened, start, length).await
    }

    /// A file that goes out with its head.
    async fn small(&mut self, file: &File, start: u64, length: usize, head: &[u8]) -> io::Result<()> {
        if self.out.len() + head.len() + length > HTTP_GATHERED_BYTES {
            self.flush().await?;
        }
        self.out.extend_from_slice(head);
        let begin = self.out.len();
        self.out.resize(begin + length, 0);
        let mut at = begin;
        while at < self.out.len() {
            match moving::read_at(file, &mut self.out[at..], start + (at - begin) as u64)? {
                0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
                count => at += count,
            }
        }
        Ok(())
    }

    async fn say(&mut self, answer: Answer, body: Body, then: Then) -> io::Result<()> {
        let mut head = say_then(answer.head, then);
        if let Some(bytes) = &answer.body {
            head = head.number("Content-Length", bytes.len() as u64);
        }
        self.gather(head.end().as_bytes()).await?;
        match answer.body {
            Some(bytes) if body == Body::Sent && bytes.len() > HTTP_GATHERED_BYTES => {
                self.send_all().await?;
                self.out = bytes;
                self.send_all().await?;
                self.out = Vec::new();
                Ok(())
            }
            Some(bytes) if body == Body::Sent => self.gather(&bytes).await,
            _ => Ok(()),
        }
    }

    async fn gather(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.out.len() + bytes.len() > HTTP_GATHERED_BYTES {
            self.flush().await?;
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes what is gathered; the answers in it are over.
    async fn flush(&mut self) -> io::Result<()> {
        self.send_all().await?;
        self.visit.open.end(std::mem::take(&mut self.complete));
        Ok(())
    }

    async fn send_all(&mut self) -> io::Result<()> {
        let visit = self.visit;
        let mut sent = 0;
        while sent < self.out.len() || visit.link.unsent_bytes() > 0 {
            // What is encrypted and not taken is held: no more at once than a gathered write.
            let piece = &self.out[sent..self.out.len().min(sent + HTTP_GATHERED_BYTES)];
            let taken = visit.link.write_much(piece, &mut visit.shared.sealed.borrow_mut())?;
            sent += taken;
            if taken == 0 {
                visit.writable().await?;
            }
        }
        self.out.clear();
        Ok(())
    }
}

fn say_then(head: AnswerHead, then: Then) -> AnswerHead {
    match then {
        Then::GoesOn => head,
        Then::StaysOpen => head.field("Connection", "keep-alive"),
        Then::Ends => head.field("Connection", "close"),
    }
}

fn body_of(head: &Head) -> Body {
    if head.method == Method::Head { Body::Told } else { Body::Sent }
}

fn unreadable(why: &io::Error) -> Refusal {
    if why.kind() == io::ErrorKind::NotFound {
        return Refusal::new(404, "the file is not there any more");
    }
    log::warn!("a file cannot be opened: {why}");
    Refusal::new(500, "the server cannot read the file; its log says why")
}

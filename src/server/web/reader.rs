//! What comes in on a connection: heads become questions to the rules, bodies go to the disk, answers are queued in the order of the requests.

use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use async_channel::{Receiver, Sender};

use crate::chat::Secret;
use crate::chat::shelf::web::{WebReply, WebRequest, WebWish};
use crate::server::hub::Ask;
use crate::wire::http::answer::AnswerHead;
use crate::wire::http::auth;
use crate::wire::http::head::{self, Field, Framing, Head, Method};
use crate::wire::limits::HTTP_UNWANTED_BYTES;

use super::answer::{Answer, Refusal, empty, text};
use super::item::{Body, Item, Then, What};
use super::route::{Want, route};
use super::visit::{End, Visit};

/// What was read of a connection and not used.
#[derive(Default)]
pub struct Incoming {
    bytes: Vec<u8>,
    at: usize,
}

impl Incoming {
    /// It.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// So much of it is used.
    pub fn advance(&mut self, count: usize) {
        self.at += count;
        if self.at == self.bytes.len() {
            self.bytes.clear();
            self.at = 0;
        }
    }

    /// More of it.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// An idle connection holds no memory for it.
    fn rests(&mut self) {
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
    }
}

/// Which requests may be under way at the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Those that change nothing.
    Asking,
    /// Uploads by ticket: each is for another file.
    Bringing,
    /// What changes something waits for all before it, and all behind it wait.
    Alone,
}

/// An upload whose head was read before its turn.
pub(super) struct Ahead {
    /// Bytes of the head, which are still there.
    pub(super) length: usize,
    pub(super) head: Head,
    pub(super) replies: Receiver<WebReply>,
}

/// The reading side of a connection.
pub struct Reader<'a> {
    pub(super) visit: &'a Visit,
    queue: Sender<Item>,
    pub(super) incoming: Incoming,
    class: Class,
    /// Requests behind this one that the rules were asked about already.
    pub(super) ahead: VecDeque<Ahead>,
    /// Questions that the rules have not been asked: those that came together are asked together.
    asks: Vec<Ask>,
}

/// Why reading ends: the connection does, in one of two ways.
pub type Reading<T> = Result<T, End>;

impl<'a> Reader<'a> {
    /// A connection of which some bytes were read already.
    pub fn new(visit: &'a Visit, queue: Sender<Item>, first: Vec<u8>) -> Reader<'a> {
        Reader {
            visit,
            queue,
            incoming: Incoming { bytes: first, at: 0 },
            class: Class::Asking,
            ahead: VecDeque::new(),
            asks: Vec::new(),
        }
    }

    /// Reads requests until there is no other.
    pub async fn read(mut self) -> End {
        loop {
            if let Err(end) = self.request().await {
                return end;
            }
        }
    }

    async fn request(&mut self) -> Reading<()> {
        if let Some(Ahead { length, head, replies }) = self.ahead.pop_front() {
            self.incoming.advance(length);
            let want = route(&head);
            return self.upload(head, want, Some(replies)).await;
        }
        let head = self.head().await?;
        let want = route(&head);
        self.keep_order(&want).await;
        if want.changes_something() && is_led_astray(&head) {
            let refusal = Refusal::new(403, "a page of another site may not change anything here");
            return self.refuse_with_body(&head, &refusal).await;
        }
        match want {
            Want::Put(_) | Want::Post | Want::Patch(_) => self.upload(head, want, None).await,
            want => self.question(head, want).await,
        }
    }

    /// The next head.
    async fn head(&mut self) -> Reading<Head> {
        let (mut seen, mut begun) = (0, None);
        loop {
            // A line end too many behind a body is forgiven (RFC 9112 section 2.2).
            while seen == 0 && self.incoming.rest().starts_with(b"\r\n") {
                self.incoming.advance(2);
            }
            match head::end(self.incoming.rest(), seen) {
                Ok(Some(length)) => {
                    let head = Head::parse(&self.incoming.rest()[..length]);
                    self.incoming.advance(length);
                    match head {
                        Ok(head) => return Ok(head),
                        Err(why) => return Err(self.refuse_and_end(&why.into()).await),
                    }
                }
                Ok(None) if self.incoming.rest() == b"\r" => {}
                Ok(None) => seen = self.incoming.rest().len(),
                Err(why) => return Err(self.refuse_and_end(&why.into()).await),
            }
            if !self.incoming.rest().is_empty() {
                begun = begun.or_else(|| Some(Instant::now()));
            }
            self.more(begun).await?;
        }
    }

    /// Reads on: the rest of a head that has begun, or the beginning of the next.
    async fn more(&mut self, begun: Option<Instant>) -> Reading<()> {
        let patience = self.visit.shared.patience;
        self.ask_now().await;
        loop {
            match self.take_in() {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => {}
                Err(_) => return Err(End::Broken),
            }
            self.incoming.rests();
            let at = match begun {
                Some(begun) => begun + patience.head,
                None => self.visit.open.rests_since().unwrap_or_else(Instant::now) + patience.idle,
            };
            match self.visit.readable_until(at).await {
                Ok(()) => {}
                Err(why) if why.kind() != io::ErrorKind::TimedOut => return Err(End::Broken),
                Err(_) if begun.is_some() => {
                    let refusal = Refusal::new(408, "the head of the request did not come to its end in time");
                    return Err(self.refuse_and_end(&refusal).await);
                }
                // Who waits for a long answer is not idle, nor who has just got it.
                Err(_) if self.visit.open.rests_since().is_none_or(|since| since + patience.idle > Instant::now()) => {}
                Err(_) => return Err(End::Said),
            }
        }
    }

    /// Reads once; `None` when nothing has come yet.
    pub(super) fn take_in(&mut self) -> io::Result<Option<usize>> {
        let incoming = &mut self.incoming;
        self.visit.link.read_much(&mut self.visit.shared.scratch.borrow_mut(), |bytes| incoming.push(bytes))
    }

    /// Requests that change something must not pass each other, nor those that ask.
    async fn keep_order(&mut self, want: &Want) {
        let class = match want {
            Want::Patch(_) => Class::Bringing,
            Want::Put(_) | Want::Post | Want::Remove(_) => Class::Alone,
            _ => Class::Asking,
        };
        if class != self.class || class == Class::Alone {
            self.ask_now().await;
            self.visit.open.settled().await;
            self.class = class;
        }
    }

    /// A request without bytes for the disk. Its answer may come later than the next request.
    async fn question(&mut self, head: Head, want: Want) -> Reading<()> {
        let unwanted = unwanted(&head);
        let then = if unwanted.is_none() { Then::Ends } else { Then::of(&head) };
        let what = match want {
            Want::Listing(folder) => self.listing(head, folder).await,
            want => self.about(head, want),
        };
        self.queue(what, then).await?;
        self.read_past(unwanted.unwrap_or_default()).await
    }

    /// A listing may be long, and is in memory as a whole.
    async fn listing(&mut self, head: Head, folder: String) -> What {
        self.ask_now().await;
        let visit = self.visit;
        let waiting = visit.shared.listings.take(visit.household);
        let Some(turn) = visit.reads.within(visit.shared.patience.turn, waiting).await else {
            let refusal = Refusal::new(503, "too many listings at once; try again in a moment");
            return What::Say(visit.shared.refuse(&refusal), Body::Sent);
        };
        let replies = self.ask(&head, WebWish::List { folder: folder.as_str().into() });
        What::Listing(replies, Box::new(head), folder, turn)
    }

    fn about(&mut self, head: Head, want: Want) -> What {
        let body = if head.method == Method::Head { Body::Told } else { Body::Sent };
        let date = self.visit.shared.date();
        let say = |answer: Answer| What::Say(answer, body);
        match want {
            Want::Health => say(text(AnswerHead::new(200, &date).field("Cache-Control", "no-store"), "ok")),
            Want::Elsewhere(way) => say(text(AnswerHead::new(301, &date).field("Location", way), way)),
            Want::Options(allow) => say(empty(AnswerHead::new(204, &date).field("Allow", allow))),
            Want::Impossible(allow) => say(text(
                AnswerHead::new(405, &date).field("Allow", allow),
                "that cannot be done here; Allow says what can",
            )),
            Want::File(name) => What::File(self.ask(&head, WebWish::Get { name: name.into() }), Box::new(head)),
            Want::Ticket(token) => What::File(self.ask(&head, WebWish::Redeem { token: token.into() }), Box::new(head)),
            Want::Remove(name) => What::Removal(self.ask(&head, WebWish::Remove { name: name.into() })),
            Want::Listing(_) | Want::Put(_) | Want::Post | Want::Patch(_) | Want::Unknown => {
                let refusal = Refusal::new(404, "there is nothing here; the files are in /cloud/");
                say(self.visit.shared.refuse(&refusal))
            }
        }
    }

    /// A question to the rules in the name of who sent this head. It is asked with those that came with it.
    pub(super) fn ask(&mut self, head: &Head, wish: WebWish) -> Receiver<WebReply> {
        let login = head.field(Field::Authorization).and_then(auth::basic);
        let login = login.map(|(account, password)| (account, Secret(password)));
        let (address, is_secure) = (self.visit.address, self.visit.is_secure);
        // An upload gets two answers.
        let (answers, replies) = async_channel::bounded(2);
        self.asks.push(Ask { request: Box::new(WebRequest { address, is_secure, login, wish }), answers });
        replies
    }

    /// Asks what there is to ask.
    pub(super) async fn ask_now(&mut self) {
        if !self.asks.is_empty() {
            self.visit.shared.ask(std::mem::take(&mut self.asks)).await;
        }
    }

    /// Queues an answer. It waits while too many are under way.
    pub(super) async fn queue(&mut self, what: What, then: Then) -> Reading<()> {
        self.visit.open.begin();
        if self.queue.is_full() || then == Then::Ends {
            self.ask_now().await;
        }
        self.queue.send(Item { what, then }).await.map_err(|_| End::Broken)?;
        if then == Then::Ends { Err(End::Said) } else { Ok(()) }
    }

    async fn refuse_and_end(&mut self, refusal: &Refusal) -> End {
        let answer = self.visit.shared.refuse(refusal);
        self.queue(What::Say(answer, Body::Sent), Then::Ends).await.err().unwrap_or(End::Said)
    }

    /// Refuses a request whose body has not been read. A short body is read past; a long one ends the connection.
    pub(super) async fn refuse_with_body(&mut self, head: &Head, refusal: &Refusal) -> Reading<()> {
        let answer = self.visit.shared.refuse(refusal);
        self.answer_with_body(head, answer).await
    }

    /// The same with any answer.
    pub(super) async fn answer_with_body(&mut self, head: &Head, answer: Answer) -> Reading<()> {
        self.answer_and_read_past(head, answer, unwanted(head)).await
    }

    pub(super) async fn answer_and_read_past(
        &mut self,
        head: &Head,
        answer: Answer,
        unwanted: Option<u64>,
    ) -> Reading<()> {
        let then = if unwanted.is_none() { Then::Ends } else { Then::of(head) };
        self.queue(What::Say(answer, Body::Sent), then).await?;
        self.read_past(unwanted.unwrap_or_default()).await
    }

    pub(super) async fn read_past(&mut self, mut bytes: u64) -> Reading<()> {
        if bytes > 0 {
            self.ask_now().await;
        }
        while bytes > 0 {
            let here = self.incoming.rest().len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
            self.incoming.advance(here);
            bytes -= here as u64;
            if bytes == 0 {
                break;
            }
            match self.take_in() {
                Ok(Some(_)) => {}
                Ok(None) => self.visit.readable().await.map_err(|_| End::Broken)?,
                Err(_) => return Err(End::Broken),
            }
        }
        Ok(())
    }
}

/// How many bytes of a body that nobody wants are read past; `None` when it is not worth it, or not known.
fn unwanted(head: &Head) -> Option<u64> {
    match head.framing {
        Framing::Length(0) => Some(0),
        // Whoever waits for leave to send may send or not.
        Framing::Length(length) => (length <= HTTP_UNWANTED_BYTES && !head.expects_continue).then_some(length),
        Framing::Chunked => None,
    }
}

/// Whether a browser was led here by a page of somebody else (Fetch Metadata; RFC 6454).
pub(super) fn is_led_astray(head: &Head) -> bool {
    if head.field(Field::SecFetchSite).is_some_and(|site| site.eq_ignore_ascii_case("cross-site")) {
        return true;
    }
    let Some(origin) = head.field(Field::Origin) else { return false };
    let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    !head.field(Field::Host).is_some_and(|host| host.eq_ignore_ascii_case(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_sites_are_told_from_our_own() {
        let led = |fields: &str| {
            let text = format!("PUT /cloud/a HTTP/1.1\r\nHost: Board:510\r\n{fields}\r\n");
            is_led_astray(&Head::parse(text.as_bytes()).unwrap())
        };
        for ours in ["", "Origin: http://board:510\r\n", "Origin: https://board:510\r\nSec-Fetch-Site: same-origin\r\n"]
        {
            assert!(!led(ours), "{ours}");
        }
        for theirs in [
            "Origin: http://eve.example\r\n",
            "Origin: null\r\n",
            "Origin: http://board\r\n",
            "Sec-Fetch-Site: cross-site\r\n",
        ] {
            assert!(led(theirs), "{theirs}");
        }
    }

    #[test]
    fn what_was_not_used_stays_in_order() {
        let mut incoming = Incoming::default();
        incoming.push(b"abc");
        incoming.advance(2);
        incoming.push(b"def");
        assert_eq!(incoming.rest(), b"cdef");
        incoming.advance(4);
        incoming.rests();
        assert_eq!((incoming.rest(), incoming.bytes.capacity()), (&b""[..], 0));
    }
}

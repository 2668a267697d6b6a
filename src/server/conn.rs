//! One client's incoming side: the first byte says whether it is TLS, bytes become lines, lines become mail for the hub, no faster than the flood limits allow.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use async_channel::Sender;
use async_io::Timer;

use crate::chat::flood::{Bucket, Cost};
use crate::chat::{ConnId, Input};
use crate::wire::line::LineCutter;

use super::hello::HELLO_BYTES;
use super::hub::Mail;
use super::listen::{Permit, household};
use super::opening::{Speech, speech};
use super::tls::{Door, TLS_HANDSHAKE};
use super::transport::Link;
use super::web::Arrived;

/// Bytes read at once. Read into one buffer that all connections share, so that an idle one has none.
pub const READ_BYTES: usize = 8192;
/// How long a stranger who is turned away has to read why.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);
/// What somebody reads who talks in the clear where that is not wanted.
const ENCRYPTED_ONLY: &str = "this server takes encrypted connections only (TLS on the same port)";

/// What the connections' tasks have in common.
pub struct Reading {
    /// Where lines go.
    pub mail: Sender<Mail>,
    /// Whether talk is slowed to the flood limits.
    pub flood_limits: bool,
    /// Borrowed between two awaits only.
    pub buffer: RefCell<Box<[u8; READ_BYTES]>>,
    /// Who comes in through TLS, and who in the clear.
    pub door: Rc<Door>,
    /// For the buckets.
    pub started: Instant,
    /// Where those go who speak HTTP.
    pub web: Box<dyn Fn(Arrived)>,
}

/// One connection's incoming side.
struct Incoming {
    conn: ConnId,
    address: IpAddr,
    link: Rc<Link>,
    /// The hub wants no more of it; what still comes is thrown away, so that the goodbye is not lost in a reset.
    closed: Rc<Cell<bool>>,
    shared: Rc<Reading>,
    cutter: LineCutter,
    bucket: Bucket,
    speech: Speech,
    /// What came before it was known what it is, and the beginning of what is HTTP. Boxed: nearly all connections have none.
    #[allow(clippy::box_collection)] // Three words less in each idle connection.
    early: Option<Box<Vec<u8>>>,
}

/// Reads until the connection ends.
///
/// Ten thousand idle connections sit in this future, so what is needed only while it works is made when it works.
pub fn read(
    conn: ConnId,
    address: IpAddr,
    link: Rc<Link>,
    closed: Rc<Cell<bool>>,
    shared: Rc<Reading>,
    permit: Permit,
) -> impl Future<Output = ()> {
    // Boxed, because it is handed on as a whole when it turns out to be HTTP: the future would have room for it twice.
    let mut incoming = Box::new(Incoming {
        conn,
        address,
        link,
        closed,
        shared,
        cutter: LineCutter::of_client(),
        bucket: Bucket::full(0),
        speech: Speech::Unknown,
        early: None,
    });
    async move {
        let mut end = Box::pin(incoming.enter()).await.err();
        let reason = loop {
            if incoming.speech == Speech::Web {
                return Box::pin(incoming.go_to_web(permit)).await;
            }
            if let Some(reason) = end {
                break reason;
            }
            let lines;
            (lines, end) = match poll_fn(|cx| incoming.link.poll_readable(cx)).await {
                Ok(()) => incoming.read_lines(),
                Err(why) => break why,
            };
            if !lines.is_empty() {
                // Boxed, so that an idle connection does not hold the room for it.
                Box::pin(incoming.hand_over(lines)).await;
            }
        };
        Box::pin(incoming.part(reason)).await;
        drop(permit);
    }
}

impl Incoming {
    /// Waits for the first byte, and for the handshake where it begins one. Lines that came with it are handed over.
    async fn enter(&mut self) -> io::Result<()> {
        let first = loop {
            poll_fn(|cx| self.link.poll_readable(cx)).await?;
            if let Some(bytes) = self.link.first_bytes::<HELLO_BYTES>()? {
                break bytes;
            }
        };
        if first.first() == Some(&TLS_HANDSHAKE) {
            return self.shake_hands(&first).await;
        }
        if self.shared.door.plain.allows(self.address) || self.closed.get() {
            let (lines, end) = self.read_lines();
            self.hand_over(lines).await;
            return end.map_or(Ok(()), Err);
        }
        let refusal = match speech(&first) {
            Speech::Web => format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{ENCRYPTED_ONLY}",
                ENCRYPTED_ONLY.len()
            ),
            Speech::Talk | Speech::Unknown => format!("ERROR :{ENCRYPTED_ONLY}\r\n"),
        };
        let _ = self.link.write(refusal.as_bytes());
        Err(refused("talk in the clear is not taken here"))
    }

    /// Does the handshake, within its time. Lines that came right behind it are handed over too.
    async fn shake_hands(&mut self, hello: &[u8]) -> io::Result<()> {
        let door = self.shared.door.clone();
        let handshake = async {
            let _turn = door.turn(household(self.address)).await;
            self.link.begin_tls(door.config(hello))?;
            loop {
                // The first time there is something: to ask for it once more would cost a round through the reactor.
                let (lines, end) = self.read_lines();
                if self.link.is_open() {
                    return Ok((lines, end));
                }
                if let Some(why) = end {
                    return Err(why);
                }
                poll_fn(|cx| self.link.poll_readable(cx)).await?;
            }
        };
        let too_late = async {
            Timer::after(door.handshake_within).await;
            Err(refused("the TLS handshake took too long"))
        };
        let (mut lines, end) = smol::future::or(handshake, too_late).await?;
        if !self.closed.get() {
            lines.insert(0, Input::Secured { conn: self.conn });
            self.hand_over(lines).await;
        }
        end.map_or(Ok(()), Err)
    }

    /// Reads once: the complete lines in what came, and the reason when the connection is at its end.
    fn read_lines(&mut self) -> (Vec<Input>, Option<io::Error>) {
        let mut buffer = self.shared.buffer.borrow_mut();
        if self.closed.get() {
            return (Vec::new(), self.link.read_past(&mut buffer[..]).err());
        }
        let (conn, mut lines) = (self.conn, Vec::new());
        let (cutter, known, early) = (&mut self.cutter, &mut self.speech, &mut self.early);
        let mut cut = |bytes: &[u8]| {
            cutter.feed(bytes, |line| {
                lines.push(match line {
                    Ok(text) => Input::Line { conn, text: text.into() },
                    Err(fault) => Input::Unreadable { conn, fault },
                });
            });
        };
        let result = self.link.read(&mut buffer[..], |bytes| {
            if *known == Speech::Talk {
                return cut(bytes);
            }
            let mut so_far = early.take().unwrap_or_default();
            so_far.extend_from_slice(bytes);
            *known = speech(&so_far);
            match *known {
                Speech::Talk => cut(&so_far),
                Speech::Web | Speech::Unknown => *early = Some(so_far),
            }
        });
        (lines, result.err())
    }

    /// It is HTTP: the rules forget the connection, and the transfers get it.
    async fn go_to_web(self, permit: Permit) {
        let (done, is_done) = async_channel::bounded(1);
        let leaving = Mail::TakenOut { conn: self.conn, done };
        if self.shared.mail.send(leaving).await.is_err() || is_done.recv().await.is_err() || self.closed.get() {
            return;
        }
        // Nobody else has it any more, unless the hub was about to end the connection.
        let Ok(link) = Rc::try_unwrap(self.link) else { return };
        let first = self.early.map_or_else(Vec::new, |early| *early);
        let is_secure = link.is_encrypted();
        (self.shared.web)(Arrived { link, address: self.address, is_secure, first, permit });
    }

    /// Gives lines to the hub, no faster than the flood limits allow. Nothing is read meanwhile: the network holds the rest back.
    async fn hand_over(&mut self, lines: Vec<Input>) {
        for line in lines {
            while !matches!(line, Input::Secured { .. })
                && let Some(wait_ms) = self.must_wait(&line)
            {
                Timer::after(Duration::from_millis(wait_ms)).await;
            }
            if self.closed.get() || self.shared.mail.send(Mail::Fact(line)).await.is_err() {
                return;
            }
        }
    }

    fn must_wait(&mut self, line: &Input) -> Option<u64> {
        let cost = if let Input::Line { text, .. } = line { Cost::of(text) } else { Cost::TALK };
        let now_ms = self.shared.started.elapsed().as_millis() as u64;
        if self.shared.flood_limits { self.bucket.take(now_ms, cost).err() } else { None }
    }

    /// The end of the connection: the hub is told, and who was turned away gets a moment to read why.
    async fn part(&self, why: io::Error) {
        if self.closed.get() {
            return;
        }
        let (is_refused, reason) = (why.kind() == io::ErrorKind::InvalidData, why.to_string().into());
        let _ = self.shared.mail.send(Mail::Fact(Input::Closed { conn: self.conn, reason })).await;
        if is_refused {
            self.link.end();
            // Hanging up on bytes that nobody has read would be a reset, which takes the reason away.
            let read_past = async {
                while poll_fn(|cx| self.link.poll_readable(cx)).await.is_ok()
                    && self.link.read_past(&mut self.shared.buffer.borrow_mut()[..]).is_ok()
                {}
            };
            let too_late = async {
                Timer::after(FAREWELL_WITHIN).await;
            };
            smol::future::or(read_past, too_late).await;
        }
    }
}

/// Why somebody is turned away.
fn refused(sentence: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::identity::Source;
    use crate::server::tls::{PlainTalk, shown};

    /// A connection whose client has sent `bytes` and then nothing, as far as a handshake of 50 ms.
    fn reason_for_the_end_after(bytes: &[u8]) -> String {
        use std::io::{Read, Write};
        let data = tempfile::tempdir().unwrap();
        let identity = Source::Own(data.path().into()).load(0).unwrap();
        let mut door = Door::new(shown(&identity).unwrap(), PlainTalk::Yes);
        Rc::get_mut(&mut door).unwrap().handshake_within = Duration::from_millis(50);
        let (mail, inbox) = async_channel::unbounded();
        let buffer = RefCell::new(Box::new([0; READ_BYTES]));
        let (started, web) = (Instant::now(), Box::new(|_| {}));
        let shared = Rc::new(Reading { mail, flood_limits: true, buffer, door: door.clone(), started, web });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(bytes).unwrap();
        let (socket, peer) = listener.accept().unwrap();
        let link = Rc::new(Link::new(async_io::Async::new(socket).unwrap()));
        let conn = ConnId { slot: 0, serial: 1 };
        let reading = read(conn, peer.ip(), link, Rc::default(), shared, Permit::for_test());
        let told = smol::block_on(smol::future::or(
            async {
                reading.await;
                panic!("the hub hears of it before the connection is let go")
            },
            inbox.recv(),
        ));
        assert!(door.is_at_rest(), "the turn is given back");
        drop(listener);
        let _ = client.read(&mut [0]);
        match told {
            Ok(Mail::Fact(Input::Closed { reason, .. })) => reason.into(),
            _ => panic!("something else came"),
        }
    }

    #[test]
    fn half_a_handshake_and_silence_is_cut() {
        for half in [&b"\x16"[..], b"\x16\x03\x01\x02\x00\x01\x00", b"\x16\x03\x03\x40\x00"] {
            assert_eq!(reason_for_the_end_after(half), "the TLS handshake took too long");
        }
    }
}

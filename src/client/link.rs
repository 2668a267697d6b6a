//! The link to a server: dialing, reading, writing, waiting, and coming back when it breaks.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use smol::Timer;
use smol::future;
use time::OffsetDateTime;

use super::pace::{Beat, Pauses, Pulse};
use super::session::Session;
use super::trust::Trusted;
use super::{Command, Config, Event, Orders, Security, Trouble};
use crate::net::tls::Encryption;
use crate::net::{self, Opened, Stream};
use crate::wire::line::LineCutter;

/// Bytes read at once: a screen of history.
const READ_BYTES: usize = 16 * 1024;

/// Milliseconds that the server may take to say goodbye after QUIT.
const GOODBYE_WITHIN_MS: u64 = 3_000;

/// How a server that speaks TLS alone begins its answer to a line in clear. No line of text begins so.
const TLS_ALERT: &[u8] = &[0x15, 3];

/// Keeps a client on a server until it is told to quit (or nobody listens to its events any more).
///
/// The first attempt to get in is the only one whose failure ends it, and a key that is not trusted; the last event is always [`Event::Ended`].
pub async fn run(config: Config, commands: Receiver<Command>, events: Sender<Event>) {
    let mut link = Link {
        address: config.address.clone(),
        security: config.security.clone(),
        // The sessions that it remembers make coming back cheap.
        encryption: matches!(config.security, Security::Encrypted(_)).then(Encryption::default),
        broken_after_ms: config.broken_after_ms,
        session: Session::new(config, Box::new(random_id)),
        reached: None,
        commands,
        events,
        pauses: Pauses::default(),
        started: Instant::now(),
        loss_is_told: false,
        attempt: 0,
    };
    let why = link.keep_up().await;
    // Nobody listening is a way of quitting.
    let _ = link.events.send(Event::Ended(why)).await;
}

struct Link {
    address: net::Address,
    security: Security,
    encryption: Option<Encryption>,
    broken_after_ms: u64,
    session: Session,
    /// What is told about the server once the client is in.
    reached: Option<Event>,
    commands: Receiver<Command>,
    events: Sender<Event>,
    pauses: Pauses,
    started: Instant,
    /// The front end knows already that the link is broken.
    loss_is_told: bool,
    /// Attempts to come back since the link broke.
    attempt: u32,
}

/// How a stretch of work ended.
enum Ending {
    /// The front end wants no more.
    Quit,
    /// The link is of no use any more.
    Broken(Trouble),
}

impl From<io::Error> for Ending {
    fn from(error: io::Error) -> Ending {
        Ending::Broken(Trouble::of(&error))
    }
}

/// What a link was woken by.
enum Woken {
    Read(usize),
    Wrote(usize),
    Told(Option<Command>),
    Due,
}

impl Link {
    /// Dials again and again. Returns why it gave up; `None` when it was told to quit.
    async fn keep_up(&mut self) -> Option<Trouble> {
        loop {
            let trouble = match self.one_link().await {
                Ending::Quit => return None,
                Ending::Broken(trouble) => trouble,
            };
            let mut orders = Orders::default();
            self.session.lost(&mut orders);
            if self.session.waits_for_answer() {
                while self.session.waits_for_answer() {
                    let command = self.next_command().await?;
                    self.take(command).await?;
                }
                continue;
            }
            // Trying again would not make a key or a password right; somebody has to look into it.
            if !self.session.was_in() || trouble.is_final() {
                return Some(trouble);
            }
            if !std::mem::replace(&mut self.loss_is_told, true) {
                orders.tell(Event::Lost(trouble));
            }
            let pause_ms = self.pauses.next_ms(getrandom::u64().unwrap_or_default());
            self.attempt += 1;
            orders.tell(Event::Pausing { attempt: self.attempt, pause_ms });
            self.tell(orders.events).await.ok()?;
            self.meanwhile(Timer::after(Duration::from_millis(pause_ms))).await?;
        }
    }

    /// Dials and talks until something ends it.
    async fn one_link(&mut self) -> Ending {
        let (address, encryption) = (self.address.clone(), self.encryption.clone());
        match self.meanwhile(net::open(&address, encryption.as_ref())).await {
            None => Ending::Quit,
            Some(Err(why)) => Ending::Broken(why.into()),
            Some(Ok(mut opened)) => {
                if let Err(ending) = self.trust(&opened).await {
                    return ending;
                }
                let opened_ms = self.now_ms();
                let Err(ending) = self.talk(&mut opened.stream).await;
                if self.session.is_in() {
                    self.pauses.broke_after(self.now_ms() - opened_ms);
                }
                ending
            }
        }
    }

    /// Nothing is said to a server before its key is trusted.
    async fn trust(&mut self, opened: &Opened) -> Result<(), Ending> {
        let server = self.address.at_port(opened.port);
        self.reached = Some(Event::Reached { server: server.clone(), key: opened.key });
        let (Security::Encrypted(trust), Some(key)) = (&mut self.security, opened.key) else { return Ok(()) };
        let date = OffsetDateTime::now_utc().date().to_string();
        let trusted = trust.check(&server, key, &date).map_err(|why| Trouble::Distrusted(why.into()));
        match trusted.map_err(Ending::Broken)? {
            Trusted::Known => Ok(()),
            new => self.tell(vec![Event::KeyAccepted { server, key, replaced: new == Trusted::Replaced }]).await,
        }
    }

    /// Waits for some work and takes commands meanwhile. `None` means quit.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            match future::or(async { Ok(work.as_mut().await) }, async { Err(self.next_command().await) }).await {
                Ok(done) => return Some(done),
                Err(command) => self.take(command?).await?,
            }
        }
    }

    /// The next command, when there is room for it; `None` means quit.
    async fn next_command(&self) -> Option<Command> {
        if self.session.is_full() {
            return future::pending().await;
        }
        self.commands.recv().await.ok().filter(|command| *command != Command::Quit)
    }

    /// Takes a command while there is no link.
    async fn take(&mut self, command: Command) -> Option<()> {
        let mut orders = Orders::default();
        self.session.told(command, &mut orders);
        self.tell(orders.events).await.ok()
    }

    /// One link from the greeting to its end.
    async fn talk(&mut self, stream: &mut impl Stream) -> Result<std::convert::Infallible, Ending> {
        let mut wire = Wire::default();
        let mut pulse = Pulse::new(self.now_ms(), self.broken_after_ms);
        let mut quit_by_ms = None;
        let mut is_first = true;
        let mut orders = Orders::default();
        self.session.opened(self.now_ms(), &mut orders);
        loop {
            self.carry_out(std::mem::take(&mut orders), &mut wire).await?;
            let due_ms =
                [self.session.deadline_ms(), quit_by_ms].into_iter().flatten().fold(pulse.deadline_ms(), u64::min);
            match self.woken(stream, &mut wire, due_ms, quit_by_ms.is_some()).await? {
                Woken::Read(0) => {
                    return Err(match quit_by_ms {
                        Some(_) => Ending::Quit,
                        None => Ending::Broken(Trouble::Closed(self.session.last_words())),
                    });
                }
                Woken::Read(count) => {
                    pulse.heard(self.now_ms());
                    let read = wire.take_read(count);
                    if std::mem::take(&mut is_first) && read.starts_with(TLS_ALERT) {
                        return Err(Ending::Broken(Trouble::OnlyTls));
                    }
                    self.heard(&read, &mut wire.cutter, &mut orders).await?;
                    wire.give_back(read);
                }
                Woken::Wrote(count) => wire.wrote(count),
                Woken::Told(None | Some(Command::Quit)) => {
                    if !self.session.is_in() {
                        return Err(Ending::Quit);
                    }
                    quit_by_ms = Some(self.now_ms() + GOODBYE_WITHIN_MS);
                    orders.send("QUIT :bye".to_owned());
                }
                Woken::Told(Some(command)) => self.session.told(command, &mut orders),
                Woken::Due => {
                    let now_ms = self.now_ms();
                    if quit_by_ms.is_some_and(|by_ms| by_ms <= now_ms) {
                        return Err(Ending::Quit);
                    }
                    match pulse.tick(now_ms) {
                        Beat::Broken => return Err(Ending::Broken(Trouble::Silent)),
                        Beat::Ask => orders.send("PING gzy".to_owned()),
                        Beat::Fine => {}
                    }
                    self.session.tick(now_ms, &mut orders).map_err(Ending::Broken)?;
                }
            }
        }
    }

    /// Handles the lines in what was read.
    async fn heard(&mut self, read: &[u8], cutter: &mut LineCutter, orders: &mut Orders) -> Result<(), Ending> {
        let now_ms = self.now_ms();
        let mut outcome = Ok(());
        cutter.feed(read, |line| match line {
            Ok(text) if outcome.is_ok() => outcome = self.session.heard(now_ms, text, orders),
            Ok(_) => {}
            Err(_) => orders.tell(Event::Unreadable),
        });
        if let Err(trouble) = outcome {
            // What came before the end is still worth knowing.
            self.tell(std::mem::take(&mut orders.events)).await?;
            return Err(Ending::Broken(trouble));
        }
        Ok(())
    }

    async fn carry_out(&mut self, orders: Orders, wire: &mut Wire) -> Result<(), Ending> {
        orders.lines.iter().for_each(|line| wire.push(line));
        self.tell(orders.events).await
    }

    /// Hands events to the front end. One that is slow makes the link read slowly.
    async fn tell(&mut self, events: Vec<Event>) -> Result<(), Ending> {
        for event in events {
            if matches!(event, Event::In { .. }) {
                (self.loss_is_told, self.attempt) = (false, 0);
                if let Some(reached) = self.reached.take() {
                    self.events.send(reached).await.map_err(|_| Ending::Quit)?;
                }
            }
            self.events.send(event).await.map_err(|_| Ending::Quit)?;
        }
        Ok(())
    }

    /// Waits until there is something to do: bytes came, bytes could be sent, a command came, or the time is `due_ms`.
    async fn woken(
        &self,
        stream: &mut impl Stream,
        wire: &mut Wire,
        due_ms: u64,
        is_quitting: bool,
    ) -> io::Result<Woken> {
        let mut due = pin!(Timer::at(self.started + Duration::from_millis(due_ms)));
        let mut told = pin!(self.commands.recv());
        let takes_commands = !is_quitting && !self.session.is_full();
        poll_fn(|cx| {
            if let Poll::Ready(result) = wire.poll(stream, cx) {
                return Poll::Ready(result);
            }
            if takes_commands && let Poll::Ready(command) = told.as_mut().poll(cx) {
                return Poll::Ready(Ok(Woken::Told(command.ok())));
            }
            due.as_mut().poll(cx).map(|_| Ok(Woken::Due))
        })
        .await
    }

    /// Milliseconds since the link was started, by a clock that never jumps.
    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

/// The bytes on their way in and out of one stream.
struct Wire {
    cutter: LineCutter,
    read: Vec<u8>,
    out: Vec<u8>,
    written: usize,
    is_flushed: bool,
}

impl Default for Wire {
    fn default() -> Wire {
        let cutter = LineCutter::of_server();
        Wire { cutter, read: vec![0; READ_BYTES], out: Vec::new(), written: 0, is_flushed: true }
    }
}

impl Wire {
    fn push(&mut self, line: &str) {
        // Whatever a front end passed on, one line is one command.
        self.out.extend(line.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)));
        self.out.extend_from_slice(b"\r\n");
    }

    fn wrote(&mut self, count: usize) {
        self.written += count;
        if self.written == self.out.len() {
            self.out.clear();
            self.written = 0;
        }
    }

    /// Lends out the bytes that were read, so that they can be looked at while others change the rest.
    fn take_read(&mut self, count: usize) -> Vec<u8> {
        let mut read = std::mem::take(&mut self.read);
        read.truncate(count);
        read
    }

    fn give_back(&mut self, mut read: Vec<u8>) {
        read.resize(READ_BYTES, 0);
        self.read = read;
    }

    fn poll(&mut self, stream: &mut impl Stream, cx: &mut Context) -> Poll<io::Result<Woken>> {
        if !self.out.is_empty() {
            self.is_flushed = false;
            match Pin::new(&mut *stream).poll_write(cx, &self.out[self.written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
                Poll::Ready(result) => return Poll::Ready(result.map(Woken::Wrote)),
                Poll::Pending => {}
            }
        } else if !self.is_flushed {
            // Streams that encrypt keep what is written until they are flushed.
            match Pin::new(&mut *stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.is_flushed = true,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
        }
        Pin::new(stream).poll_read(cx, &mut self.read).map_ok(Woken::Read)
    }
}

/// An id that nobody else makes.
fn random_id() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has random bytes: it gave some to the hash maps already");
    u128::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests;

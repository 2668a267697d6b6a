//! What a terminal waits for: events, news of files, keys, and the time.

use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use smol::{Timer, future};

use super::console::Console;
use crate::client::transfers::{News, Transfers};
use crate::client::{Command, Event};

/// How long what is typed waits for the room to be known after logging in. Servers that say little about their rooms are not waited for longer.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// How long a script waits for the next receipt after its last line: a restart of the server, and the longest pause before dialing again.
pub const RECEIPT_WITHIN: Duration = Duration::from_secs(60);

/// What the terminal was woken by.
pub enum Woken<T> {
    Happened(Event),
    Told(News),
    Typed(Option<T>),
    Sent,
    Late,
}

/// What connects a terminal with the rest of the client.
#[derive(Clone, Copy)]
pub struct Wires<'a> {
    /// To the link.
    pub commands: &'a Sender<Command>,
    /// From the link.
    pub events: &'a Receiver<Event>,
    /// Those who move files.
    pub transfers: &'a Transfers,
}

impl Wires<'_> {
    /// Hands over what is wanted done with files.
    pub fn wish(&self, console: &mut Console) {
        console.wishes.drain(..).for_each(|wish| self.transfers.wish(wish));
    }
}

/// How long the terminal still waits, and for what.
#[derive(Default)]
pub struct Waits {
    /// For the room to be known.
    pub ready_by: Option<Instant>,
    /// For receipts and the goodbye, when leaving.
    pub end_by: Option<Instant>,
}

impl Waits {
    /// Files move: the goodbye is not late.
    pub fn moved(&mut self) {
        if self.end_by.is_some() {
            self.end_by = Some(Instant::now() + RECEIPT_WITHIN);
        }
    }

    /// Until when nothing has to be done.
    pub fn until(&mut self, console: &Console) -> Option<Instant> {
        if console.is_leaving() {
            self.end_by.get_or_insert_with(|| Instant::now() + RECEIPT_WITHIN);
        }
        [self.ready_by.filter(|_| !console.is_ready()), self.end_by].into_iter().flatten().min()
    }

    /// Whether the room should be known.
    pub fn is_late(&self, console: &Console) -> bool {
        !console.is_ready() && self.ready_by.is_some_and(|by| by <= Instant::now())
    }

    /// Something happened, which may change how long is waited.
    pub fn happened(&mut self, event: &Event) {
        match event {
            Event::In { .. } => self.ready_by = self.ready_by.or_else(|| Some(Instant::now() + READY_WITHIN)),
            // As long as receipts come, the rest may come as well.
            Event::Delivered(_) | Event::Refused { .. } if self.end_by.is_some() => {
                self.end_by = Some(Instant::now() + RECEIPT_WITHIN);
            }
            _ => {}
        }
    }
}

/// Waits for the next thing: an event, room for the `next` command, a typed line, or the time.
pub async fn woken<T>(
    wires: &Wires<'_>,
    next: Option<Command>,
    typed: &Receiver<T>,
    takes_input: bool,
    until: Option<Instant>,
) -> Woken<T> {
    let happened = async {
        match wires.events.recv().await {
            Ok(event) => Woken::Happened(event),
            Err(_) => future::pending().await,
        }
    };
    let told = async {
        match wires.transfers.news().recv().await {
            Ok(news) => Woken::Told(news),
            // They have ended with the link.
            Err(_) => future::pending().await,
        }
    };
    let sent = async {
        match next {
            Some(command) => {
                // An ended link takes nothing; that it has ended comes as an event.
                let _ = wires.commands.send(command).await;
                Woken::Sent
            }
            None => future::pending().await,
        }
    };
    let read = async { if takes_input { Woken::Typed(typed.recv().await.ok()) } else { future::pending().await } };
    let late = async {
        match until {
            Some(until) => {
                Timer::at(until).await;
                Woken::Late
            }
            None => future::pending().await,
        }
    };
    future::or(future::or(happened, sent), future::or(read, future::or(told, late))).await
}

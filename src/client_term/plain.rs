//! A terminal that prints line after line, and scripts: lines go in, lines come out.

use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use async_channel::Receiver;

use super::console::{Console, Print};
use super::memory::Memory;
use super::waiting::{Waits, Wires, Woken, woken};
use super::{COMMANDS, GOODBYE_WITHIN, now_ms};
use crate::client::Command;
use crate::client::start::Start;

/// Bytes of one typed line; a longer one is sent in pieces. It bounds what a file without line ends can take in memory.
const TYPED_BYTES: u64 = 1 << 20;

/// Carries lines and events between the terminal and the link until both are done. `memory`: where somebody sits at the terminal. Returns whether all went well.
pub async fn attend(mut console: Console, memory: Option<&mut Start>, wires: &Wires<'_>) -> bool {
    let mut memory = Memory::new(memory);
    let typed = typed_lines();
    let mut input_is_over = false;
    let mut waits = Waits::default();
    loop {
        memory.run_errands(&mut console);
        wires.wish(&mut console);
        console.passed(now_ms());
        // Nobody reading what is shown (`gzy client … | head -1`) is a way of leaving, too.
        if !print_all(&mut console) || console.has_ended() {
            return console.is_success();
        }
        let next = console.commands.front().cloned();
        let takes_input = !input_is_over && next.is_none() && console.wants_input();
        let due = console.due_ms().map(|at| Instant::now() + Duration::from_millis(at.saturating_sub(now_ms())));
        let until = [waits.until(&console), due].into_iter().flatten().min();
        match woken(wires, next, &typed, takes_input, until).await {
            Woken::Told(news) => {
                waits.moved();
                console.news(now_ms(), news);
            }
            Woken::Happened(event) => {
                waits.happened(&event);
                wires.transfers.happened(&event);
                memory.happened(&event, &mut console);
                console.happened(now_ms(), &event);
            }
            Woken::Typed(Some(line)) => console.typed(now_ms(), &line),
            Woken::Typed(None) => {
                input_is_over = true;
                console.input_ended();
            }
            Woken::Sent => {
                if console.commands.pop_front() == Some(Command::Quit) {
                    waits.end_by = Some(Instant::now() + GOODBYE_WITHIN);
                }
            }
            Woken::Late if waits.end_by.is_some_and(|by| by <= Instant::now()) => {
                if console.open_count() > 0 {
                    console.give_up();
                }
                print_all(&mut console);
                return console.is_success();
            }
            Woken::Late if waits.is_late(&console) => console.stop_waiting(),
            // What was held back is told.
            Woken::Late => {}
        }
    }
}

/// Prints what the console has to say. False when nobody reads it any more.
fn print_all(console: &mut Console) -> bool {
    let mut out = io::stdout().lock();
    let printed = console.print.drain(..).try_for_each(|print| match print {
        Print::Line(text) => writeln!(out, "{text}"),
        Print::Question(text) => write!(out, "{text}"),
        Print::Failure(text) => {
            eprintln!("{text}");
            Ok(())
        }
        Print::Bell => write!(out, "\x07"),
        // A terminal that only prints cannot.
        Print::Cleared => Ok(()),
    });
    printed.and_then(|()| out.flush()).is_ok()
}

/// The lines of the standard input, read on a thread of its own, because reading a terminal waits. The channel closes at its end.
fn typed_lines() -> Receiver<String> {
    let (to_console, typed) = async_channel::bounded(COMMANDS);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            match io::Read::take(&mut input, TYPED_BYTES).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            if to_console.send_blocking(line).is_err() {
                return;
            }
        }
    });
    typed
}

//! The client in a terminal, and in scripts.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_channel::{Receiver, Sender};
use smol::{Timer, future};
use time::UtcOffset;

use crate::client::start::{Start, Wish};
use crate::client::words::{Language, Saying, Writer, say as words};
use crate::client::{Command, Config, Event, config_folder, link, view};
use crate::wire::name::Nick;

mod console;

use console::{Console, Print};

/// How many earlier messages are shown on entering a room.
const HISTORY: usize = 10;

/// How long what is typed waits for the room to be known after logging in. Servers that say little about their rooms are not waited for longer.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// How long a script waits for the next receipt after its last line: a restart of the server, and the longest pause before dialing again.
const RECEIPT_WITHIN: Duration = Duration::from_secs(60);

/// How long the goodbye may take.
const GOODBYE_WITHIN: Duration = Duration::from_secs(5);

/// Bytes of one typed line; a longer one is sent in pieces. It bounds what a file without line ends can take in memory.
const TYPED_BYTES: u64 = 1 << 20;

/// Events on their way to the screen before the link has to wait.
const EVENTS: usize = 256;

/// Commands on their way to the link before the keyboard has to wait.
const COMMANDS: usize = 64;

/// Exit codes: done, failed, wrong usage.
const DONE: u8 = 0;
const FAILED: u8 = 1;
const WRONG: u8 = 2;

/// What `gzy client` was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientConfig {
    /// Where to, and how.
    pub wish: Wish,
    /// The nick; asked for in a terminal when `None`.
    pub nick: Option<String>,
    /// The word that the server wants from everybody.
    pub password: Option<String>,
    /// The room to talk in; the server's lobby when `None`.
    pub room: Option<String>,
}

/// What `gzy say` was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SayConfig {
    /// Where to, and how.
    pub wish: Wish,
    /// What to say; several lines make several messages.
    pub text: String,
    /// The nick; that of the system's user when `None`.
    pub nick: Option<String>,
    /// The word that the server wants from everybody.
    pub password: Option<String>,
    /// The room to say it in; the server's lobby when `None`.
    pub room: Option<String>,
}

/// Talks until the user leaves or the input ends. Returns the exit code.
pub fn run(config: ClientConfig) -> u8 {
    // The offset is read first: with several threads it cannot be.
    let offset = UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC);
    let is_interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    let mut start = match start(&config.wish) {
        Ok(start) => start,
        Err(code) => return code,
    };
    let language = start.language;
    let typed = typed_lines();
    smol::block_on(async {
        // A script gets what it asks for, whatever somebody typed the last time.
        let nick = match config.nick.or_else(|| start.nick.take().filter(|_| is_interactive)) {
            Some(nick) => Some(nick),
            None if is_interactive => ask_nick(&typed, language).await,
            None => Some(default_nick("guest")),
        };
        let Some(nick) = nick else { return DONE };
        let config = Config {
            address: start.address.clone(),
            security: start.security.clone(),
            broken_after_ms: start.broken_after_ms,
            nick: nick.into(),
            password: config.password.map(Into::into),
            can_ask: is_interactive,
            room: config.room.map(Into::into),
            history: HISTORY,
        };
        let (to_link, commands) = async_channel::bounded(COMMANDS);
        let (to_screen, events) = async_channel::bounded(EVENTS);
        let link = async {
            link::run(config, commands, to_screen).await;
            future::pending().await
        };
        let console = Console::new(language, offset, is_interactive);
        let memory = is_interactive.then_some(&mut start);
        future::or(attend(console, memory, &typed, &to_link, &events), link).await
    })
}

/// Says one text and waits for the receipt. Returns the exit code.
pub fn say(config: SayConfig) -> u8 {
    let offset = UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC);
    let start = match start(&config.wish) {
        Ok(start) => start,
        Err(code) => return code,
    };
    let language = start.language;
    let link_config = Config {
        address: start.address,
        security: start.security,
        broken_after_ms: start.broken_after_ms,
        nick: config.nick.unwrap_or_else(|| default_nick("say")).into(),
        password: config.password.map(Into::into),
        can_ask: false,
        room: config.room.map(Into::into),
        history: 0,
    };
    let (to_link, commands) = async_channel::bounded(COMMANDS);
    let (to_screen, events) = async_channel::bounded(EVENTS);
    let writer = Writer { language, offset, current: "".into() };
    let work = async {
        let text = config.text.into();
        // The link holds the other end until it has ended, which the events tell.
        let _ = to_link.send(Command::Say { key: 0, target: None, text }).await;
        receipt(&writer, &to_link, &events).await
    };
    let link = async {
        link::run(link_config, commands, to_screen).await;
        future::pending().await
    };
    smol::block_on(future::or(work, link))
}

/// Waits for the answer to the one message of `gzy say`.
async fn receipt(writer: &Writer, commands: &Sender<Command>, events: &Receiver<Event>) -> u8 {
    let mut view = view::View::default();
    let mut until = Instant::now() + RECEIPT_WITHIN;
    let mut code = FAILED;
    let mut is_answered = false;
    loop {
        let late = async {
            Timer::at(until).await;
            Err(async_channel::RecvError)
        };
        let Ok(event) = future::or(events.recv(), late).await else {
            if !is_answered {
                eprintln!("{}", words(writer.language, &Saying::Undelivered(1)));
            }
            return code;
        };
        let shown = view.take(now_ms(), &event);
        if matches!(event, Event::KeyAccepted { .. } | Event::Refused { .. } | Event::Lost(_) | Event::Ended(_)) {
            shown.iter().for_each(|shown| eprintln!("{}", writer.line(shown, now_ms())));
        }
        match event {
            Event::Delivered(_) => code = DONE,
            Event::Refused { .. } => {}
            Event::Ended(_) => return code,
            _ => continue,
        }
        is_answered = true;
        until = Instant::now() + GOODBYE_WITHIN;
        let _ = commands.send(Command::Quit).await;
    }
}

/// What the terminal was woken by.
enum Woken {
    Happened(Event),
    Typed(Option<String>),
    Sent,
    Late,
}

/// Carries lines and events between the terminal and the link until both are done. `memory`: where somebody sits at the terminal.
async fn attend(
    mut console: Console,
    mut memory: Option<&mut Start>,
    typed: &Receiver<String>,
    commands: &Sender<Command>,
    events: &Receiver<Event>,
) -> u8 {
    let mut input_is_over = false;
    let mut waits = Waits::default();
    loop {
        // Nobody reading what is shown (`gzy client … | head -1`) is a way of leaving, too.
        if !print_all(&mut console) || console.has_ended() {
            return if console.is_success() { DONE } else { FAILED };
        }
        let next = console.commands.front().cloned();
        let takes_input = !input_is_over && next.is_none() && console.wants_input();
        match woken(events, next, typed, takes_input, commands, waits.until(&console)).await {
            Woken::Happened(event) => {
                waits.happened(&event);
                // The first login only: a nick that a broken link forces on the user is not what they chose.
                if let Event::In { nick, .. } = &event
                    && let Some(start) = memory.take()
                    && let Err(sentence) = start.logged_in(nick)
                {
                    console.print.push_back(Print::Failure(sentence));
                }
                console.happened(now_ms(), &event);
            }
            Woken::Typed(Some(line)) => console.typed(&line),
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
                return if console.is_success() { DONE } else { FAILED };
            }
            Woken::Late => console.stop_waiting(),
        }
    }
}

/// How long the terminal still waits, and for what.
#[derive(Default)]
struct Waits {
    /// For the room to be known.
    ready_by: Option<Instant>,
    /// For receipts and the goodbye, when leaving.
    end_by: Option<Instant>,
}

impl Waits {
    fn until(&mut self, console: &Console) -> Option<Instant> {
        if console.is_leaving() {
            self.end_by.get_or_insert_with(|| Instant::now() + RECEIPT_WITHIN);
        }
        [self.ready_by.filter(|_| !console.is_ready()), self.end_by].into_iter().flatten().min()
    }

    fn happened(&mut self, event: &Event) {
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
async fn woken(
    events: &Receiver<Event>,
    next: Option<Command>,
    typed: &Receiver<String>,
    takes_input: bool,
    commands: &Sender<Command>,
    until: Option<Instant>,
) -> Woken {
    let happened = async {
        match events.recv().await {
            Ok(event) => Woken::Happened(event),
            Err(_) => future::pending().await,
        }
    };
    let sent = async {
        match next {
            Some(command) => {
                // An ended link takes nothing; that it has ended comes as an event.
                let _ = commands.send(command).await;
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
    future::or(future::or(happened, sent), future::or(read, late)).await
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
    });
    printed.and_then(|()| out.flush()).is_ok()
}

/// Asks for a nick until one is typed that can be one; `None` at the end of input.
async fn ask_nick(typed: &Receiver<String>, language: Language) -> Option<String> {
    loop {
        print!("{}", words(language, &Saying::AskNick));
        io::stdout().flush().ok()?;
        match Nick::parse(typed.recv().await.ok()?.trim()) {
            Ok(nick) => return Some(nick.as_str().to_owned()),
            Err(why) => println!("{}", words(language, &Saying::BadNick(why))),
        }
    }
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

/// What is known before dialing; what the user should know is said.
fn start(wish: &Wish) -> Result<Start, u8> {
    let variable = |name: &str| std::env::var(name).ok();
    let start = Start::new(wish, config_folder::of_user().as_deref(), variable).map_err(|sentence| {
        eprintln!("{sentence}");
        WRONG
    })?;
    start.notes.iter().for_each(|note| eprintln!("{note}"));
    Ok(start)
}

/// The name of the system's user where it can be a nick, else `otherwise`.
fn default_nick(otherwise: &str) -> String {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    user.and_then(|user| Nick::parse(&user).ok()).map_or_else(|| otherwise.to_owned(), |nick| nick.as_str().to_owned())
}

/// Milliseconds since 1970 (UTC), for showing.
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

//! The client in a terminal, and in scripts.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_channel::{Receiver, Sender};
use smol::{Timer, future};
use time::UtcOffset;

use crate::client::account::Credentials;
use crate::client::start::{Start, Wish};
use crate::client::transfers::{self, Setup};
use crate::client::words::{AccountSaying, FileSaying, Language, Saying, say as words};
use crate::client::writer::Writer;
use crate::client::{Command, Config, Event, config_folder, link, view};
use crate::wire::limits::FLOOD_PER_SECOND;
use crate::wire::name::Nick;

mod bars;
mod carry;
mod complete;
mod console;
mod editor;
mod folding;
mod keys;
mod live;
mod memory;
mod paint;
mod past;
mod plain;
mod reader;
mod screen;
pub mod secret;
mod talks;
mod waiting;

pub use carry::{CarryConfig, Errand, carry};
use console::{Console, Front};
use live::{Live, Raw};
use paint::{Painter, Palette};
use waiting::{RECEIPT_WITHIN, Wires};

/// How many earlier messages are shown on entering a room.
const HISTORY: usize = 10;

/// Where downloads go, below the current folder.
const DOWNLOADS: &str = "Recv";

/// How long the goodbye may take.
const GOODBYE_WITHIN: Duration = Duration::from_secs(5);

/// Events on their way to the screen before the link has to wait.
const EVENTS: usize = 256;

/// Commands on their way to the link before the keyboard has to wait.
const COMMANDS: usize = 64;

/// Exit codes: done, failed, wrong usage.
const DONE: u8 = 0;
const FAILED: u8 = 1;
const WRONG: u8 = 2;

/// An account on the command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountWish {
    /// Its name, or its number.
    pub name: String,
    /// Its password, when it came from a file or a pipe.
    pub password: Option<String>,
}

/// What `gzy client` was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientConfig {
    /// Where to, and how.
    pub wish: Wish,
    /// The account to log in to.
    pub account: Option<AccountWish>,
    /// The nick; asked for in a terminal when `None`.
    pub nick: Option<String>,
    /// The word that the server wants from everybody.
    pub password: Option<String>,
    /// The room to talk in; the server's lobby when `None`.
    pub room: Option<String>,
    /// Where downloads go; `Recv` in the current folder when `None`.
    pub downloads: Option<PathBuf>,
}

/// What `gzy say` was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SayConfig {
    /// Where to, and how.
    pub wish: Wish,
    /// What to say; several lines are one message where the server takes that.
    pub text: String,
    /// The account to log in to.
    pub account: Option<AccountWish>,
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
    // A script gets what it asks for, whatever somebody typed the last time.
    let remembers = is_interactive || config.account.is_some();
    let kept = start.login.clone().filter(|kept| {
        let fits = |name: &Option<String>| name.as_deref().is_none_or(|name| kept.is_for(name));
        remembers && fits(&config.nick) && fits(&config.account.as_ref().map(|account| account.name.clone()))
    });
    let account = match login(config.account, kept.clone(), language) {
        Ok(account) => account,
        Err(code) => return code,
    };
    let nick = match config.nick.or_else(|| start.nick.take().filter(|_| is_interactive)) {
        Some(nick) => Some(nick),
        None if is_interactive && account.is_none() => ask_nick(language),
        None => Some(default_nick("guest")),
    };
    let Some(nick) = nick else { return DONE };
    let raw = if is_interactive && can_draw() { Raw::take().ok() } else { None };
    let draws = raw.is_some();
    let link_config = Config {
        address: start.address.clone(),
        security: start.security.clone(),
        broken_after_ms: start.broken_after_ms,
        nick: nick.into(),
        password: config.password.map(Into::into),
        can_ask: is_interactive,
        account,
        asks_password: draws,
        room: config.room.map(Into::into),
        history: HISTORY,
        follows_rooms: draws,
    };
    let writer = Writer { language, offset, current: "".into() };
    let (to_link, commands) = async_channel::bounded(COMMANDS);
    let (to_screen, events) = async_channel::bounded(EVENTS);
    let transfers = transfers::start(Setup::of(
        &link_config,
        config.downloads.unwrap_or_else(|| DOWNLOADS.into()),
        // A script moves what it names, and nothing that somebody else left unfinished.
        config_folder::of_user().filter(|_| is_interactive),
        to_link.clone(),
    ));
    let transfers = match transfers {
        Ok(transfers) => transfers,
        Err(why) => {
            eprintln!("{}", words(language, &Saying::File(FileSaying::NoThread(&why.to_string()))));
            return FAILED;
        }
    };
    let link = async {
        link::run(link_config, commands, to_screen).await;
        future::pending().await
    };
    let wires = Wires { commands: &to_link, events: &events, transfers: &transfers };
    let is_success = match raw {
        Some(raw) => {
            let palette = Palette::of_environment(start.colours, |name| std::env::var(name).ok());
            let mut console = Console::new(Painter::new(writer, palette), Front::Screen);
            console.know_login(kept);
            let mut live = Live::new(console, raw);
            let past = past::File::of_user();
            live.remember(past.read());
            let keys = live::keys();
            let talk = future::or(live.attend(&mut start, &keys, &wires), asked_to_end());
            let is_success = smol::block_on(future::or(talk, link));
            past.write(live.end().remembered());
            is_success
        }
        None => {
            let front = if is_interactive { Front::Plain } else { Front::Script };
            let mut console = Console::new(Painter::new(writer, None), front);
            console.know_login(kept);
            let memory = is_interactive.then_some(&mut start);
            smol::block_on(future::or(plain::attend(console, memory, &wires), link))
        }
    };
    if is_success { DONE } else { FAILED }
}

/// The account to log in to: the one that was asked for, else the one that is kept.
fn login(wish: Option<AccountWish>, kept: Option<Credentials>, language: Language) -> Result<Option<Credentials>, u8> {
    match (wish, kept) {
        (Some(wish), None) => with_password(wish, language).map(Some),
        (Some(wish), Some(_)) if wish.password.is_some() => with_password(wish, language).map(Some),
        (_, kept) => Ok(kept),
    }
}

/// The login that was asked for: with the password that came along, or one that is typed or piped in.
fn with_password(wish: AccountWish, language: Language) -> Result<Credentials, u8> {
    let question = words(language, &Saying::Account(AccountSaying::AskPassword(&wish.name)));
    let password = match wish.password {
        Some(password) => Some(password),
        None if io::stdin().is_terminal() => secret::ask(&question),
        None => {
            let mut line = String::new();
            io::stdin().read_line(&mut line).ok();
            Some(line.trim_end_matches(['\r', '\n']).to_owned())
        }
    };
    password.filter(|password| !password.is_empty()).map(|password| Credentials::new(&wish.name, &password)).ok_or_else(
        || {
            eprintln!("{}", words(language, &Saying::Account(AccountSaying::NoPassword)));
            WRONG
        },
    )
}

/// Whether the terminal understands how the cursor is moved.
#[cfg(not(windows))]
fn can_draw() -> bool {
    std::env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb")
}

/// Consoles of Windows 10 and later understand it when they are asked to, and this asks.
#[cfg(windows)]
fn can_draw() -> bool {
    crossterm::ansi_support::supports_ansi()
}

/// Waits until the system wants the program to end, so that the terminal is given back as it was.
#[cfg(unix)]
async fn asked_to_end() -> bool {
    use async_signal::{Signal, Signals};
    use smol::stream::StreamExt;
    match Signals::new([Signal::Term, Signal::Hup]) {
        Ok(mut signals) => drop(signals.next().await),
        Err(_) => future::pending().await,
    }
    false
}

#[cfg(not(unix))]
async fn asked_to_end() -> bool {
    future::pending().await
}

/// Says one text and waits for the receipt. Returns the exit code.
pub fn say(config: SayConfig) -> u8 {
    let offset = UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC);
    let who = Who { nick: config.nick, account: config.account, password: config.password };
    let (mut link_config, language) = match scripted(&config.wish, who, "say") {
        Ok(scripted) => scripted,
        Err(code) => return code,
    };
    link_config.room = config.room.map(Into::into);
    let (to_link, commands) = async_channel::bounded(COMMANDS);
    let (to_screen, events) = async_channel::bounded(EVENTS);
    let writer = Writer { language, offset, current: "".into() };
    let work = async {
        let (lines, text) = (config.text.lines().count(), config.text.into());
        // The link holds the other end until it has ended, which the events tell.
        let _ = to_link.send(Command::Say { key: 0, target: None, text }).await;
        receipt(&writer, lines, &to_link, &events).await
    };
    let link = async {
        link::run(link_config, commands, to_screen).await;
        future::pending().await
    };
    smol::block_on(future::or(work, link))
}

/// As whom a script comes in.
struct Who {
    nick: Option<String>,
    account: Option<AccountWish>,
    password: Option<String>,
}

/// How a script links: nobody can be asked, and nothing of earlier talk is wanted. `nick`: where neither the script nor the system knows a better one.
fn scripted(wish: &Wish, who: Who, nick: &str) -> Result<(Config, Language), u8> {
    let start = start(wish)?;
    let kept = start.login.filter(|kept| who.account.as_ref().is_some_and(|account| kept.is_for(&account.name)));
    let account = login(who.account, kept, start.language)?;
    let config = Config {
        address: start.address,
        security: start.security,
        broken_after_ms: start.broken_after_ms,
        nick: who.nick.unwrap_or_else(|| default_nick(nick)).into(),
        password: who.password.map(Into::into),
        can_ask: false,
        account,
        asks_password: false,
        room: None,
        history: 0,
        follows_rooms: false,
    };
    Ok((config, start.language))
}

/// Waits for the answer to the one text of `gzy say`, which has so many lines.
async fn receipt(writer: &Writer, lines: usize, commands: &Sender<Command>, events: &Receiver<Event>) -> u8 {
    let mut view = view::View::default();
    // The server reads many lines no faster than its flood limits allow.
    let reading = Duration::from_secs(lines as u64 / u64::from(FLOOD_PER_SECOND));
    let mut until = Instant::now() + RECEIPT_WITHIN + reading;
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

/// Asks for a nick until one is typed that can be one; `None` at the end of input.
fn ask_nick(language: Language) -> Option<String> {
    loop {
        print!("{}", words(language, &Saying::AskNick));
        io::stdout().flush().ok()?;
        let mut line = String::new();
        if io::stdin().read_line(&mut line).ok()? == 0 {
            return None;
        }
        match Nick::parse(line.trim()) {
            Ok(nick) => return Some(nick.as_str().to_owned()),
            Err(why) => println!("{}", words(language, &Saying::BadNick(why))),
        }
    }
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

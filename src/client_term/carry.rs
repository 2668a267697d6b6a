//! `gzy put`, `gzy get` and `gzy ls`: files moved and listed for scripts. Nothing is asked, and the exit code tells.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use smol::{Timer, future};
use time::UtcOffset;

use super::bars::{self, Whole};
use super::{AccountWish, COMMANDS, DONE, DOWNLOADS, EVENTS, FAILED, GOODBYE_WITHIN, Who, now_ms, scripted, words};
use crate::client::start::Wish;
use crate::client::transfers::{self, Job, Listed, News, Setup, Transfers, Wish as FilesWish};
use crate::client::words::{FileSaying, Language, Saying};
use crate::client::writer::Writer;
use crate::client::{Command, Event, link, view};
use crate::wire::escape::printable;
use crate::wire::timestamp;

/// How long a script waits for a server that has gone: a restart, or a moment without Wi-Fi. What was moved is kept, so that it can be run again.
const BACK_WITHIN: Duration = Duration::from_secs(300);

/// Columns of the line about what is under way, where the window does not say how wide it is.
const COLUMNS: usize = 79;

/// What `gzy put`, `gzy get` or `gzy ls` was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CarryConfig {
    /// Where to, and how.
    pub wish: Wish,
    /// The account to log in to.
    pub account: Option<AccountWish>,
    /// The nick; that of the system's user when `None`.
    pub nick: Option<String>,
    /// The word that the server wants from everybody.
    pub password: Option<String>,
    /// What to do.
    pub errand: Errand,
}

/// What a script wants done with files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Errand {
    /// Bring them.
    Put {
        /// Files and folders.
        paths: Vec<PathBuf>,
        /// Where to.
        scope: Box<str>,
        /// Whether files of the same name may be replaced.
        replace: bool,
    },
    /// Fetch them.
    Get {
        /// Names and patterns.
        names: Vec<Box<str>>,
        /// Where from.
        scope: Box<str>,
        /// Where to; `Recv` in the current folder when `None`.
        downloads: Option<PathBuf>,
    },
    /// List them.
    List {
        /// A pattern, or a folder.
        pattern: Option<Box<str>>,
        /// Where.
        scope: Box<str>,
        /// For programs to read.
        is_json: bool,
    },
}

/// Does it. Returns the exit code.
pub fn carry(config: CarryConfig) -> u8 {
    // The offset is read first: with several threads it cannot be.
    let offset = UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC);
    let who = Who { nick: config.nick, account: config.account, password: config.password };
    let (link_config, language) = match scripted(&config.wish, who, "files") {
        Ok(scripted) => scripted,
        Err(code) => return code,
    };
    let (wish, downloads, is_json) = match config.errand {
        Errand::Put { paths, scope, replace } => (FilesWish::Put { paths, scope, replace }, None, false),
        Errand::Get { names, scope, downloads } => (FilesWish::Get { names, scope }, downloads, false),
        Errand::List { pattern, scope, is_json } => (FilesWish::List { pattern, scope }, None, is_json),
    };
    let (to_link, commands) = async_channel::bounded(COMMANDS);
    let (to_script, events) = async_channel::bounded(EVENTS);
    let setup = Setup::of(&link_config, downloads.unwrap_or_else(|| DOWNLOADS.into()), None, to_link.clone());
    let transfers = match transfers::start(setup) {
        Ok(transfers) => transfers,
        Err(why) => {
            eprintln!("{}", words(language, &Saying::File(FileSaying::NoThread(&why.to_string()))));
            return FAILED;
        }
    };
    transfers.wish(wish);
    let writer = Writer { language, offset, current: "".into() };
    let told = Told { writer, is_json, bars: Bars::new(language), has_failed: false, is_over: false };
    let work = attend(told, &transfers, &to_link, &events);
    let link = async {
        link::run(link_config, commands, to_script).await;
        future::pending().await
    };
    smol::block_on(future::or(work, link))
}

/// What a script is woken by.
enum Woken {
    Happened(Event),
    Told(News),
    Late,
}

/// Waits until all is done, or nothing can be done any more.
async fn attend(mut told: Told, transfers: &Transfers, commands: &Sender<Command>, events: &Receiver<Event>) -> u8 {
    let mut view = view::View::default();
    let mut until: Option<Instant> = None;
    let mut is_leaving = false;
    loop {
        match woken(transfers, events, until).await {
            Woken::Told(news) => {
                told.take(&news);
                // The last bytes may have arrived while the chat link was broken.
                if told.is_over && !std::mem::replace(&mut is_leaving, told.is_over) {
                    let _ = commands.send(Command::Quit).await;
                    until = Some(Instant::now() + GOODBYE_WITHIN);
                }
            }
            Woken::Happened(event) => {
                let shown = view.take(now_ms(), &event);
                if matches!(event, Event::KeyAccepted { .. } | Event::Lost(_) | Event::Ended(Some(_))) && !told.is_over
                {
                    shown.iter().for_each(|shown| told.complain(&told.writer.line(shown, now_ms())));
                }
                transfers.happened(&event);
                match event {
                    Event::Lost(_) if !is_leaving => until = Some(Instant::now() + BACK_WITHIN),
                    Event::In { .. } if !is_leaving => until = None,
                    Event::Ended(_) => return told.code(),
                    _ => {}
                }
            }
            Woken::Late => return told.code(),
        }
    }
}

async fn woken(transfers: &Transfers, events: &Receiver<Event>, until: Option<Instant>) -> Woken {
    let happened = async {
        match events.recv().await {
            Ok(event) => Woken::Happened(event),
            Err(_) => future::pending().await,
        }
    };
    let told = async {
        match transfers.news().recv().await {
            Ok(news) => Woken::Told(news),
            // Nobody is there any more who could move anything.
            Err(_) => Woken::Late,
        }
    };
    let late = async {
        match until {
            Some(until) => Timer::at(until).await,
            None => future::pending().await,
        };
        Woken::Late
    };
    future::or(told, future::or(happened, late)).await
}

/// What was told, and what it means for the exit code.
struct Told {
    writer: Writer,
    is_json: bool,
    bars: Bars,
    has_failed: bool,
    is_over: bool,
}

impl Told {
    fn code(&mut self) -> u8 {
        self.bars.clear();
        if self.is_over && !self.has_failed { DONE } else { FAILED }
    }

    fn take(&mut self, news: &News) {
        match news {
            News::Began(job) => self.bars.began(job),
            News::Progress(progress) => self.bars.draw(progress),
            News::Sent { job, digest, at_once: true, .. } => self.done(job, &FileSaying::ThereAlready(job, digest)),
            News::Sent { job, digest, took_ms, .. } => self.done(job, &FileSaying::Sent(job, digest, *took_ms)),
            News::Fetched { job, digest, path, at_once, took_ms } => {
                let path = path.display().to_string();
                match at_once {
                    true => self.done(job, &FileSaying::HereAlready(job, digest, &path)),
                    false => self.done(job, &FileSaying::Fetched(job, digest, &path, *took_ms)),
                }
            }
            News::Failed { job, why } => {
                self.bars.ended(job);
                self.fail(&FileSaying::Failed(job, why));
            }
            News::Nothing { asked, why } => self.fail(&FileSaying::Nothing(asked, why)),
            News::Listing { pattern: Some(pattern), files: Ok(files), .. } if files.is_empty() && !self.is_json => {
                self.fail(&FileSaying::NoFiles(Some(pattern)));
                self.is_over = true;
            }
            News::Listing { files: Ok(files), .. } => {
                let text = if self.is_json { json(files) } else { lines(files) };
                self.print(text.trim_end());
                self.is_over = true;
            }
            News::Listing { files: Err(why), .. } => {
                self.fail(&FileSaying::NotListed(why));
                self.is_over = true;
            }
            News::AllDone => self.is_over = true,
            // A script neither removes nor remembers.
            News::Removed { .. } | News::TakenUp(_) => {}
        }
    }

    fn done(&mut self, job: &Job, saying: &FileSaying) {
        self.bars.ended(job);
        self.print(&words(self.writer.language, &Saying::File(saying.clone())));
    }

    fn fail(&mut self, saying: &FileSaying) {
        self.has_failed = true;
        self.bars.clear();
        eprintln!("{}", words(self.writer.language, &Saying::File(saying.clone())));
    }

    /// Nobody reading it (`gzy ls … | head -1`) is no failure of ours.
    fn print(&mut self, text: &str) {
        self.bars.clear();
        if !text.is_empty() {
            let _ = writeln!(io::stdout(), "{text}");
        }
    }

    fn complain(&self, line: &str) {
        self.bars.wipe();
        eprintln!("{line}");
    }
}

/// One line on standard error about what is under way, where that is a terminal.
struct Bars {
    language: Language,
    is_shown: bool,
    is_drawn: bool,
    whole: Whole,
}

impl Bars {
    fn new(language: Language) -> Bars {
        Bars { language, is_shown: io::stderr().is_terminal(), is_drawn: false, whole: Whole::default() }
    }

    fn began(&mut self, job: &Job) {
        self.whole.count += 1;
        self.whole.bytes = self.whole.bytes.saturating_add(job.size);
    }

    fn ended(&mut self, job: &Job) {
        self.whole.count = self.whole.count.saturating_sub(1);
        self.whole.bytes = self.whole.bytes.saturating_sub(job.size);
    }

    fn draw(&mut self, progress: &[transfers::Progress]) {
        if !self.is_shown {
            return;
        }
        let window = crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns));
        // Some terminals say that they have no columns at all.
        let columns = window.filter(|columns| *columns > 1).map_or(COLUMNS, |columns| columns - 1);
        self.clear();
        if let Some(row) = bars::rows(progress, self.whole, columns, 2, self.language).first() {
            eprint!("\r{row}");
            self.is_drawn = true;
        }
    }

    fn clear(&mut self) {
        self.wipe();
        self.is_drawn = false;
    }

    fn wipe(&self) {
        if self.is_drawn {
            eprint!("\r\x1b[K");
        }
    }
}

/// `    12345  2026-11-20T13:19:21.007Z  ab12cd34  名字.zip`, one file each.
fn lines(files: &[Listed]) -> String {
    let mut text = String::new();
    for file in files {
        text.push_str(&format!("{:>12}  ", file.size));
        timestamp::write_utc(file.stored_ms, &mut text);
        text.push_str(&format!("  {}  {}\n", file.digest.short(), printable(&file.name)));
    }
    text
}

/// An array (RFC 8259), one file per line.
fn json(files: &[Listed]) -> String {
    let files: Vec<String> = files.iter().map(object).collect();
    if files.is_empty() { "[]".to_owned() } else { format!("[\n{}\n]", files.join(",\n")) }
}

fn object(file: &Listed) -> String {
    let mut stored = String::new();
    timestamp::write_utc(file.stored_ms, &mut stored);
    let or_null = |text: &Option<Box<str>>| text.as_deref().map_or_else(|| "null".to_owned(), string);
    format!(
        "{{\"name\":{},\"size\":{},\"sha256\":\"{}\",\"stored\":\"{stored}\",\"uploader\":{},\"media\":{}}}",
        string(&file.name),
        file.size,
        file.digest,
        or_null(&file.uploader),
        or_null(&file.media)
    )
}

fn string(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::digest::Digest;

    fn listed(name: &str, uploader: Option<&str>) -> Listed {
        let digest = Digest([0xab; 32]);
        let uploader = uploader.map(Into::into);
        Listed { name: name.into(), size: 5, digest, stored_ms: 1_795_180_761_007, uploader, media: None }
    }

    #[test]
    fn a_listing_is_one_line_per_file_and_eve_moves_no_cursor() {
        let text = lines(&[listed("作业/a.zip", Some("小阳")), listed("\u{1b}[2J", None)]);
        assert_eq!(text.lines().next(), Some("           5  2026-11-20T13:19:21.007Z  abababab  作业/a.zip"));
        assert!(text.lines().count() == 2 && !text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn json_is_json_whatever_a_file_is_called() {
        let hex = "ab".repeat(32);
        let expected = format!(
            "[\n{{\"name\":\"a\\\"\\\\\\u001b\",\"size\":5,\"sha256\":\"{hex}\",\"stored\":\"2026-11-20T13:19:21.007Z\",\"uploader\":\"小阳\",\"media\":null}}\n]"
        );
        assert_eq!(json(&[listed("a\"\\\u{1b}", Some("小阳"))]), expected);
        assert_eq!(json(&[]), "[]");
    }
}

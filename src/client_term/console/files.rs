//! Files at a terminal: what is wanted done with them, what becomes of it, and what others bring.

use std::collections::HashSet;
use std::path::PathBuf;

use super::super::bars::{self, Whole};
use super::super::folding::{Arrivals, Came, LARGE, Tally, Told};
use super::*;
use crate::client::listing::listing;
use crate::client::paths::{self, Between};
use crate::client::shown::{Deed, Shared};
use crate::client::transfers::{Job, Listed, News, Progress, Way, Why, Wish as FilesWish};
use crate::client::typed::{FileWish, Paths, wants_names, words_before_paths};
use crate::client::words::FileSaying;
use crate::wire::escape::printable;

/// Names of files that Tab offers: those that were listed or shared lately.
const KNOWN: usize = 500;

/// Columns of a row about what is under way, when it is asked for.
const COLUMNS: usize = 79;

/// What a terminal knows about files.
#[derive(Debug, Default)]
pub(super) struct Files {
    progress: Vec<Progress>,
    /// All that is under way.
    whole: Whole,
    tally: Tally,
    arrivals: Arrivals,
    /// Listings and removals without an answer.
    asks: usize,
    /// Something was wanted moved, and not everything is done.
    is_busy: bool,
    /// The names of what this client itself brings and removes: that is told already.
    own: HashSet<Box<str>>,
    /// All of those are done: the next ones begin anew.
    own_is_old: bool,
    /// The latest first.
    known: VecDeque<Box<str>>,
    home: Option<PathBuf>,
    /// The current folder: what is in it needs no more than its name.
    here: PathBuf,
}

impl Files {
    /// Nothing is under way.
    pub fn new() -> Files {
        Files { home: std::env::home_dir(), here: std::env::current_dir().unwrap_or_default(), ..Files::default() }
    }

    fn note_own(&mut self, name: &str) {
        if std::mem::take(&mut self.own_is_old) {
            self.own.clear();
        }
        self.own.insert(name.into());
    }

    fn know(&mut self, name: &str) {
        // Tab puts into the line what anybody would see there.
        let is_plain = printable(name) == name;
        if is_plain && !self.known.iter().any(|known| **known == *name) {
            self.known.push_front(name.into());
            self.known.truncate(KNOWN);
        }
    }

    fn ended(&mut self, job: &Job) {
        self.whole.count = self.whole.count.saturating_sub(1);
        self.whole.bytes = self.whole.bytes.saturating_sub(job.size);
    }
}

impl Console {
    /// Does what was typed about files.
    pub(super) fn file_wish(&mut self, now_ms: u64, wish: FileWish, line: &str) {
        match wish {
            FileWish::Cancel(_) | FileWish::UnderWay if !self.files.is_busy => {
                self.tell(&Saying::File(FileSaying::NothingUnderWay));
            }
            FileWish::Cancel(key) => self.wish(FilesWish::Cancel(key)),
            FileWish::UnderWay => self.tell_under_way(),
            // What the server makes of the line is its own business.
            _ if !self.features().has_files() => self.send(now_ms, None, line),
            FileWish::AskPath if self.front == Front::Script => self.tell(&Saying::Usage("!put PATH…")),
            FileWish::AskPath => {
                self.asking = Asking::Path;
                self.ask();
            }
            FileWish::Put(paths) => self.put(self.scope(), &paths),
            FileWish::Send(who, paths) => self.put(who, &paths),
            FileWish::Get(names) => self.wish(FilesWish::Get { names, scope: self.scope() }),
            FileWish::List(pattern) => self.wish(FilesWish::List { pattern, scope: self.scope() }),
            FileWish::Remove(name) => {
                self.files.note_own(&name);
                self.wish(FilesWish::Remove { name, scope: self.scope() });
            }
        }
    }

    /// The path that was asked for.
    pub(super) fn path_typed(&mut self, typed: &str) {
        if !typed.trim().is_empty() {
            self.put(self.scope(), &Paths { text: typed.into(), between: Between::Blanks });
        }
    }

    fn put(&mut self, scope: Box<str>, paths: &Paths) {
        let paths = paths::meant(&paths.text, paths.between, self.files.home.as_deref());
        self.wish(FilesWish::Put { paths, scope, replace: false });
    }

    fn wish(&mut self, wish: FilesWish) {
        match &wish {
            FilesWish::Put { .. } | FilesWish::Get { .. } => self.files.is_busy = true,
            FilesWish::List { .. } | FilesWish::Remove { .. } => self.files.asks += 1,
            FilesWish::Cancel(_) => {}
        }
        self.wishes.push_back(wish);
    }

    /// Where files of the conversation that is looked at are. Of a room that is no group the server says so: better than bringing to all what was meant for few.
    fn scope(&self) -> Box<str> {
        let name = self.current();
        if name.is_empty() || self.features().is_lobby(name) { "*".into() } else { name.into() }
    }

    /// Takes what became of files. `now_ms`: since 1970 (UTC).
    pub fn news(&mut self, now_ms: u64, news: News) {
        match news {
            News::Began(job) => self.began(now_ms, &job),
            News::TakenUp(names) => {
                self.files.is_busy = true;
                self.tell_file(&FileSaying::TakenUp(&names));
            }
            News::Progress(progress) => self.files.progress = progress,
            News::Sent { job, digest, at_once, took_ms } => {
                self.files.note_own(&job.name);
                let saying = match at_once {
                    true => FileSaying::ThereAlready(&job, &digest),
                    false => FileSaying::Sent(&job, &digest, took_ms),
                };
                let words = say(self.language(), &Saying::File(saying));
                self.came(now_ms, Came { job, at_once, words });
            }
            News::Fetched { job, digest, path, at_once, took_ms } => {
                let path = path.strip_prefix(&self.files.here).unwrap_or(&path).to_string_lossy();
                let saying = match at_once {
                    true => FileSaying::HereAlready(&job, &digest, &path),
                    false => FileSaying::Fetched(&job, &digest, &path, took_ms),
                };
                let words = say(self.language(), &Saying::File(saying));
                self.came(now_ms, Came { job, at_once, words });
            }
            News::Failed { job, why: Why::Cancelled } => {
                self.files.ended(&job);
                let words = say(self.language(), &Saying::File(FileSaying::Failed(&job, &Why::Cancelled)));
                self.files.tally.stopped(now_ms, words);
            }
            News::Failed { job, why } => {
                self.files.ended(&job);
                self.has_failed = true;
                if self.files.tally.failed() {
                    self.tell_failure(&FileSaying::Failed(&job, &why));
                }
            }
            News::Listing { scope: _, pattern, files } => self.listed(now_ms, pattern.as_deref(), files),
            News::Removed { scope: _, name, result } => {
                self.files.asks = self.files.asks.saturating_sub(1);
                match result {
                    Ok(()) => self.tell_file(&FileSaying::Removed(&name)),
                    Err(why) => {
                        self.files.own.remove(&name);
                        self.has_failed = true;
                        self.tell_failure(&FileSaying::NotRemoved(&name, &why));
                    }
                }
            }
            News::Nothing { asked, why } => {
                self.has_failed = true;
                self.tell_failure(&FileSaying::Nothing(&asked, &why));
            }
            News::AllDone => {
                let told = self.files.tally.end(now_ms);
                self.tell_own(told);
                (self.files.progress, self.files.whole) = (Vec::new(), Whole::default());
                (self.files.is_busy, self.files.own_is_old) = (false, true);
            }
        }
        self.leave_when_done();
    }

    fn began(&mut self, now_ms: u64, job: &Job) {
        self.files.is_busy = true;
        self.files.tally.began(now_ms);
        self.files.whole.count += 1;
        self.files.whole.bytes = self.files.whole.bytes.saturating_add(job.size);
        if job.way == Way::Up {
            self.files.note_own(&job.name);
        }
        if self.front != Front::Screen && job.size >= LARGE {
            self.tell_file(&FileSaying::Began(job));
        }
    }

    fn came(&mut self, now_ms: u64, came: Came) {
        self.files.ended(&came.job);
        let words = self.files.tally.came(now_ms, came);
        self.print.extend(words.map(Print::Line));
    }

    fn listed(&mut self, now_ms: u64, pattern: Option<&str>, files: Result<Vec<Listed>, Why>) {
        self.files.asks = self.files.asks.saturating_sub(1);
        let files = match files {
            Err(why) => {
                self.has_failed = true;
                return self.tell_failure(&FileSaying::NotListed(&why));
            }
            Ok(files) if files.is_empty() => return self.tell_file(&FileSaying::NoFiles(pattern)),
            Ok(files) => files,
        };
        files.iter().take(KNOWN).rev().for_each(|file| self.files.know(&file.name));
        let listing = listing(&self.painter.writer, now_ms, pattern, &files);
        self.print.extend(listing.rows.into_iter().map(Print::Line));
        if listing.more > 0 {
            self.tell_file(&FileSaying::MoreListed(listing.more));
        }
        self.tell_file(&FileSaying::Listed(listing.count, listing.bytes));
    }

    fn tell_own(&mut self, told: Vec<Told>) {
        for told in told {
            match told {
                Told::One(words) => self.print.push_back(Print::Line(words)),
                Told::Many(many) => self.tell_file(&FileSaying::Many(many)),
                Told::ManyStopped(count) => self.tell_file(&FileSaying::ManyStopped(count)),
                Told::MoreFailed(count) => self.tell_failure(&FileSaying::MoreFailed(count)),
            }
        }
    }

    fn tell_file(&mut self, saying: &FileSaying) {
        let words = say(self.language(), &Saying::File(saying.clone()));
        self.print.push_back(Print::Line(words));
    }

    fn tell_failure(&mut self, saying: &FileSaying) {
        let words = say(self.language(), &Saying::File(saying.clone()));
        self.print.push_back(if self.front == Front::Script { Print::Failure(words) } else { Print::Line(words) });
    }

    fn tell_under_way(&mut self) {
        let rows = bars::numbered(&self.files.progress, self.files.whole, COLUMNS, self.language());
        if rows.is_empty() {
            return self.tell(&Saying::File(FileSaying::NothingUnderWay));
        }
        self.print.extend(rows.into_iter().map(Print::Line));
    }

    /// The rows about files on their way, for a window of so many columns, with room for so many rows.
    pub fn bars(&self, columns: usize, rows: usize) -> Vec<String> {
        bars::rows(&self.files.progress, self.files.whole, columns, rows, self.language())
    }

    /// Whether somebody who only leaves when all is done has to wait for files.
    pub(super) fn waits_for_files(&self) -> bool {
        self.front == Front::Script && (self.files.is_busy || self.files.asks > 0)
    }

    /// Says what the user leaves behind.
    pub(super) fn leave_files(&mut self) {
        if self.files.whole.count > 0 {
            self.tell_file(&FileSaying::Leaving(self.files.whole.count));
        }
    }

    /// What others did with files, as far as it is shown at this moment. Everything else is shown at once.
    pub(super) fn arrived(&mut self, now_ms: u64, shown: Shown) -> Vec<Shown> {
        match &shown.what {
            What::Shared(shared) if shared.own && self.files.own.contains(&shared.name) => Vec::new(),
            What::Shared(shared) => {
                if shared.deed == Deed::Brought {
                    self.files.know(&shared.name);
                }
                self.files.arrivals.take(now_ms, shown).into_iter().collect()
            }
            // Whoever talks about their file has brought it before.
            What::Said(said) if !said.history => {
                let mut before = self.files.arrivals.of(now_ms, &said.who);
                before.push(shown);
                before
            }
            What::Lost(_) | What::Failed(_) => {
                let mut before = self.files.arrivals.all(now_ms);
                before.push(shown);
                before
            }
            _ => vec![shown],
        }
    }

    /// When [`Console::passed`] has something to do.
    pub fn due_ms(&self) -> Option<u64> {
        [self.files.tally.due_ms(), self.files.arrivals.due_ms()].into_iter().flatten().min()
    }

    /// Time has passed: what was held back to be told together with other things may be due.
    pub fn passed(&mut self, now_ms: u64) {
        for shown in self.files.arrivals.due(now_ms) {
            self.show(now_ms, shown);
        }
        let told = self.files.tally.due(now_ms);
        self.tell_own(told);
    }

    /// The end: nothing is held back any longer.
    pub(super) fn tell_all(&mut self, now_ms: u64) {
        for shown in self.files.arrivals.all(now_ms) {
            self.show(now_ms, shown);
        }
        let told = self.files.tally.end(now_ms);
        self.tell_own(told);
    }

    /// What Tab makes of a path, or of the name of a file, in front of the cursor. `None` where none is wanted.
    pub(super) fn file_completion(&self, before: &str) -> Option<Option<Completion>> {
        if self.asking == Asking::Path {
            return Some(self.path_completion(before, 0, Between::Blanks));
        }
        let name = commands::name_in(before).filter(|_| self.asking == Asking::Nothing)?;
        let is_between = |c: char| c.is_whitespace() || matches!(c, '*' | '＊');
        let mut at = before.find(is_between)?;
        let between = |at: usize| if before[at..].starts_with(['*', '＊']) { Between::Stars } else { Between::Blanks };
        if wants_names(&name) {
            return Some(self.name_completion(before));
        }
        for _ in 0..words_before_paths(&name)? {
            at += before[at..].find(|c| !is_between(c))?;
            at += before[at..].find(is_between)?;
        }
        let by = between(at);
        at += before[at..].chars().next().map_or(0, char::len_utf8);
        Some(self.path_completion(before, at, by))
    }

    fn path_completion(&self, before: &str, at: usize, between: Between) -> Option<Completion> {
        let (from, words) = paths::completed(&before[at..], between, self.files.home.as_deref())?;
        Completion::with(at + from, words)
    }

    fn name_completion(&self, before: &str) -> Option<Completion> {
        let from = before.rfind(|c: char| c.is_whitespace() || matches!(c, '*' | '＊'));
        let from = from.map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
        let begun = fold(&before[from..]);
        let fits = self.files.known.iter().filter(|name| fold(name).starts_with(&*begun));
        let words = fits.map(|name| if name.contains(' ') { format!("\"{name}\" ") } else { format!("{name} ") });
        Completion::with(from, words.collect())
    }
}

/// Whether a shared file wants the attention of the user: it is for them alone.
pub(super) fn rings(shared: &Shared) -> bool {
    shared.with.is_some() && !shared.own && shared.deed == Deed::Brought
}

//! A terminal with a line at its bottom: keys go in, and what comes in is printed above what is being typed.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use async_channel::Receiver;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste, Event as TerminalEvent};
use crossterm::terminal;

use super::complete::Completion;
use super::console::{Console, Print};
use super::editor::{Edit, Editor};
use super::keys::{Key, meaning};
use super::memory::Memory;
use super::screen::{Bottom, Screen};
use super::waiting::{Waits, Wires, Woken, woken};
use super::{GOODBYE_WITHIN, now_ms};
use crate::client::start::Start;
use crate::client::words::Saying;
use crate::client::{Command, Event, commands as words_behind_marks};
use crate::system;

/// Events that are handled before the screen is drawn again: as much as one screen shows.
const BATCH: usize = 200;

/// Lines that wait for the room to be known; more are not taken.
const QUEUED: usize = 100;

/// Lines that are held back while something else is read; older ones can be read back as well.
const HELD: usize = 1_000;

/// Keys on their way to the loop: a pasted page from a terminal that does not mark pastes.
const KEYS: usize = 1024;

/// A terminal that gives each key at once. It is given back as it was.
pub struct Raw(());

impl Raw {
    /// Takes the terminal over; an error means that it cannot be.
    pub fn take() -> io::Result<Raw> {
        terminal::enable_raw_mode()?;
        let raw = Raw(());
        // Without it a pasted poem is several messages, nothing worse.
        let _ = crossterm::execute!(io::stdout(), EnableBracketedPaste);
        Ok(raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = crossterm::execute!(io::stdout(), DisableBracketedPaste);
        let _ = terminal::disable_raw_mode();
    }
}

/// The keys, read on a thread of their own, because reading a terminal waits. The channel closes when there is no terminal any more.
pub fn keys() -> Receiver<TerminalEvent> {
    let (to_loop, keys) = async_channel::bounded(KEYS);
    std::thread::spawn(move || {
        while let Ok(event) = crossterm::event::read() {
            if to_loop.send_blocking(event).is_err() {
                return;
            }
        }
    });
    keys
}

/// The screen, and what is typed at it.
pub struct Live {
    console: Console,
    editor: Editor,
    screen: Screen,
    completion: Option<Completion>,
    /// Esc was the last key.
    after_escape: bool,
    /// Typed while the room is not known.
    queued: VecDeque<String>,
    /// To be said on the standard error output when the screen is given back.
    failures: Vec<String>,
    rings: bool,
    /// Lines to print above the bottom, oldest first.
    above: VecDeque<String>,
    /// What was being typed when a password was asked for.
    set_aside: Option<String>,
    raw: Option<Raw>,
}

impl Live {
    /// A screen for a console, on a terminal that was taken over.
    pub fn new(console: Console, raw: Raw) -> Live {
        let (columns, rows) = terminal::size().unwrap_or((0, 0));
        Live {
            console,
            editor: Editor::default(),
            screen: Screen::new(columns, rows),
            completion: None,
            after_escape: false,
            queued: VecDeque::new(),
            failures: Vec::new(),
            rings: false,
            above: VecDeque::new(),
            set_aside: None,
            raw: Some(raw),
        }
    }

    /// Brings back lines of earlier days.
    pub fn remember(&mut self, lines: Vec<String>) {
        lines.iter().for_each(|line| self.editor.remember(line));
    }

    /// Carries keys and events between the terminal and the link until both are done. Returns whether all went well.
    pub async fn attend(&mut self, start: &mut Start, keys: &Receiver<TerminalEvent>, wires: &Wires<'_>) -> bool {
        let mut waits = Waits::default();
        let mut memory = Memory::new(Some(start));
        let mut has_keyboard = true;
        loop {
            memory.run_errands(&mut self.console);
            wires.wish(&mut self.console);
            self.console.passed(now_ms());
            self.hide_or_show_typed();
            if self.draw().is_err() || self.console.has_ended() {
                return self.console.is_success();
            }
            let next = self.console.commands.front().cloned();
            let until = [waits.until(&self.console), self.next_change()].into_iter().flatten().min();
            match woken(wires, next, keys, has_keyboard, until).await {
                Woken::Happened(event) => {
                    let more = std::iter::from_fn(|| wires.events.try_recv().ok());
                    for event in std::iter::once(event).chain(more).take(BATCH) {
                        memory.happened(&event, &mut self.console);
                        wires.transfers.happened(&event);
                        self.happened(&mut waits, &event);
                    }
                }
                Woken::Told(news) => {
                    let more = std::iter::from_fn(|| wires.transfers.news().try_recv().ok());
                    for news in std::iter::once(news).chain(more).take(BATCH) {
                        self.console.news(now_ms(), news);
                    }
                    waits.moved();
                }
                Woken::Typed(Some(event)) => {
                    self.pressed(event);
                    for _ in 1..KEYS {
                        let Ok(event) = keys.try_recv() else { break };
                        self.pressed(event);
                    }
                }
                Woken::Typed(None) => {
                    has_keyboard = false;
                    self.console.input_ended();
                }
                Woken::Sent => {
                    if self.console.commands.pop_front() == Some(Command::Quit) {
                        waits.end_by = Some(Instant::now() + GOODBYE_WITHIN);
                    }
                }
                Woken::Late if waits.end_by.is_some_and(|by| by <= Instant::now()) => {
                    if self.console.open_count() > 0 {
                        self.console.give_up();
                    }
                    return self.draw().is_ok() && self.console.is_success();
                }
                Woken::Late if waits.is_late(&self.console) => self.console.stop_waiting(),
                // A second is over.
                Woken::Late => {}
            }
            self.take_queued();
        }
    }

    /// Gives the terminal back, and says what went wrong.
    pub fn end(mut self) -> Editor {
        let mut out = io::stdout().lock();
        let text = self.screen.leave_page().to_owned() + &self.screen.erase();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        drop(out);
        self.raw = None;
        self.failures.iter().for_each(|line| eprintln!("{line}"));
        self.editor
    }

    fn happened(&mut self, waits: &mut Waits, event: &Event) {
        waits.happened(event);
        self.console.happened(now_ms(), event);
    }

    fn next_change(&self) -> Option<Instant> {
        let now = now_ms();
        let changes = [self.console.status_changes_ms(now), self.console.due_ms()];
        changes.into_iter().flatten().min().map(|at| Instant::now() + Duration::from_millis(at.saturating_sub(now)))
    }

    fn pressed(&mut self, event: TerminalEvent) {
        let Some(key) = meaning(event, std::mem::take(&mut self.after_escape)) else { return };
        if !matches!(key, Key::Complete(_) | Key::Resized) {
            self.completion = None;
        }
        match key {
            // Up would show what was typed before, as if it were a password.
            Key::Edit(Edit::Older | Edit::Newer | Edit::Search) if self.console.hides_typed() => self.rings = true,
            // With nothing typed, there is no end to go to but that of the talk.
            Key::Edit(Edit::End) if self.editor.text().is_empty() && self.console.stop_reading() => {}
            Key::Edit(edit) => self.rings |= !self.editor.edit(edit),
            Key::Enter => self.entered(),
            Key::Complete(is_back) => self.complete(is_back),
            Key::Page(end) => self.console.turn_page(end),
            Key::Go(number) => self.console.go(now_ms(), number),
            Key::Escape => {
                if !self.editor.give_up_search() && !self.console.stop_asking() && !self.console.stop_reading() {
                    self.after_escape = true;
                }
            }
            Key::Abandon if !self.editor.text().is_empty() => drop(self.editor.take()),
            Key::Abandon if self.console.stop_asking() || self.console.stop_reading() => {}
            Key::EndOrDelete if !self.editor.text().is_empty() => drop(self.editor.edit(Edit::Delete)),
            // The second time, nothing is waited for.
            Key::Abandon | Key::EndOrDelete if self.console.is_leaving() => self.console.give_up_now(),
            Key::Abandon | Key::EndOrDelete => self.console.quit(),
            Key::Clear if self.console.stop_reading() => {}
            Key::Clear => self.console.print.push_back(Print::Cleared),
            Key::Suspend => self.suspend(),
            // Drawing looks at the size.
            Key::Resized => {}
        }
    }

    fn entered(&mut self) {
        if self.editor.take_found() {
            return;
        }
        if self.queued.len() >= QUEUED {
            return self.console.tell(&Saying::TooMuchWaits);
        }
        let line = self.editor.take();
        self.console.stop_reading();
        if self.console.hides_typed() || self.console.asks_at_the_door() {
            self.editor.forget_cut();
            return self.console.typed(now_ms(), &line);
        }
        if words_behind_marks::is_secret(&line) {
            self.editor.forget_cut();
        } else {
            self.editor.remember(&line);
        }
        self.queued.push_back(line);
        self.take_queued();
    }

    /// A password is typed on an empty line; what was being typed comes back behind it.
    fn hide_or_show_typed(&mut self) {
        if self.console.hides_typed() {
            let text = if self.set_aside.is_none() { self.editor.take() } else { return };
            self.set_aside = Some(text);
        } else if let Some(text) = self.set_aside.take() {
            drop(self.editor.take());
            self.editor.replace(0, &text);
        }
    }

    /// Hands typed lines to the console as long as it can send what they say.
    fn take_queued(&mut self) {
        while self.console.wants_input() && self.console.commands.is_empty() {
            let Some(line) = self.queued.pop_front() else { return };
            self.console.typed(now_ms(), &line);
        }
    }

    fn complete(&mut self, is_back: bool) {
        match &mut self.completion {
            Some(completion) => completion.turn(is_back),
            None => self.completion = self.console.completion(&self.editor.text()[..self.editor.cursor()]),
        }
        match &self.completion {
            Some(completion) => self.editor.replace(completion.from, completion.word()),
            None => self.rings = true,
        }
        // Behind the only choice the next Tab goes on: into the folder, to the next word.
        self.completion.take_if(|completion| completion.words.len() == 1);
    }

    /// Prints what there is to print, and draws the bottom. An error means that nobody reads it any more.
    fn draw(&mut self) -> io::Result<()> {
        // Asked at the last moment: while somebody drags the edge of a window, what an event says is out of date.
        if let Ok((columns, rows)) = terminal::size() {
            self.screen.resized(columns, rows);
        }
        let mut out = self.gather();
        let prompt = match self.editor.searched() {
            Some(words) => self.console.search_prompt(words),
            None => self.console.prompt(self.screen.columns()),
        };
        let status = self.console.status(now_ms(), self.queued.len()).or_else(|| self.offered());
        let status = status.or_else(|| self.console.page_status());
        // Not even how long a password is can be seen.
        let (text, cursor) = match self.console.hides_typed() {
            true => ("", 0),
            false => (self.editor.text(), self.editor.cursor()),
        };
        let bars = self.console.bars(self.screen.columns(), self.screen.bar_rows());
        let bottom = Bottom {
            bars: &bars,
            status: status.as_deref().unwrap_or_default(),
            prompt: &prompt,
            text,
            cursor,
            is_colourful: self.console.is_colourful(),
        };
        if self.console.is_reading() {
            let (columns, rows) = (self.screen.columns(), self.screen.page_rows(&bottom));
            out.push_str(&self.screen.draw_page(&self.console.page(columns, rows), &bottom));
        } else {
            out.push_str(self.screen.leave_page());
            out.push_str(&self.screen.draw(self.above.drain(..), &bottom));
        }
        if std::mem::take(&mut self.rings) {
            out.push('\x07');
        }
        let mut terminal = io::stdout().lock();
        terminal.write_all(out.as_bytes())?;
        terminal.flush()
    }

    /// Takes what there is to print. Returns what to do to the screen before.
    fn gather(&mut self) -> String {
        let mut out = String::new();
        for print in self.console.print.drain(..) {
            match print {
                Print::Line(line) => self.above.push_back(line),
                // The question is the prompt.
                Print::Question(_) => {}
                Print::Failure(line) => self.failures.push(line),
                Print::Bell => self.rings = true,
                Print::Cleared => {
                    self.above.clear();
                    out.push_str(self.screen.leave_page());
                    out.push_str(self.screen.clear());
                }
            }
        }
        let surplus = self.above.len().saturating_sub(HELD);
        if self.console.is_reading() {
            self.above.drain(..surplus);
        }
        out
    }

    /// The words that Tab chooses from, when there are several.
    fn offered(&self) -> Option<String> {
        let words = &self.completion.as_ref().filter(|completion| completion.words.len() > 1)?.words;
        let words: Vec<&str> = words.iter().map(|word| word.trim_end_matches([' ', ':'])).collect();
        Some(crate::wire::escape::printable(&words.join("  ")).into_owned())
    }

    /// Goes to the background until the shell brings it back.
    fn suspend(&mut self) {
        if !system::CAN_SUSPEND {
            return;
        }
        let mut out = io::stdout().lock();
        let text = self.screen.leave_page().to_owned() + &self.screen.erase();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        drop(out);
        self.raw = None;
        system::suspend();
        self.raw = Raw::take().ok();
    }
}

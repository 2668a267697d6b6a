//! What a FILE line of the server tells about the files that others bring and remove.

use super::*;
use crate::client::shown::{Deed, FILE_NOTICE, Shared};
use crate::wire::limits::FILES_GATHERED_MAX_MS;

/// Files that are remembered because their notice comes later: what is fetched after a broken link overlaps with what is known by few notices.
const BROUGHT: usize = 256;

/// Milliseconds between the line about a file and the notice about it, or about all that came with it.
const NOTICE_WITHIN_MS: u64 = FILES_GATHERED_MAX_MS + 1_000;

/// A file that somebody brought among others.
#[derive(Debug)]
pub(super) struct Brought {
    /// Folded.
    who: Box<str>,
    name: Box<str>,
    at_ms: u64,
}

/// Digits of a SHA-256 that people compare.
const DIGITS: usize = 8;

impl View {
    /// `FILE STORED <scope> <size> <sha256> :<name>` or `FILE GONE <scope> :<name>`: which conversation it belongs to, and how it is shown.
    /// `None` when it was shown before, or is not understood.
    pub(super) fn file(&mut self, line: &Line, who: &str, at_ms: u64) -> Option<(Option<Box<str>>, What)> {
        // What has no user in front comes from the server itself: the host did it.
        let who = if line.source.is_some_and(|source| source.contains('!')) { who } else { "" };
        let own = !who.is_empty() && self.is_me(who);
        let scope = line.param(1)?;
        let (room, with): (Option<Box<str>>, Option<Box<str>>) = match scope {
            "*" => (Some(self.features.lobby.as_deref().unwrap_or(&self.home).into()), None),
            room if self.features.is_room(room) => (Some(room.into()), None),
            _ if own || who.is_empty() => (None, Some(scope.into())),
            _ => (None, Some(who.into())),
        };
        let msgid = line.tags.value("msgid");
        let shared = Shared { who: who.into(), with, own, id: msgid.as_deref().map(Into::into), ..Shared::default() };
        let shared = match line.params() {
            ["STORED", _, size, digest, name] => Shared {
                deed: Deed::Brought,
                name: (*name).into(),
                size: size.parse().ok()?,
                digest: digest.chars().take(DIGITS).collect::<String>().into(),
                media: line.tags.value("gzy/media").unwrap_or_default().into(),
                ..shared
            },
            ["GONE", _, name] => Shared { deed: Deed::Removed, name: (*name).into(), ..shared },
            _ => return None,
        };
        // Files that were brought together are one message to the server, so the lines of one id are all shown.
        let identity =
            Identity { msgid: msgid.as_deref(), sender: &fold(who), sent_id: None, history: false, own: false };
        if !self.seen.is_new(identity) {
            return None;
        }
        if msgid.is_none() && shared.deed == Deed::Brought {
            let (who, name) = (fold(who), shared.name.clone());
            self.brought.push_back(Brought { who, name, at_ms });
            self.brought.drain(..self.brought.len().saturating_sub(BROUGHT));
        }
        shared.with.iter().for_each(|with| self.note_partner(with));
        Some((room, What::Shared(Box::new(shared))))
    }

    /// Whether a line out of the history is the notice about files that were shown when they came: those that come among others
    /// have a notice of their own or one for all, whose id they do not have.
    pub(super) fn is_told_file_by_file(&self, line: &Line) -> bool {
        let text = line.params().last().copied().unwrap_or_default();
        let about = text.strip_prefix(FILE_NOTICE).filter(|_| line.command == "NOTICE");
        let at_ms = line.tags.value("time").and_then(|time| timestamp::parse(&time));
        let (Some(about), Some(at_ms)) = (about, at_ms) else { return false };
        let is_of_many = about.split_once(" 个文件 files").is_some_and(|(count, _)| count.parse::<u64>().is_ok());
        let is_about = |name: &str| is_of_many || about.strip_prefix(name).is_some_and(|rest| rest.starts_with(" · "));
        let who = fold(nick_of(line.source.unwrap_or_default()));
        let then = at_ms.saturating_sub(NOTICE_WITHIN_MS)..=at_ms;
        self.brought.iter().any(|file| file.who == who && then.contains(&file.at_ms) && is_about(&file.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::features::Features;

    fn view() -> View {
        let mut features = Box::new(Features::default());
        features.learn("gzy/LOBBY=#lobby");
        let mut view = View::default();
        view.take(0, &Event::In { nick: "anna".into(), features, home: "#lobby".into(), again: false });
        view
    }

    fn hear(view: &mut View, line: &str) -> Vec<(Option<String>, Shared)> {
        let shown = view.take(7, &Event::Line { text: line.into(), history: false });
        let shared = shown.into_iter().filter_map(|shown| match shown.what {
            What::Shared(shared) => Some((shown.room.map(String::from), *shared)),
            _ => None,
        });
        shared.collect()
    }

    #[test]
    fn a_file_is_shown_where_it_belongs_and_once() {
        let mut view = view();
        let sha = "ab12cd34".repeat(8);
        let line = format!("@msgid=1;gzy/media=image/png,640x480 :小阳!u@h FILE STORED * 2100000 {sha} :照片.png");
        let [(room, shared)] = &hear(&mut view, &line)[..] else { panic!() };
        assert_eq!(room.as_deref(), Some("#lobby"));
        let is_as_said = (&*shared.name, shared.size, &*shared.digest, &*shared.media);
        assert_eq!(is_as_said, ("照片.png", 2_100_000, "ab12cd34", "image/png,640x480"));
        let mut again = |line: &str| view.take(8, &Event::Line { text: line.into(), history: true }).len();
        assert_eq!(again("@msgid=1 :小阳!u@h NOTICE #lobby :[文件 file] 照片.png"), 0, "the history tells the same");
        assert_eq!(again("@msgid=2 :小阳!u@h NOTICE #lobby :[文件 file] 别的.png"), 1);
    }

    #[test]
    fn a_private_file_belongs_to_the_other_side_and_the_hosts_to_nobody() {
        let mut view = view();
        let sha = "0".repeat(64);
        let of = |view: &mut View, line: &str| {
            let (room, shared) = hear(view, line).remove(0);
            (room, shared.who, shared.with, shared.own)
        };
        let from_ben = of(&mut view, &format!(":ben!u@h FILE STORED anna 1 {sha} :a"));
        assert_eq!(from_ben, (None, "ben".into(), Some("ben".into()), false));
        let own = of(&mut view, &format!(":anna!u@h FILE STORED ben 1 {sha} :a"));
        assert_eq!(own, (None, "anna".into(), Some("ben".into()), true));
        assert_eq!(of(&mut view, ":gzy.local FILE GONE #茶 :a"), (Some("#茶".into()), "".into(), None, false));
        assert!(hear(&mut view, ":ben!u@h FILE STORED * x y :a").is_empty());
        assert!(hear(&mut view, ":ben!u@h FILE STORED *").is_empty());
    }

    #[test]
    fn files_that_come_together_under_one_id_are_all_there() {
        let mut view = view();
        let line = |name| format!("@msgid=9 :ben!u@h FILE STORED * 1 {} :{name}", "0".repeat(64));
        let count: usize = (0..5).map(|number| hear(&mut view, &line(number)).len()).sum();
        assert_eq!(count, 5);
    }

    #[test]
    fn files_that_came_together_are_not_told_again_by_the_history() {
        let mut view = view();
        for number in 0..5 {
            let line = format!("@time=2026-11-20T13:00:00.500Z :ben!u@h FILE STORED * 1 {} :{number}", "0".repeat(64));
            assert_eq!(hear(&mut view, &line).len(), 1);
        }
        let mut fetched = |who: &str, seconds: &str, text: &str| {
            let line = format!("@time=2026-11-20T13:00:{seconds}Z;msgid={seconds} :{who}!u@h NOTICE #lobby :{text}");
            view.take(0, &Event::Line { text: line.into(), history: true }).len()
        };
        assert_eq!(fetched("Ben", "02.501", "[文件 file] 5 个文件 files · 5 B"), 0);
        assert_eq!(fetched("ben", "02.502", "[文件 file] 4 · 1 B"), 0);
        assert_eq!(fetched("ben", "02.503", "[文件 file] 44 · 1 B"), 1, "that came while the link was broken");
        assert_eq!(fetched("eve", "02.504", "[文件 file] 5 个文件 files · 5 B"), 1);
        assert_eq!(fetched("ben", "02.505", "5 个文件 files"), 1);
        assert_eq!(fetched("ben", "00.400", "[文件 file] 7 个文件 files"), 1, "that was before");
    }
}

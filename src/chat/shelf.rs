//! The shelf: which files there are, who may see, bring and remove them, and what the disk is asked to do. Names and sizes, never bytes or paths.

mod announce;
mod bringing;
mod command;
mod facts;
mod gathering;
mod index;
mod knock;
mod listing;
pub mod order;
mod pattern;
mod refusal;
mod removing;
mod rights;
mod settling;
mod stage;
#[cfg(test)]
mod tests;
mod tickets;
mod upload;
mod visit;
pub mod web;
mod words;

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::store::change::Change;
use crate::store::file::{FileEntry, FileKey, Scope};
use crate::store::record::AccountId;
use crate::wire::file_name::FileName;
use crate::wire::limits::{FILE_BYTES, FILE_TICKET_IDLE_MS};

use self::gathering::Gatherings;
use self::index::{Index, Shelved};
use self::order::{ShelfOrder, UploadId};
use self::settling::Settling;
use self::stage::Stage;
use self::tickets::{TicketKey, Tickets};
use self::upload::Uploads;
use super::{Chat, ConnId, Effect, Now};

pub(super) use self::facts::filehost_token;
pub(super) use self::knock::LoginHash;
pub(super) use self::pattern::Pattern;
pub(super) use self::refusal::Denied;
pub(super) use self::rights::Named;
pub(super) use self::words::{encoded, size_words};

/// Deadlines are rounded up to this, so that ten thousand files wake the server a few times, not ten thousand.
const WAKE_STEP_MS: u64 = 1000;

/// How much the cloud takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CloudRules {
    /// Bytes of one file at most (`--max-file`).
    pub max_file: u64,
    /// Bytes that one account may bring in all, and all guests together (`--quota`).
    pub quota: Option<u64>,
    /// Bytes that all may bring together.
    pub quota_total: Option<u64>,
}

impl Default for CloudRules {
    fn default() -> CloudRules {
        CloudRules { max_file: FILE_BYTES, quota: None, quota_total: None }
    }
}

/// What is looked at when its time has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Due {
    Ticket(TicketKey),
    Upload(UploadId),
    Knock(LoginHash),
}

/// Everything that the rules know of files. Owned by [`Chat`].
#[derive(Debug)]
pub struct Shelf {
    index: Index,
    uploads: Uploads,
    tickets: Tickets,
    /// What is on its way to the store, and who waits for it.
    settling: Settling,
    gatherings: Gatherings,
    pub(super) knocks: knock::Knocks,
    /// How the machine is reached: `http://192.0.2.1:510`.
    reachable: Option<Box<str>>,
    due: BTreeSet<(u64, Due)>,
}

impl Shelf {
    /// Takes in what the store holds.
    pub fn new(files: Vec<(FileKey, FileEntry)>) -> Shelf {
        let mut index = Index::default();
        for (key, entry) in files {
            index.put(key, Shelved::kept(entry));
        }
        Shelf {
            index,
            uploads: Uploads::default(),
            tickets: Tickets::default(),
            settling: Settling::default(),
            gatherings: Gatherings::default(),
            knocks: knock::Knocks::default(),
            reachable: None,
            due: BTreeSet::new(),
        }
    }

    /// When something is due (monotonic milliseconds).
    pub fn deadline(&self) -> Option<u64> {
        self.due.first().map(|(at_ms, _)| *at_ms).into_iter().chain(self.gatherings.deadline()).min()
    }

    /// Where the server is reached from a browser, without a slash at the end; `None` while that is not known.
    pub fn reachable(&self) -> Option<&str> {
        self.reachable.as_deref()
    }

    fn forget_session(&mut self, conn: ConnId, now_ms: u64) {
        self.tickets.forget_session(conn);
        for id in self.uploads.of_session(conn) {
            let Some(upload) = self.uploads.get_mut(id) else { continue };
            if let Some(ticket) = upload.ticket.take() {
                self.tickets.remove(ticket);
            }
            upload.orphan();
            match upload.stage {
                Stage::Open { moving: false } if upload.webs.is_empty() => self.let_go(id),
                Stage::Waiting => self.let_go(id),
                Stage::Open { .. } | Stage::Preparing => {
                    self.wake(now_ms + crate::wire::limits::FILE_ORPHAN_MS, Due::Upload(id));
                }
            }
        }
    }

    /// Asks for a look at something at a time, a little later: what was asked for in one second is looked at together.
    fn wake(&mut self, at_ms: u64, what: Due) {
        self.due.insert((at_ms.next_multiple_of(WAKE_STEP_MS), what));
    }

    /// Forgets an upload that will not be a file. Whoever waits for the same bytes is left to `Chat::go_on_with_waiting`.
    fn let_go(&mut self, id: UploadId) {
        if let Some(ticket) = self.uploads.remove(id).and_then(|upload| upload.ticket) {
            self.tickets.remove(ticket);
        }
    }
}

impl Chat {
    /// A session is gone: its tickets end. Bytes that came stay for a day, and transfers that run come to their end.
    pub(super) fn leave_shelf(&mut self, conn: ConnId, now: Now, effects: &mut Vec<Effect>) {
        self.shelf.forget_session(conn, now.mono_ms);
        self.go_on_with_waiting(effects);
    }

    /// Does what is due: tickets that nobody used, transfers that nobody waits for, passwords that nobody checked.
    pub(super) fn tidy_shelf(&mut self, now: Now, effects: &mut Vec<Effect>) {
        while let Some((_, due)) = self.shelf.due.first().copied().filter(|(at_ms, _)| *at_ms <= now.mono_ms) {
            self.shelf.due.pop_first();
            match due {
                Due::Ticket(ticket) => {
                    if let Some(again_ms) = self.shelf.tickets.look(ticket, now.mono_ms) {
                        self.shelf.wake(again_ms, due);
                    }
                }
                Due::Upload(id) => self.look_at_upload(id, now, effects),
                Due::Knock(knock) => self.give_up_knock(knock, effects),
            }
        }
        self.tell_gathered(now, effects);
        self.go_on_with_waiting(effects);
    }

    /// The files of a scope that somebody means.
    pub(super) fn files_that_fit<'a>(
        &'a self,
        scope: Scope,
        pattern: &'a Pattern,
    ) -> impl Iterator<Item = (&'a FileName, &'a Shelved)> {
        let files = self.shelf.index.beginning_with(scope, pattern.prefix(), None);
        files.filter(|(name, _)| pattern.fits(name.as_str()))
    }

    /// A file by its name.
    pub(super) fn file(&self, key: &FileKey) -> Option<&Shelved> {
        self.shelf.index.get(key)
    }

    fn look_at_upload(&mut self, id: UploadId, now: Now, effects: &mut Vec<Effect>) {
        let Some(upload) = self.shelf.uploads.get(id) else { return };
        let idle_until_ms = upload.touched_ms + FILE_TICKET_IDLE_MS;
        if !upload.webs.is_empty() {
            return self.shelf.wake(now.mono_ms + FILE_TICKET_IDLE_MS, Due::Upload(id));
        }
        if !upload.is_orphan() && idle_until_ms > now.mono_ms {
            return self.shelf.wake(idle_until_ms, Due::Upload(id));
        }
        self.end_upload(id, &Denied::Failed, effects);
    }

    /// Takes everything of a group that ends off the shelf. The store lets go of it with the group.
    pub(super) fn clear_shelf(&mut self, scope: Scope, effects: &mut Vec<Effect>) {
        self.shelf.index.clear(scope);
        for id in self.shelf.uploads.to_scope(scope) {
            self.end_upload(id, &Denied::NoAccess("that is gone; nothing can be brought there"), effects);
        }
        effects.push(Effect::Shelf(Box::new(ShelfOrder::RemoveAll { scope })));
        self.go_on_with_waiting(effects);
    }

    /// An account is no more: what it shared with one person goes; what it brought for many stays, and is nobody's.
    pub(super) fn clear_shelf_of(&mut self, account: AccountId, now: Now, effects: &mut Vec<Effect>) {
        let is_theirs =
            |scope: &Scope| matches!(scope, Scope::Pair(one, other) if *one == account || *other == account);
        let coming = self.shelf.uploads.scopes().filter(is_theirs);
        let scopes: BTreeSet<Scope> = self.shelf.index.scopes().filter(is_theirs).chain(coming).collect();
        for scope in scopes {
            self.drop_scope(scope, now, effects);
        }
    }

    /// At the start: files of groups and accounts that ended when nobody could see to it.
    pub(super) fn drop_ownerless(&mut self, accounts: &HashSet<AccountId>, now: Now, effects: &mut Vec<Effect>) {
        let is_ownerless = |scope: &Scope| match scope {
            Scope::Public => false,
            Scope::Group(id) => self.room_of_group(*id).is_none(),
            Scope::Pair(one, other) => !(accounts.contains(one) && accounts.contains(other)),
        };
        for scope in self.shelf.index.scopes().filter(is_ownerless).collect::<Vec<_>>() {
            self.drop_scope(scope, now, effects);
        }
    }

    /// Takes everything of a scope off the shelf, and has the store forget it file by file.
    fn drop_scope(&mut self, scope: Scope, now: Now, effects: &mut Vec<Effect>) {
        for file in self.shelf.index.keys_of(scope) {
            self.record(Change::File { file, entry: None }, now, effects);
        }
        self.clear_shelf(scope, effects);
    }
}

/// What holds between any two inputs.
#[cfg(test)]
impl Shelf {
    /// Panics when two tables disagree.
    pub fn assert_tables_agree(&self) {
        self.index.assert_agrees();
        self.uploads.assert_agrees();
        self.tickets.assert_agrees(&self.uploads);
    }

    /// Whether nothing is under way.
    pub fn is_at_rest(&self) -> bool {
        self.uploads.is_empty()
            && self.tickets.is_empty()
            && self.settling.is_empty()
            && self.knocks.is_empty()
            && self.gatherings.is_resting()
    }
}

/// A table by session of what it has under way.
type BySession<T> = HashMap<ConnId, T>;

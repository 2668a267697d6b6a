//! Uploads that are under way: whose, how far, who waits for them, and how much room they hold.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::store::file::{FileKey, Scope};

use super::super::ConnId;
use super::BySession;
use super::index::Owner;
use super::order::{Intake, UploadId};
use super::rights::Visitor;
use super::stage::Stage;
use super::tickets::TicketKey;
use super::web::WebId;

/// A line that asked something, and is answered later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// Who asked.
    pub conn: ConnId,
    /// The label of the line.
    pub label: Option<Box<str>>,
    /// `PUT`, `REPLACE`, `DEL`.
    pub verb: &'static str,
    /// What the asker calls the scope.
    pub scope_word: Box<str>,
}

/// One upload, from its offer to the moment when it is a file, or is none.
#[derive(Debug)]
pub struct Upload {
    /// What the disk knows of it.
    pub intake: Intake,
    /// Who brings it.
    pub by: Visitor,
    /// The offer that is to be answered; `None` when that was done, or when it came by HTTP.
    pub question: Option<Question>,
    /// HTTP requests that wait for its end.
    pub webs: Vec<WebId>,
    /// The right to bring its bytes, once it was told.
    pub ticket: Option<TicketKey>,
    /// How far it is.
    pub stage: Stage,
    /// Bytes of the quota that it holds.
    pub reserved: u64,
    /// When it was last asked for (monotonic milliseconds).
    pub touched_ms: u64,
    /// Came by a line; its session may have gone.
    pub by_line: bool,
}

impl Upload {
    /// Its session has gone: nobody is to be answered by a line.
    pub fn orphan(&mut self) {
        self.question = None;
        self.by.conn = None;
    }

    /// Whether it came by a line whose session has gone.
    pub fn is_orphan(&self) -> bool {
        self.by_line && self.by.conn.is_none()
    }
}

/// All uploads.
#[derive(Default, Debug)]
pub struct Uploads {
    by_id: HashMap<UploadId, Upload>,
    by_name: HashMap<FileKey, Vec<UploadId>>,
    /// The same sender's uploads of the same bytes: the first is under way, the others wait for it.
    by_part: HashMap<Box<str>, VecDeque<UploadId>>,
    by_web: HashMap<WebId, UploadId>,
    by_session: BySession<BTreeSet<UploadId>>,
    reserved: HashMap<Owner, u64>,
    reserved_in_all: u64,
    last: u64,
    /// Uploads that waited for others which have ended.
    ready: VecDeque<UploadId>,
}

impl Uploads {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_id.len()
    }

    /// A number that no upload had.
    pub fn next_id(&mut self) -> UploadId {
        self.last += 1;
        UploadId(self.last)
    }

    /// Takes one in. Gives whether it is the first of its bytes, and may be prepared.
    pub fn add(&mut self, upload: Upload) -> bool {
        let id = upload.intake.upload;
        self.by_name.entry(upload.intake.to.clone()).or_default().push(id);
        if let Some(conn) = upload.by.conn {
            self.by_session.entry(conn).or_default().insert(id);
        }
        for web in &upload.webs {
            self.by_web.insert(*web, id);
        }
        self.reserve(upload.by.owner(), upload.reserved, true);
        let same = self.by_part.entry(upload.intake.part.clone()).or_default();
        same.push_back(id);
        let is_first = same.len() == 1;
        self.by_id.insert(id, upload);
        is_first
    }

    /// One by its number.
    pub fn get(&self, id: UploadId) -> Option<&Upload> {
        self.by_id.get(&id)
    }

    /// The same, to be changed. Its name, part, sender and webs are changed here only.
    pub fn get_mut(&mut self, id: UploadId) -> Option<&mut Upload> {
        self.by_id.get_mut(&id)
    }

    /// Takes one out; who waited for its bytes is ready then.
    pub fn remove(&mut self, id: UploadId) -> Option<Upload> {
        let upload = self.by_id.remove(&id)?;
        if let Some(same) = self.by_name.get_mut(&upload.intake.to) {
            same.retain(|other| *other != id);
            if same.is_empty() {
                self.by_name.remove(&upload.intake.to);
            }
        }
        if let Some(conn) = upload.by.conn {
            self.drop_from_session(conn, id);
        }
        for web in &upload.webs {
            self.by_web.remove(web);
        }
        self.reserve(upload.by.owner(), upload.reserved, false);
        if let Some(same) = self.by_part.get_mut(&upload.intake.part) {
            let was_first = same.front() == Some(&id);
            same.retain(|other| *other != id);
            self.ready.extend(same.front().filter(|_| was_first));
            if same.is_empty() {
                self.by_part.remove(&upload.intake.part);
            }
        }
        Some(upload)
    }

    /// Somebody offers again what is under way, perhaps over another connection.
    pub fn hand_to(&mut self, id: UploadId, by: Visitor, question: Question) {
        let Some(upload) = self.by_id.get_mut(&id) else { return };
        let old = std::mem::replace(&mut upload.by, by);
        upload.question = Some(question);
        let conn = upload.by.conn;
        if let Some(old) = old.conn {
            self.drop_from_session(old, id);
        }
        if let Some(conn) = conn {
            self.by_session.entry(conn).or_default().insert(id);
        }
    }

    fn drop_from_session(&mut self, conn: ConnId, id: UploadId) {
        if let Some(mine) = self.by_session.get_mut(&conn) {
            mine.remove(&id);
            if mine.is_empty() {
                self.by_session.remove(&conn);
            }
        }
    }

    /// A session is gone: gives what it offered.
    pub fn of_session(&mut self, conn: ConnId) -> Vec<UploadId> {
        self.by_session.remove(&conn).into_iter().flatten().collect()
    }

    /// How many offers of a session are not done.
    pub fn count_of(&self, conn: ConnId) -> usize {
        self.by_session.get(&conn).map_or(0, BTreeSet::len)
    }

    /// Everything that would get a name.
    pub fn to_name(&self, key: &FileKey) -> &[UploadId] {
        self.by_name.get(key).map_or(&[], Vec::as_slice)
    }

    /// Everything that would get into a scope. Only when a scope ends: it looks at all of them.
    pub fn to_scope(&self, scope: Scope) -> Vec<UploadId> {
        self.by_id
            .values()
            .filter(|upload| upload.intake.to.scope == scope)
            .map(|upload| upload.intake.upload)
            .collect()
    }

    /// The scope of each. Only when a scope ends.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.by_id.values().map(|upload| upload.intake.to.scope)
    }

    /// Whether others wait for the same bytes.
    pub fn is_awaited(&self, part: &str) -> bool {
        self.by_part.contains_key(part)
    }

    /// The next one that waited for bytes of others and may be prepared.
    pub fn next_ready(&mut self) -> Option<UploadId> {
        self.ready.pop_front()
    }

    /// An HTTP request waits for the end of an upload.
    pub fn attach(&mut self, id: UploadId, web: WebId) {
        if let Some(upload) = self.by_id.get_mut(&id) {
            upload.webs.push(web);
            self.by_web.insert(web, id);
        }
    }

    /// An HTTP request is gone.
    pub fn detach(&mut self, web: WebId) -> Option<UploadId> {
        let id = self.by_web.remove(&web)?;
        self.by_id.get_mut(&id)?.webs.retain(|other| *other != web);
        Some(id)
    }

    /// Takes the HTTP requests that wait for an upload, to be answered.
    pub fn take_webs(&mut self, id: UploadId) -> Vec<WebId> {
        let webs = self.by_id.get_mut(&id).map(|upload| std::mem::take(&mut upload.webs)).unwrap_or_default();
        for web in &webs {
            self.by_web.remove(web);
        }
        webs
    }

    /// Bytes that somebody's uploads hold.
    pub fn reserved_by(&self, owner: Owner) -> u64 {
        self.reserved.get(&owner).copied().unwrap_or(0)
    }

    /// Bytes that all uploads hold.
    pub fn reserved_in_all(&self) -> u64 {
        self.reserved_in_all
    }

    fn reserve(&mut self, owner: Owner, bytes: u64, is_added: bool) {
        let change = |held: &mut u64| {
            *held = if is_added { held.saturating_add(bytes) } else { held.saturating_sub(bytes) };
        };
        change(&mut self.reserved_in_all);
        let held = self.reserved.entry(owner).or_default();
        change(held);
        if *held == 0 {
            self.reserved.remove(&owner);
        }
    }
}

#[cfg(test)]
impl Uploads {
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty() && self.by_web.is_empty() && self.ready.is_empty()
    }

    /// How many have a ticket.
    pub fn ticketed(&self) -> usize {
        self.by_id.values().filter(|upload| upload.ticket.is_some()).count()
    }

    /// Panics when two tables disagree.
    pub fn assert_agrees(&self) {
        let all: Vec<&Upload> = self.by_id.values().collect();
        assert_eq!(self.by_name.values().map(Vec::len).sum::<usize>(), all.len());
        assert_eq!(self.by_part.values().map(VecDeque::len).sum::<usize>(), all.len());
        assert_eq!(self.by_web.len(), all.iter().map(|upload| upload.webs.len()).sum::<usize>());
        assert_eq!(self.reserved_in_all, all.iter().map(|upload| upload.reserved).sum::<u64>());
        assert_eq!(self.reserved.values().sum::<u64>(), self.reserved_in_all);
        assert!(self.ready.is_empty(), "whoever may go on goes on");
        let sessions: usize = self.by_session.values().map(BTreeSet::len).sum();
        assert_eq!(sessions, all.iter().filter(|upload| upload.by.conn.is_some()).count());
        for upload in all {
            let id = upload.intake.upload;
            assert!(self.by_name[&upload.intake.to].contains(&id));
            let is_first = self.by_part[&upload.intake.part].front() == Some(&id);
            assert_eq!(is_first, upload.stage != Stage::Waiting);
            assert!(upload.ticket.is_none() || matches!(upload.stage, Stage::Open { .. }));
            assert!(upload.by.conn.is_none_or(|conn| self.by_session[&conn].contains(&id)));
        }
    }
}

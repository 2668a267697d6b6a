//! What the disk tells: prepared, stored, failed, paused; found and lost without anybody's asking.

use std::fmt::Write;

use crate::store::change::Change;
use crate::store::file::{FileEntry, FileKey, Scope};
use crate::wire::escape::printable;
use crate::wire::reply::RPL_ISUPPORT;

use super::super::{Chat, Effect, Now, SERVER_NAME};
use super::Denied;
use super::index::Shelved;
use super::order::{Fault, FoundFile, Intake, ShelfFact, ShelfOrder, StoredFile, UploadId};
use super::settling::Arrival;
use super::stage::Stage;
use super::upload::Upload;
use super::web::{WebId, WebReply};

impl Chat {
    /// Takes one fact of the disk.
    pub(in crate::chat) fn shelf_told(&mut self, fact: ShelfFact, now: Now, effects: &mut Vec<Effect>) {
        match fact {
            ShelfFact::Prepared { upload, offset } => self.prepared(upload, offset, now, effects),
            ShelfFact::Stored(files) => files.into_iter().for_each(|file| self.stored(file, now, effects)),
            ShelfFact::Failed { upload, fault } => self.upload_failed(upload, &fault, effects),
            ShelfFact::Paused { upload, .. } => self.paused(upload, now),
            ShelfFact::Found(files) => self.files_found(files, now, effects),
            ShelfFact::Lost(keys) => self.files_lost(keys, now, effects),
            ShelfFact::Reachable(address) => self.reached_at(address, effects),
        }
        self.go_on_with_waiting(effects);
    }

    /// There is room: whoever offered it gets the right to bring the bytes.
    fn prepared(&mut self, id: UploadId, offset: u64, now: Now, effects: &mut Vec<Effect>) {
        let secret = self.settings.cloak_secret;
        let shelf = &mut self.shelf;
        let Some(upload) = shelf.uploads.get_mut(id).filter(|upload| upload.stage == Stage::Preparing) else { return };
        upload.touched_ms = now.mono_ms;
        let Some(question) = upload.question.take() else { return self.prepared_unasked(id, effects) };
        let ticket = shelf.tickets.for_upload(id, &secret, now);
        (upload.ticket, upload.stage) = (Some(ticket), Stage::Open { moving: !upload.webs.is_empty() });
        let (size, digest) = (upload.intake.size.unwrap_or(0), upload.intake.digest);
        let mut line = format!(":{SERVER_NAME} FILE TICKET PUT {ticket} {offset} {size} ");
        if let Some(digest) = digest {
            let _ = write!(line, "{digest}");
        }
        let _ = write!(line, " :{}\r\n", upload.intake.to.name.as_str());
        self.answer_line(question.conn, question.label.as_deref(), line, effects);
    }

    /// Nobody waits for a ticket: it is an upload by HTTP, or its session has gone.
    fn prepared_unasked(&mut self, id: UploadId, effects: &mut Vec<Effect>) {
        let Some(upload) = self.shelf.uploads.get_mut(id) else { return };
        upload.stage = Stage::Open { moving: true };
        match upload.webs.first().copied() {
            Some(web) if !upload.by_line => {
                let reply = WebReply::Receive(Box::new(upload.intake.clone()));
                effects.push(Effect::Web { web, reply: Box::new(reply) });
            }
            Some(_) => {}
            None => {
                // It may be offered again: what is there of it stays.
                let (part, is_kept) = (upload.intake.part.clone(), upload.intake.resumable);
                self.shelf.let_go(id);
                if !is_kept {
                    effects.push(Effect::Shelf(Box::new(ShelfOrder::Discard { part })));
                }
            }
        }
    }

    /// A file is on the disk under its name. It is told when the store has it, too.
    fn stored(&mut self, file: StoredFile, now: Now, effects: &mut Vec<Effect>) {
        let webs = self.shelf.uploads.take_webs(file.upload);
        let Some(upload) = self.shelf.uploads.remove(file.upload) else {
            let text = format!(
                "upload {} is stored, and nobody knows of it; it will be found as a file of the host",
                file.upload.0
            );
            return effects.push(Effect::Log { conn: None, text });
        };
        if let Some(ticket) = upload.ticket {
            self.shelf.tickets.remove(ticket);
        }
        let Upload { intake, by, question, .. } = upload;
        let key = intake.to;
        if question.is_none() && self.shelf.index.get(&key).is_some_and(|there| there.entry.digest == file.digest) {
            return self.was_there(&key, webs, effects);
        }
        let entry = FileEntry {
            digest: file.digest,
            stored_ms: now.wall_ms,
            uploader: Some(by.name.clone()),
            account: by.account,
            media: file.media,
            stamp: file.stamp,
        };
        let recorded = self.record_file(key.clone(), Some(entry.clone()), now, effects);
        self.shelf.index.put(key.clone(), Shelved { entry, recorded, by: by.conn });
        if intake.digest.is_none() {
            self.share(&key, &file, effects);
        }
        let mut arrival = Arrival::new(key, &file, by);
        arrival.questions.extend(question);
        arrival.webs = webs;
        self.settle_rivals(&mut arrival, effects);
        self.shelf.settling.push(recorded, arrival);
    }

    /// Nobody knew what it was before it was whole. When its content is there under another name, one of them is enough on the disk.
    fn share(&self, key: &FileKey, file: &StoredFile, effects: &mut Vec<Effect>) {
        let other = self.shelf.index.same(&file.digest, 2).find(|(other, _)| *other != key);
        if let Some((other, there)) = other {
            let same = (other.clone(), there.entry.stamp);
            let order = ShelfOrder::Share { file: key.clone(), stamp: file.stamp, digest: file.digest, same };
            effects.push(Effect::Shelf(Box::new(order)));
        }
    }

    /// What came was there already, under that very name: nothing is new to anybody else.
    fn was_there(&mut self, key: &FileKey, webs: Vec<WebId>, effects: &mut Vec<Effect>) {
        for web in webs {
            if let Some(reply) = self.tell_web_there(web, key.clone()) {
                effects.push(Effect::Web { web, reply: Box::new(reply) });
            }
        }
    }

    /// Others were bringing a file under the same name: who has the same is done, and the others are too late.
    fn settle_rivals(&mut self, arrival: &mut Arrival, effects: &mut Vec<Effect>) {
        for id in self.shelf.uploads.to_name(&arrival.key).to_vec() {
            let Some(Intake { digest, size, .. }) = self.shelf.uploads.get(id).map(|rival| &rival.intake) else {
                continue;
            };
            if digest.is_none() && size.is_none_or(|size| size == arrival.size) {
                // Nobody knows yet whether it is the same; the disk will.
                continue;
            }
            if *digest != Some(arrival.digest) {
                self.end_upload(id, &Denied::NameTaken, effects);
                continue;
            }
            arrival.webs.extend(self.shelf.uploads.take_webs(id));
            let Some(rival) = self.shelf.uploads.remove(id) else { continue };
            if let Some(ticket) = rival.ticket {
                self.shelf.tickets.remove(ticket);
            }
            arrival.questions.extend(rival.question);
            if rival.stage != Stage::Waiting && !self.shelf.uploads.is_awaited(&rival.intake.part) {
                effects.push(Effect::Shelf(Box::new(ShelfOrder::Discard { part: rival.intake.part })));
            }
        }
    }

    /// Hands over that a file is there, or is not; gives under which id.
    pub(super) fn record_file(
        &mut self,
        file: FileKey,
        entry: Option<FileEntry>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> crate::wire::msgid::MsgId {
        self.record(Change::File { file, entry: entry.map(Box::new) }, now, effects);
        self.last_id
    }

    fn upload_failed(&mut self, id: UploadId, fault: &Fault, effects: &mut Vec<Effect>) {
        let Some(upload) = self.shelf.uploads.get(id) else { return };
        if let Fault::Io(why) = fault {
            let name = printable(upload.intake.to.name.as_str()).into_owned();
            let text = format!("{name} could not be stored: {}", printable(why));
            effects.push(Effect::Log { conn: None, text });
        }
        let max = upload.intake.at_most;
        match (Denied::of_fault(fault, max), fault) {
            (Some(why), _) => self.end_upload(id, &why, effects),
            (None, Fault::WrongOffset(offset)) => {
                let sentence = "the bytes before those are missing; go on from the offset that is told here";
                for web in self.shelf.uploads.take_webs(id) {
                    let reply = WebReply::Refused { status: 409, sentence: sentence.into(), offset: Some(*offset) };
                    effects.push(Effect::Web { web, reply: Box::new(reply) });
                }
            }
            // Whoever took it over brings it to its end.
            (None, _) => {}
        }
    }

    /// The sender's link broke. Who has a ticket may go on.
    fn paused(&mut self, id: UploadId, now: Now) {
        let Some(upload) = self.shelf.uploads.get_mut(id) else { return };
        upload.touched_ms = now.mono_ms;
        match upload.stage {
            Stage::Open { .. } if upload.by_line && !upload.is_orphan() => upload.stage = Stage::Open { moving: false },
            Stage::Open { .. } => {
                self.shelf.uploads.take_webs(id);
                self.shelf.let_go(id);
            }
            // It was offered again meanwhile.
            Stage::Preparing | Stage::Waiting => {}
        }
    }

    /// Files that somebody put there by hand: they are the host's, and listed. What only looks touched keeps its history.
    fn files_found(&mut self, files: Vec<FoundFile>, now: Now, effects: &mut Vec<Effect>) {
        let mut ownerless: Vec<Scope> = Vec::new();
        for FoundFile { file: key, digest, media, stamp } in files {
            if !self.is_somebodys(key.scope) {
                if !ownerless.contains(&key.scope) {
                    ownerless.push(key.scope);
                }
                continue;
            }
            let known = self.shelf.index.get(&key).filter(|known| known.entry.digest == digest);
            let (entry, by) = match known {
                Some(known) => (FileEntry { stamp, media, ..known.entry.clone() }, known.by),
                None => {
                    let stored_ms = u64::try_from(stamp.mtime_ns / 1_000_000).unwrap_or(now.wall_ms).min(now.wall_ms);
                    (FileEntry { digest, stored_ms, uploader: None, account: None, media, stamp }, None)
                }
            };
            let recorded = self.record_file(key.clone(), Some(entry.clone()), now, effects);
            self.shelf.index.put(key, Shelved { entry, recorded, by });
        }
        for scope in ownerless {
            effects.push(Effect::Shelf(Box::new(ShelfOrder::RemoveAll { scope })));
        }
    }

    /// Whether there is anybody left who sees a scope.
    fn is_somebodys(&self, scope: Scope) -> bool {
        match scope {
            Scope::Public => true,
            Scope::Group(id) => self.room_of_group(id).is_some(),
            Scope::Pair(one, other) => self.accounts.get(one).is_some() && self.accounts.get(other).is_some(),
        }
    }

    fn files_lost(&mut self, keys: Vec<FileKey>, now: Now, effects: &mut Vec<Effect>) {
        for key in keys {
            if self.shelf.index.take(&key).is_some() {
                self.record_file(key, None, now, effects);
            }
        }
    }

    /// From here on programs are told where they can bring files by HTTP; those who are here as well.
    fn reached_at(&mut self, address: Box<str>, effects: &mut Vec<Effect>) {
        if self.shelf.reachable.as_ref() == Some(&address) {
            return;
        }
        let (code, token) = (RPL_ISUPPORT.0, filehost_token(&address));
        self.shelf.reachable = Some(address);
        self.isupport = self.isupport_lines();
        for session in self.sessions.iter().flatten().filter(|session| session.is_registered()) {
            let nick = session.nick.as_str();
            let lines = format!(":{SERVER_NAME} {code:03} {nick} {token} :are supported by this server\r\n");
            effects.push(Effect::Send { to: session.conn, lines });
        }
    }
}

/// Where files are brought by HTTP, as ISUPPORT says it (soju.im/FILEHOST).
pub(in crate::chat) fn filehost_token(address: &str) -> String {
    format!("soju.im/FILEHOST={address}/upload")
}

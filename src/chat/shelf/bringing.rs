//! Offers: whether somebody may bring a file, what is there of it already, and how it is prepared, resumed and given up.

use crate::store::file::{FileKey, Stamp};
use crate::wire::digest::Digest;
use crate::wire::limits::{FILE_OFFERS, FILE_TICKET_IDLE_MS, FILES};

use super::super::{Chat, Effect, Now};
use super::index::Shelved;
use super::order::{Intake, ShelfOrder, UploadId};
use super::rights::Visitor;
use super::stage::Stage;
use super::upload::{Question, Upload};
use super::web::{WebId, WebReply};
use super::{Denied, Due};

/// Files with the same content that the disk is told of: one may have been changed by hand.
const SAME_TOLD: usize = 4;

/// Whether the content of a name may be replaced, by those who may remove it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replace {
    /// No.
    Never,
    /// Whatever it is.
    Any,
    /// Only this content.
    Only(Digest),
}

/// What somebody wants to bring.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// What it will be called.
    pub key: FileKey,
    /// Bytes, when that is known.
    pub size: Option<u64>,
    /// SHA-256, when that is known.
    pub digest: Option<Digest>,
    /// Whether it may replace what is there.
    pub replace: Replace,
}

/// What an offer comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weighed {
    /// That very file is there.
    There,
    /// It may come.
    Room {
        /// The content that it replaces.
        replaces: Option<Digest>,
        /// No more bytes than this.
        at_most: u64,
    },
}

impl Chat {
    /// Looks whether a file may come, without doing anything.
    pub(super) fn weigh(&self, by: &Visitor, offer: &Offer) -> Result<Weighed, Denied> {
        self.may_bring(by, offer.key.scope)?;
        let there = self.shelf.index.get(&offer.key);
        if there.is_some_and(|there| Some(there.entry.digest) == offer.digest) {
            return Ok(Weighed::There);
        }
        if self.shelf.index.is_in_the_way(&offer.key) {
            return Err(Denied::InTheWay);
        }
        if let Some(there) = there {
            let is_meant = match offer.replace {
                Replace::Never => return Err(Denied::NameTaken),
                Replace::Any => true,
                Replace::Only(digest) => digest == there.entry.digest,
            };
            if !is_meant {
                return Err(Denied::NameTaken);
            }
            if !self.may_remove(by, &offer.key, there) {
                return Err(Denied::NoAccess("only who brought a file, and who runs the place, may replace it"));
            }
        } else if self.shelf.index.count() >= FILES {
            return Err(Denied::TooMany);
        }
        let at_most = self.room_for(by, offer.size, there)?;
        Ok(Weighed::Room { replaces: there.map(|there| there.entry.digest), at_most })
    }

    /// How many bytes may come. What is replaced makes room.
    fn room_for(&self, by: &Visitor, size: Option<u64>, replaced: Option<&Shelved>) -> Result<u64, Denied> {
        let (rules, shelf, owner) = (&self.settings.cloud, &self.shelf, by.owner());
        let freed_in_all = replaced.filter(|file| file.owner().is_some()).map_or(0, Shelved::size);
        let freed = replaced.filter(|file| file.owner() == Some(owner)).map_or(0, Shelved::size);
        let left_of = |quota: Option<u64>, used: u64, freed: u64| {
            quota.map_or(u64::MAX, |quota| quota.saturating_sub(used.saturating_sub(freed)))
        };
        let used = shelf.index.bytes_of(owner).saturating_add(shelf.uploads.reserved_by(owner));
        let used_in_all = shelf.index.bytes_in_all().saturating_add(shelf.uploads.reserved_in_all());
        let left = left_of(rules.quota, used, freed);
        let left_in_all = left_of(rules.quota_total, used_in_all, freed_in_all);
        let wanted = size.unwrap_or(1);
        if wanted > rules.max_file {
            return Err(Denied::TooLarge { max: rules.max_file });
        }
        if wanted > left {
            return Err(Denied::Quota { left });
        }
        if wanted > left_in_all {
            return Err(Denied::QuotaOfAll { left: left_in_all });
        }
        Ok(size.unwrap_or(rules.max_file.min(left).min(left_in_all)))
    }

    /// Begins an upload. Its bytes are known by their digest and sender, so that they are found again when they are offered again.
    pub(super) fn begin_upload(
        &mut self,
        by: Visitor,
        offer: Offer,
        (replaces, at_most): (Option<Digest>, u64),
        asked: Asked,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let id = self.shelf.uploads.next_id();
        let (question, webs) = match asked {
            Asked::Line(question) => (Some(question), Vec::new()),
            Asked::Web(web) => (None, vec![web]),
        };
        let by_line = question.is_some();
        let part = match offer.digest.filter(|_| by_line) {
            Some(digest) => format!("{digest}.{}", by.mark),
            None => format!("put.{}.{}", id.0, now.wall_ms),
        };
        // What nobody knows the size of may take all that is left, so that is held for it.
        let has_quota = self.settings.cloud.quota.is_some() || self.settings.cloud.quota_total.is_some();
        let reserved = offer.size.unwrap_or(if has_quota { at_most } else { 0 });
        let intake = Intake {
            upload: id,
            to: offer.key,
            part: part.into(),
            size: offer.size,
            digest: offer.digest,
            at_most,
            replaces,
            resumable: by_line,
        };
        let (ticket, stage, touched_ms) = (None, Stage::Preparing, now.mono_ms);
        let upload = Upload { intake, by, question, webs, ticket, stage, reserved, touched_ms, by_line };
        if self.shelf.uploads.add(upload) {
            self.prepare(id, effects);
        } else if let Some(upload) = self.shelf.uploads.get_mut(id) {
            upload.stage = Stage::Waiting;
        }
        self.shelf.wake(now.mono_ms + FILE_TICKET_IDLE_MS, Due::Upload(id));
    }

    /// Somebody offers what they are bringing already: after a broken link, or from another machine. The bytes so far count.
    pub(super) fn take_up_again(
        &mut self,
        id: UploadId,
        by: Visitor,
        question: Question,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(upload) = self.shelf.uploads.get_mut(id) else { return };
        let old = upload.question.take();
        upload.touched_ms = now.mono_ms;
        if let Some(ticket) = upload.ticket.take() {
            self.shelf.tickets.remove(ticket);
        }
        let (stage, to) = (upload.stage, upload.intake.to.clone());
        self.shelf.uploads.hand_to(id, by, question);
        if let Some(old) = old {
            self.deny_line(&old, to.name.as_str(), &Denied::Busy("it was offered again from elsewhere"), effects);
        }
        if matches!(stage, Stage::Open { .. }) {
            if let Some(upload) = self.shelf.uploads.get_mut(id) {
                upload.stage = Stage::Preparing;
            }
            self.prepare(id, effects);
        }
    }

    /// Has the disk look what is there, and whether there is room. Only files that the sender sees are named as the same: a digest alone must
    /// not fetch what somebody else keeps for themselves.
    fn prepare(&mut self, id: UploadId, effects: &mut Vec<Effect>) {
        let Some(upload) = self.shelf.uploads.get(id) else { return };
        let (intake, account) = (upload.intake.clone(), upload.by.account);
        let mut same: Vec<(FileKey, Stamp)> = Vec::new();
        if let Some(digest) = &intake.digest {
            let candidates = self.shelf.index.same(digest, FILES_LOOKED_AT);
            let seen = candidates.filter(|(key, file)| {
                intake.size.is_none_or(|size| size == file.size()) && self.sees(account, key.scope)
            });
            same.extend(seen.take(SAME_TOLD).map(|(key, file)| (key.clone(), file.entry.stamp)));
        }
        effects.push(Effect::Shelf(Box::new(ShelfOrder::Prepare { intake: Box::new(intake), same })));
    }

    /// Prepares what waited for others to bring the same bytes.
    pub(super) fn go_on_with_waiting(&mut self, effects: &mut Vec<Effect>) {
        while let Some(id) = self.shelf.uploads.next_ready() {
            if let Some(upload) = self.shelf.uploads.get_mut(id) {
                upload.stage = Stage::Preparing;
                self.prepare(id, effects);
            }
        }
    }

    /// An upload will not be a file: whoever waits is told why. Bytes that nobody can take up again go.
    pub(super) fn end_upload(&mut self, id: UploadId, why: &Denied, effects: &mut Vec<Effect>) {
        let webs = self.shelf.uploads.take_webs(id);
        for web in webs {
            refuse_web(web, why, effects);
        }
        let Some(upload) = self.shelf.uploads.remove(id) else { return };
        if let Some(ticket) = upload.ticket {
            self.shelf.tickets.remove(ticket);
        }
        let is_kept = upload.intake.resumable && !matches!(why, Denied::NameTaken | Denied::NoAccess(_));
        if !is_kept && upload.stage != Stage::Waiting && !self.shelf.uploads.is_awaited(&upload.intake.part) {
            effects.push(Effect::Shelf(Box::new(ShelfOrder::Discard { part: upload.intake.part })));
        }
        if let Some(question) = &upload.question {
            self.deny_line(question, upload.intake.to.name.as_str(), why, effects);
        }
    }

    /// Whether so many offers are open that no more can be taken.
    pub(super) fn has_too_many_offers(&self) -> bool {
        self.shelf.uploads.count() >= FILE_OFFERS
    }
}

/// Files of the same content that are looked at for one that the sender sees.
const FILES_LOOKED_AT: usize = 64;

/// How an offer came, and so how it is answered.
#[derive(Debug)]
pub enum Asked {
    /// By a line.
    Line(Question),
    /// By HTTP.
    Web(WebId),
}

/// Says no to an HTTP request.
pub(super) fn refuse_web(web: WebId, why: &Denied, effects: &mut Vec<Effect>) {
    let reply = WebReply::Refused { status: why.status(), sentence: why.sentence().into(), offset: None };
    effects.push(Effect::Web { web, reply: Box::new(reply) });
}

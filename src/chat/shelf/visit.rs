//! Requests that come by HTTP: tickets redeemed, files listed, fetched, brought and removed, and who may.

use crate::store::file::{FileKey, Scope};
use crate::store::record::AccountId;
use crate::wire::digest::Digest;
use crate::wire::file_name::FileName;
use crate::wire::limits::{FILE_NUMBERS, FILE_REQUESTS};

use super::super::{Chat, Effect, Now};
use super::Denied;
use super::bringing::{Asked, Offer, Replace, Weighed, refuse_web};
use super::index::Shelved;
use super::rights::Visitor;
use super::stage::Stage;
use super::tickets::{Ticket, TicketKey};
use super::web::{Listed, Outgoing, WebId, WebReply, WebRequest, WebWish};

/// What guests are told where they may not come in.
const NEEDS_LOGIN: &str = "this cloud is for members: give an account's name and password (curl: -u NAME)";

/// What is asked of [`Chat::bring_by_web`].
struct Wanted {
    name: Box<str>,
    size: Option<u64>,
    digest: Option<Digest>,
    replaces: Option<Digest>,
    may_rename: bool,
}

impl Chat {
    /// Takes a request. A ticket is right enough; everything else is for somebody.
    pub(in crate::chat) fn visited(&mut self, web: WebId, request: WebRequest, now: Now, effects: &mut Vec<Effect>) {
        if let WebWish::Redeem { token } = &request.wish {
            return match self.redeem(web, token, now) {
                Ok(reply) => effects.push(Effect::Web { web, reply: Box::new(reply) }),
                Err(why) => refuse_web(web, &why, effects),
            };
        }
        if request.login.is_some() {
            return self.knocked(web, request, now, effects);
        }
        if !self.settings.guests || self.settings.password.is_some() {
            return unauthorized(web, NEEDS_LOGIN, effects);
        }
        self.welcome_web(web, request, None, now, effects);
    }

    /// Does what somebody wants who has said who they are, or need not.
    pub(super) fn welcome_web(
        &mut self,
        web: WebId,
        request: WebRequest,
        account: Option<AccountId>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(by) = self.visitor_by_web(request.address, account) else {
            return unauthorized(web, "that account is no more", effects);
        };
        let done = match request.wish {
            WebWish::List { folder } => self.list_folder(&folder).map(Some),
            WebWish::Get { name } => self.fetch_by_name(&name).map(Some),
            WebWish::Put { name, size, digest, replaces, may_rename } => {
                let wanted = Wanted { name, size, digest, replaces, may_rename };
                self.bring_by_web(web, by, wanted, now, effects)
            }
            WebWish::Remove { name } => self.remove_by_web(web, by, &name, now, effects).map(|()| None),
            WebWish::Redeem { .. } => Err(Denied::NoTicket),
        };
        match done {
            Ok(Some(reply)) => effects.push(Effect::Web { web, reply: Box::new(reply) }),
            // It is answered later.
            Ok(None) => {}
            Err(why) => refuse_web(web, &why, effects),
        }
    }

    fn redeem(&mut self, web: WebId, token: &str, now: Now) -> Result<WebReply, Denied> {
        let key = TicketKey::parse(token).ok_or(Denied::NoTicket)?;
        match self.shelf.tickets.redeem(key, now.mono_ms).ok_or(Denied::NoTicket)? {
            Ticket::Get { conn, file, digest, .. } => {
                if !self.still_sees(conn, file.scope) {
                    return Err(Denied::NoTicket);
                }
                let there = self.shelf.index.get(&file).filter(|there| there.entry.digest == digest);
                there.map(|there| outgoing(file, there)).ok_or(Denied::NoSuchFile)
            }
            Ticket::Put(id) => {
                let upload = self.shelf.uploads.get_mut(id).ok_or(Denied::NoTicket)?;
                if !matches!(upload.stage, Stage::Open { .. }) {
                    return Err(Denied::NoTicket);
                }
                if upload.webs.len() >= FILE_REQUESTS {
                    return Err(Denied::Busy("too many requests for one upload; let some of them end"));
                }
                upload.stage = Stage::Open { moving: true };
                upload.touched_ms = now.mono_ms;
                let (intake, by) = (upload.intake.clone(), upload.by.clone());
                self.may_bring(&by, intake.to.scope)?;
                self.shelf.uploads.attach(id, web);
                Ok(WebReply::Receive(Box::new(intake)))
            }
        }
    }

    fn list_folder(&self, folder: &str) -> Result<WebReply, Denied> {
        let folder = folder.trim_matches('/');
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{}/", FileName::parse(folder).map_err(|_| Denied::NoSuchFile)?.as_str()),
        };
        let files = self.shelf.index.beginning_with(Scope::Public, &prefix, None);
        let listed: Vec<Listed> = files.map(|(name, file)| listed(name, file)).collect();
        if listed.is_empty() && !prefix.is_empty() {
            return Err(Denied::NoSuchFile);
        }
        Ok(WebReply::Listing(listed))
    }

    fn fetch_by_name(&self, name: &str) -> Result<WebReply, Denied> {
        let key = public(FileName::parse(name).map_err(|_| Denied::NoSuchFile)?);
        if let Some(file) = self.shelf.index.get(&key) {
            return Ok(outgoing(key, file));
        }
        let folder = format!("{}/", key.name.as_str());
        let is_folder = self.shelf.index.beginning_with(key.scope, &folder, None).next().is_some();
        is_folder.then_some(WebReply::Folder).ok_or(Denied::NoSuchFile)
    }

    /// `None` when the answer comes later.
    fn bring_by_web(
        &mut self,
        web: WebId,
        by: Visitor,
        wanted: Wanted,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Option<WebReply>, Denied> {
        let Wanted { name, size, digest, replaces, may_rename } = wanted;
        let name = FileName::clean(&name).map_err(Denied::BadName)?;
        let replace = replaces.map_or(Replace::Never, Replace::Only);
        let mut offer = Offer { key: public(name), size, digest, replace };
        let mut weighed = self.weigh_for_web(&by, &offer, may_rename);
        for number in 2..=FILE_NUMBERS {
            if !may_rename || !matches!(weighed, Err(Denied::NameTaken | Denied::InTheWay)) {
                break;
            }
            let numbered = Offer { key: public(offer.key.name.numbered(number)), ..offer.clone() };
            weighed = self.weigh_for_web(&by, &numbered, may_rename);
            if weighed.is_ok() {
                offer = numbered;
                break;
            }
        }
        match weighed? {
            Weighed::There => Ok(self.tell_web_there(web, offer.key)),
            Weighed::Room { .. } if self.has_too_many_offers() => {
                Err(Denied::Busy("too many files are on their way; try again in a minute"))
            }
            Weighed::Room { replaces, at_most } => {
                self.begin_upload(by, offer, (replaces, at_most), Asked::Web(web), now, effects);
                Ok(None)
            }
        }
    }

    /// Whoever takes any name gets one that nobody else is about to take.
    fn weigh_for_web(&self, by: &Visitor, offer: &Offer, may_rename: bool) -> Result<Weighed, Denied> {
        let weighed = match self.weigh(by, offer) {
            Err(Denied::NameTaken) if !may_rename && self.may_be_there(offer) => {
                Weighed::Room { replaces: None, at_most: offer.size.unwrap_or(0) }
            }
            weighed => weighed?,
        };
        let is_wanted = may_rename && !self.shelf.uploads.to_name(&offer.key).is_empty();
        if is_wanted && weighed != Weighed::There { Err(Denied::NameTaken) } else { Ok(weighed) }
    }

    /// `curl -T` of the same file once more: its digest is not known before it is here, but its size is that of what is there. The disk will see.
    fn may_be_there(&self, offer: &Offer) -> bool {
        let there = self.shelf.index.get(&offer.key);
        offer.digest.is_none()
            && offer.replace == Replace::Never
            && offer.size.is_some_and(|size| there.is_some_and(|there| there.size() == size))
    }

    pub(super) fn tell_web_there(&mut self, web: WebId, key: FileKey) -> Option<WebReply> {
        let file = self.shelf.index.get(&key)?;
        let (recorded, digest) = (file.recorded, file.entry.digest);
        if self.receipts.is_saved(recorded) {
            return Some(WebReply::Stored { file: key, digest, is_new: false });
        }
        self.shelf.settling.await_web(recorded, key, web);
        None
    }

    fn remove_by_web(
        &mut self,
        web: WebId,
        by: Visitor,
        name: &str,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Denied> {
        let key = public(FileName::parse(name).map_err(|_| Denied::NoSuchFile)?);
        self.remove_file(by, key, Some(Asked::Web(web)), now, effects)
    }

    /// The connection of a request is gone.
    pub(in crate::chat) fn visitor_gone(&mut self, web: WebId) {
        self.shelf.knocks.forget(web);
        // The disk tells what became of the bytes.
        self.shelf.uploads.detach(web);
    }
}

/// Says that somebody has to say who they are.
pub(super) fn unauthorized(web: WebId, sentence: &str, effects: &mut Vec<Effect>) {
    let reply = WebReply::Refused { status: 401, sentence: sentence.into(), offset: None };
    effects.push(Effect::Web { web, reply: Box::new(reply) });
}

fn public(name: FileName) -> FileKey {
    FileKey { scope: Scope::Public, name }
}

fn outgoing(file: FileKey, there: &Shelved) -> WebReply {
    let entry = &there.entry;
    let (digest, stored_ms, media, stamp) = (entry.digest, entry.stored_ms, entry.media, entry.stamp);
    WebReply::Send(Box::new(Outgoing { file, digest, stored_ms, media, stamp }))
}

fn listed(name: &FileName, file: &Shelved) -> Listed {
    let entry = &file.entry;
    Listed {
        name: name.as_str().into(),
        size: file.size(),
        digest: entry.digest,
        stored_ms: entry.stored_ms,
        uploader: entry.uploader.clone(),
        media: entry.media,
    }
}

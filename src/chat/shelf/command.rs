//! The FILE command: offers, tickets, listings and removals, for programs.

use std::fmt::Write;

use crate::store::file::{FileKey, Scope};
use crate::wire::caps::Caps;
use crate::wire::digest::Digest;
use crate::wire::file_name::{FILE_PATH_BYTES, FileName};
use crate::wire::limits::{FILE_OFFERS_PER_SESSION, FILE_TICKET_IDLE_MS};
use crate::wire::line::{Line, clip};
use crate::wire::media::Media;

use super::super::join::clip_word;
use super::super::replies::Replies;
use super::super::turn::Turn;
use super::super::{Chat, ConnId, Effect, SERVER_NAME, Session};
use super::bringing::{Asked, Offer, Replace, Weighed};
use super::rights::{Named, Visitor};
use super::upload::Question;
use super::words::{encoded, media_tag};
use super::{Denied, Due};

/// What a session must take to be told of files line by line.
pub const FILE_CAPS: Caps = Caps(Caps::FILES.0 | Caps::LONG_LINES.0);

impl Turn<'_> {
    /// `FILE LIST <scope> [pattern]`, `FILE PUT|REPLACE <scope> <size> <sha256> :<name>`, `FILE GET|DEL <scope> :<name>`
    pub(in crate::chat) fn file(&mut self, line: &Line) {
        if !self.session().caps.has(FILE_CAPS) {
            let sentence = "ask for gzy/files and gzy/long-lines first; !ls, !get and !rm need neither";
            return self.fail("FILE", "NEED_CAPABILITY", &[], sentence);
        }
        match (line.params()[0].to_ascii_uppercase().as_str(), &line.params()[1..]) {
            ("LIST", [scope]) => self.file_list(scope, "", None),
            ("LIST", [scope, pattern]) => self.file_list(scope, pattern, None),
            ("LIST", [scope, pattern, after]) => self.file_list(scope, pattern, Some(after)),
            ("PUT", [scope, size, digest, name]) => self.file_put("PUT", scope, size, digest, name),
            ("REPLACE", [scope, size, digest, name]) => self.file_put("REPLACE", scope, size, digest, name),
            ("GET", [scope, name]) => self.file_get(scope, name),
            ("DEL", [scope, name]) => self.file_del(scope, name),
            (what, _) => {
                let sentence = "say FILE LIST <scope> [pattern], FILE PUT|REPLACE <scope> <size> <sha256> :<name>, or FILE GET|DEL <scope> :<name>";
                self.fail("FILE", "INVALID_PARAMS", &[clip_word(what)], sentence);
            }
        }
    }

    fn file_put(&mut self, verb: &'static str, scope: &str, size: &str, digest: &str, name: &str) {
        let is_number = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
        let size = is_number.then(|| size.parse::<u64>().ok()).flatten();
        let (Some(size), Some(digest)) = (size, Digest::from_hex(digest)) else {
            let sentence = "say the size in bytes and the SHA-256 in 64 hex digits";
            return self.fail("FILE", "INVALID_PARAMS", &[verb, clip_word(scope)], sentence);
        };
        if let Err(why) = self.offer(verb, scope, size, digest, name) {
            self.deny(verb, scope, name, &why);
        }
    }

    fn offer(&mut self, verb: &'static str, scope: &str, size: u64, digest: Digest, name: &str) -> Result<(), Denied> {
        let Named { scope, word } = self.chat.scope_meant(self.me, scope)?;
        let key = FileKey { scope, name: FileName::parse(name).map_err(Denied::BadName)? };
        let by = self.chat.visitor_of(self.me).ok_or(Denied::NoAccess("nobody is there"))?;
        let replace = if verb == "REPLACE" { Replace::Any } else { Replace::Never };
        let offer = Offer { key, size: Some(size), digest: Some(digest), replace };
        let weighed = self.chat.weigh_again(&by, &offer)?;
        let question = Question { conn: self.me, label: self.replies.label.clone(), verb, scope_word: word };
        match weighed {
            Again::Weighed(Weighed::There) => self.tell_there(offer.key, question),
            Again::UnderWay(id) => {
                self.replies.deferred = true;
                self.chat.take_up_again(id, by, question, self.now, self.effects);
            }
            Again::Weighed(Weighed::Room { replaces, at_most }) => {
                if self.chat.shelf.uploads.count_of(self.me) >= FILE_OFFERS_PER_SESSION {
                    return Err(Denied::Busy("you have too many offers open; bring some of those files first"));
                }
                if self.chat.has_too_many_offers() {
                    return Err(Denied::Busy("too many files are on their way; try again in a minute"));
                }
                self.replies.deferred = true;
                let room = (replaces, at_most);
                self.chat.begin_upload(by, offer, room, Asked::Line(question), self.now, self.effects);
            }
        }
        Ok(())
    }

    /// That very file is there: nothing has to move. If the store does not have it yet, the answer waits for that.
    fn tell_there(&mut self, key: FileKey, question: Question) {
        let Some(file) = self.chat.shelf.index.get(&key) else { return };
        if !self.chat.receipts.is_saved(file.recorded) {
            self.replies.deferred = true;
            let recorded = file.recorded;
            return self.chat.shelf.settling.await_line(recorded, key, question);
        }
        let line = stored_line(
            self.session(),
            &question.scope_word,
            &key.name,
            file.size(),
            &file.entry.digest,
            file.entry.media,
        );
        self.replies.lines().push_str(&line);
    }

    fn file_get(&mut self, scope: &str, name: &str) {
        if let Err(why) = self.ask_for_file(scope, name) {
            self.deny("GET", scope, name, &why);
        }
    }

    fn ask_for_file(&mut self, scope: &str, name: &str) -> Result<(), Denied> {
        let Named { scope, .. } = self.chat.scope_meant(self.me, scope)?;
        let name = FileName::parse(name).map_err(|_| Denied::NoSuchFile)?;
        let key = FileKey { scope, name };
        let file = self.chat.shelf.index.get(&key).ok_or(Denied::NoSuchFile)?;
        let (size, digest, tag) = (file.size(), file.entry.digest, media_tag(file.entry.media));
        let name = key.name.clone();
        let ticket = self.download_ticket(key, digest);
        let has_tags = self.session().caps.has(Caps::MESSAGE_TAGS);
        let lines = self.replies.lines();
        push_tag(tag.filter(|_| has_tags), lines);
        let _ = write!(lines, ":{SERVER_NAME} FILE TICKET GET {ticket} {size} {digest} :{}\r\n", name.as_str());
        Ok(())
    }

    /// A ticket for a file that this session sees.
    pub(in crate::chat) fn download_ticket(&mut self, key: FileKey, digest: Digest) -> super::TicketKey {
        let (me, now) = (self.me, self.now);
        let secret = self.chat.settings.cloak_secret;
        let ticket = self.chat.shelf.tickets.for_download(me, key, digest, &secret, now);
        self.chat.shelf.wake(now.mono_ms + FILE_TICKET_IDLE_MS, Due::Ticket(ticket));
        ticket
    }

    fn file_del(&mut self, scope: &str, name: &str) {
        let asked = self.chat.scope_meant(self.me, scope);
        let removed = asked.and_then(|Named { scope, word }| {
            let key = FileKey { scope, name: FileName::parse(name).map_err(|_| Denied::NoSuchFile)? };
            let by = self.chat.visitor_of(self.me).ok_or(Denied::NoSuchFile)?;
            let question = Question { conn: self.me, label: self.replies.label.clone(), verb: "DEL", scope_word: word };
            self.chat.remove_file(by, key, Some(Asked::Line(question)), self.now, self.effects)
        });
        match removed {
            Ok(()) => self.replies.deferred = true,
            Err(why) => self.deny("DEL", scope, name, &why),
        }
    }

    pub(super) fn deny(&mut self, verb: &str, scope: &str, name: &str, why: &Denied) {
        let name = encoded(clip(name, FILE_PATH_BYTES));
        let name = if name.is_empty() { "*" } else { &name };
        self.fail("FILE", why.code(), &[verb, clip_word(scope), name], &why.sentence());
    }
}

/// What an offer of a line comes to.
pub(super) enum Again {
    /// It is under way: the same sender offers it again.
    UnderWay(super::UploadId),
    /// It is not.
    Weighed(Weighed),
}

impl Chat {
    /// As [`Chat::weigh`], but what its sender brings already is found first: it has its room.
    fn weigh_again(&self, by: &Visitor, offer: &Offer) -> Result<Again, Denied> {
        let mine = self.shelf.uploads.to_name(&offer.key).iter().copied().find(|id| {
            let upload = self.shelf.uploads.get(*id);
            upload.is_some_and(|upload| {
                upload.by_line
                    && upload.by.mark == by.mark
                    && upload.intake.digest == offer.digest
                    && upload.intake.size == offer.size
            })
        });
        if let Some(id) = mine {
            self.may_bring(by, offer.key.scope)?;
            return Ok(Again::UnderWay(id));
        }
        self.weigh(by, offer).map(Again::Weighed)
    }

    /// Answers a line later than its turn.
    pub(super) fn answer_line(&self, conn: ConnId, label: Option<&str>, lines: String, effects: &mut Vec<Effect>) {
        let Some(session) = self.session(conn) else { return };
        let label = label.filter(|_| session.answers_labels()).map(Box::from);
        let lines = Replies::answering(label, lines).finish("f0");
        effects.push(Effect::Send { to: conn, lines });
    }

    /// Says no to a line later than its turn.
    pub(super) fn deny_line(&self, question: &Question, name: &str, why: &Denied, effects: &mut Vec<Effect>) {
        let Some(session) = self.session(question.conn) else { return };
        let Question { verb, scope_word, .. } = question;
        let (code, sentence) = (why.code(), why.sentence());
        let lines = match session.caps.has(Caps::STANDARD_REPLIES) {
            true => format!(":{SERVER_NAME} FAIL FILE {code} {verb} {scope_word} {} :{sentence}\r\n", encoded(name)),
            false => format!(":{SERVER_NAME} NOTICE {} :{sentence}\r\n", session.nick.as_str()),
        };
        self.answer_line(question.conn, question.label.as_deref(), lines, effects);
    }

    /// Whether a scope is there for somebody to whom it was named before.
    pub(super) fn still_sees(&self, conn: ConnId, scope: Scope) -> bool {
        self.session(conn).is_some_and(|session| self.sees(session.account_id(), scope))
    }
}

/// `FILE STORED <scope> <size> <sha256> :<name>` as an answer of the server.
pub(super) fn stored_line(
    session: &Session,
    scope_word: &str,
    name: &FileName,
    size: u64,
    digest: &Digest,
    media: Media,
) -> String {
    let mut line = String::with_capacity(160 + name.as_str().len());
    push_tag(media_tag(media).filter(|_| session.caps.has(Caps::MESSAGE_TAGS)), &mut line);
    let _ = write!(line, ":{SERVER_NAME} FILE STORED {scope_word} {size} {digest} :{}\r\n", name.as_str());
    line
}

/// A tag in front of a line.
pub(super) fn push_tag(tag: Option<Box<str>>, lines: &mut String) {
    if let Some(tag) = tag {
        let _ = write!(lines, "@{tag} ");
    }
}

//! Being here: AWAY, SETNAME, and who wants to be seen.

use std::rc::Rc;

use crate::wire::caps::Caps;
use crate::wire::limits::{AWAY_BYTES, REALNAME_BYTES};
use crate::wire::line::{Line, clip};
use crate::wire::reply::*;

use super::turn::Turn;
use super::{Audience, Effect};

impl Turn<'_> {
    /// `AWAY [reason]`; without a reason one is back
    pub(super) fn away(&mut self, line: &Line) {
        let reason: Option<Box<str>> = line.param(0).map(|reason| clip(reason, AWAY_BYTES).into());
        let changed = self.session().away != reason;
        self.session_mut().away = reason.clone();
        match &reason {
            Some(_) => self.numeric(RPL_NOWAWAY, &[], "You have been marked as being away"),
            None => self.numeric(RPL_UNAWAY, &[], "You are no longer marked as being away"),
        }
        if changed {
            let event = Rc::new(self.my_event(format_args!("AWAY"), reason.as_deref()));
            let peers = self.chat.peers_who_are_told_each(self.me);
            self.effects.push(Effect::ToEach { to: peers, only: Audience::with(Caps::AWAY_NOTIFY), event });
        }
    }

    /// `SETNAME <realname>` (IRCv3 setname)
    pub(super) fn setname(&mut self, line: &Line) {
        let realname = line.params()[0];
        if realname.trim().is_empty() {
            return self.fail("SETNAME", "INVALID_REALNAME", &[], "that name is empty; give it at least one letter");
        }
        if realname.len() > REALNAME_BYTES {
            let sentence = format!("that name is longer than {REALNAME_BYTES} bytes; choose a shorter one");
            return self.fail("SETNAME", "INVALID_REALNAME", &[], &sentence);
        }
        self.session_mut().realname = realname.into();
        let event = Rc::new(self.my_event(format_args!("SETNAME"), Some(realname)));
        let peers = self.chat.peers(self.me, |_| true);
        self.effects.push(Effect::ToEach { to: peers, only: Audience::with(Caps::SETNAME), event: event.clone() });
        if self.session().caps.has(Caps::SETNAME) {
            self.reply_event(&event, "");
        } else {
            self.server_notice("your realname is changed");
        }
    }

    /// Sets user mode `i`, and counts.
    pub(super) fn set_invisible(&mut self, on: bool) {
        if std::mem::replace(&mut self.session_mut().invisible, on) != on {
            self.chat.invisible = if on { self.chat.invisible + 1 } else { self.chat.invisible - 1 };
        }
    }
}

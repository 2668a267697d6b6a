//! Being here: AWAY, SETNAME, and who wants to be seen.

use std::rc::Rc;

use crate::store::change::Change;
use crate::wire::caps::Caps;
use crate::wire::limits::{AWAY_BYTES, REALNAME_BYTES};
use crate::wire::line::{Line, clip};
use crate::wire::reply::*;

use super::turn::Turn;
use super::{Audience, Effect};

impl Turn<'_> {
    /// `AWAY [reason]`; without a reason one is back. A person is away on all devices or on none.
    pub(super) fn away(&mut self, line: &Line) {
        let reason: Option<Box<str>> = line.param(0).map(|reason| clip(reason, AWAY_BYTES).into());
        let changed = self.session().away != reason;
        for device in self.chat.devices_of(self.me) {
            if let Some(session) = self.chat.session_mut(device) {
                session.away = reason.clone();
            }
        }
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
        self.wear_display_name(realname);
        let event = Rc::new(self.my_event(format_args!("SETNAME"), Some(realname)));
        let peers = self.chat.peers(self.me, |_| true);
        self.effects.push(Effect::ToEach { to: peers, only: Audience::with(Caps::SETNAME), event: event.clone() });
        if self.session().caps.has(Caps::SETNAME) {
            self.reply_event(&event, "");
        } else {
            self.server_notice("your realname is changed");
        }
    }

    /// Takes a display name on all devices; an account keeps it.
    fn wear_display_name(&mut self, name: &str) {
        for device in self.chat.devices_of(self.me) {
            if let Some(session) = self.chat.session_mut(device) {
                session.realname = name.into();
            }
        }
        let Some(login) = self.session().account.clone() else { return };
        if let Some(account) = self.chat.accounts.get_mut(login.id) {
            account.display = Some(name.into());
        }
        self.record(Change::DisplayName { account: login.id, name: name.into() });
    }

    /// Sets user mode `i`, and counts.
    pub(super) fn set_invisible(&mut self, on: bool) {
        if std::mem::replace(&mut self.session_mut().invisible, on) != on {
            self.chat.invisible = if on { self.chat.invisible + 1 } else { self.chat.invisible - 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use crate::wire::limits::ROOM_TELLS_EACH;

    #[test]
    fn being_away_is_told_to_those_who_want_to_know() {
        let mut w = World::new();
        let (小阳, anna, ben) = (w.join("小阳"), w.join_with_caps("anna", "away-notify"), w.join("ben"));
        let source = w.source(小阳);
        let gone = [":gzy.local 306 小阳 :You have been marked as being away"];
        assert_eq!(w.ask(小阳, "AWAY :吃饭"), gone);
        assert_eq!(w.said_to(anna), [format!(":{source} AWAY :吃饭")]);
        assert_eq!(w.ask(小阳, "AWAY :吃饭"), gone);
        assert_eq!(w.said_to(anna), [""; 0], "nothing has changed");
        assert_eq!(w.ask(ben, "PRIVMSG 小阳 :在吗"), [":gzy.local 301 ben 小阳 :吃饭"]);
        w.drain();
        let back = [":gzy.local 305 小阳 :You are no longer marked as being away"];
        assert_eq!(w.ask(小阳, "AWAY :"), back);
        assert_eq!(w.said_to(anna), [format!(":{source} AWAY")]);
        assert_eq!(w.ask(小阳, "AWAY"), back);
        assert_eq!((w.said_to(anna), w.said_to(ben)), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, &format!("AWAY :{}", "忙".repeat(100)));
        assert_eq!(w.session(anna).away.as_deref(), Some("忙".repeat(AWAY_BYTES / 3).as_str()));
    }

    #[test]
    fn a_large_room_is_not_told_who_is_away() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", "away-notify");
        for at in 0..ROOM_TELLS_EACH {
            w.join(&format!("guest{at}"));
        }
        let 小阳 = w.join("小阳");
        w.line(小阳, "AWAY :吃饭");
        assert_eq!(w.said_to(anna), [""; 0]);
        w.line(小阳, "JOIN #茶");
        w.line(anna, "JOIN #茶");
        w.drain();
        w.line(小阳, "AWAY");
        assert_eq!(w.said_to(anna), [format!(":{} AWAY", w.source(小阳))], "but a small one that both are in is");
    }

    #[test]
    fn a_realname_is_changed_and_told() {
        let mut w = World::new();
        let (小阳, anna, ben) =
            (w.join_with_caps("小阳", "setname"), w.join_with_caps("anna", "setname"), w.join("ben"));
        let line = format!(":{} SETNAME :阳光 Sunny", w.source(小阳));
        assert_eq!(w.ask(小阳, "SETNAME :阳光 Sunny"), [line.clone()]);
        assert_eq!((w.said_to(anna), w.said_to(ben)), (vec![line], Vec::new()));
        assert_eq!(&*w.session(小阳).realname, "阳光 Sunny");
        assert_eq!(w.ask(ben, "SETNAME :Ben B."), [":gzy.local NOTICE ben :your realname is changed"]);
    }

    #[test]
    fn a_realname_that_is_none_is_refused() {
        let mut w = World::new();
        let 小阳 = w.join_with_caps("小阳", "setname standard-replies");
        let empty = [":gzy.local FAIL SETNAME INVALID_REALNAME :that name is empty; give it at least one letter"];
        assert_eq!(w.ask(小阳, "SETNAME :"), empty);
        assert_eq!(w.ask(小阳, "SETNAME :  "), empty);
        let long =
            [":gzy.local FAIL SETNAME INVALID_REALNAME :that name is longer than 150 bytes; choose a shorter one"];
        assert_eq!(w.ask(小阳, &format!("SETNAME :{}", "阳".repeat(51))), long);
        assert_eq!(&*w.session(小阳).realname, "小阳");
        assert_eq!(w.ask(小阳, "SETNAME"), [":gzy.local 461 小阳 SETNAME :not enough parameters"]);
    }
}

//! The lists of a room: bans (`b`), exceptions from them (`e`), standing invitations (`I`).

use crate::store::change::{Change as Kept, List};
use crate::wire::limits::MASKS_PER_LIST;
use crate::wire::mask::Mask;
use crate::wire::reply::*;

use super::super::join::clip_word;
use super::super::room::Listed;
use super::super::turn::Turn;
use super::super::{Room, RoomId};
use super::change::{Asked, Change};

impl Room {
    /// One of its lists.
    fn list(&self, list: List) -> &[Listed] {
        match list {
            List::Bans => &self.bans,
            List::Exceptions => &self.exceptions,
            List::Invitations => &self.invitations,
        }
    }

    /// The same, to be changed.
    pub(in crate::chat) fn list_mut(&mut self, list: List) -> &mut Vec<Listed> {
        match list {
            List::Bans => &mut self.bans,
            List::Exceptions => &mut self.exceptions,
            List::Invitations => &mut self.invitations,
        }
    }
}

impl Turn<'_> {
    /// Shows a list: each mask with who put it there and when.
    pub(super) fn show_list(&mut self, id: RoomId, list: List) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (name, entries) = (room.name.clone(), room.list(list).to_vec());
        let (entry, end, sentence) = match list {
            List::Bans => (RPL_BANLIST, RPL_ENDOFBANLIST, "End of channel ban list"),
            List::Exceptions => (RPL_EXCEPTLIST, RPL_ENDOFEXCEPTLIST, "End of channel exception list"),
            List::Invitations => (RPL_INVEXLIST, RPL_ENDOFINVEXLIST, "End of channel invitation list"),
        };
        for listed in entries {
            let at = (listed.at_ms / 1000).to_string();
            self.bare_numeric(entry, &[name.as_str(), listed.mask.as_str(), &listed.by, &at]);
        }
        self.numeric(end, &[name.as_str()], sentence);
    }

    /// Puts a mask on a list or takes it off.
    pub(super) fn change_list(&mut self, id: RoomId, list: List, asked: Asked, text: &str) -> Option<Change> {
        let mask = match Mask::parse(text) {
            Ok(mask) if mask.mutes() && list != List::Bans => {
                let sentence = "m: mutes, which only a ban can do; leave it out here";
                return self.refuse_param(id, asked, sentence);
            }
            Ok(mask) => mask,
            Err(why) => return self.refuse_param(id, asked, &why.to_string()),
        };
        let (by, at_ms) = (self.session().source().into(), self.now.wall_ms);
        let entries = self.chat.rooms.get_mut(&id)?.list_mut(list);
        let known = entries.iter().position(|listed| listed.mask == mask);
        let told = match (asked.on, known) {
            (true, None) if entries.len() >= MASKS_PER_LIST => {
                self.refuse_full_list(id, asked.letter, text);
                return None;
            }
            (true, None) => {
                entries.push(Listed { mask: mask.clone(), by, at_ms });
                mask
            }
            (false, Some(at)) => entries.remove(at).mask,
            (true, Some(_)) | (false, None) => return None,
        };
        self.record_listed(id, list, &told, asked.on);
        Some(Change { on: asked.on, letter: asked.letter, param: Some(told.as_str().into()) })
    }

    /// Keeps what is on a group's list, or is not any more.
    fn record_listed(&mut self, id: RoomId, list: List, mask: &Mask, on: bool) {
        let group = self.chat.rooms.get(&id).and_then(|room| room.group.as_ref());
        let Some(group) = group.map(|group| group.id) else { return };
        let entry = on.then(|| (self.session().source().into(), self.now.wall_ms));
        self.record(Kept::Listed { group, list, mask: mask.as_str().into(), entry });
    }

    fn refuse_full_list(&mut self, id: RoomId, letter: char, text: &str) {
        let Some(name) = self.chat.rooms.get(&id).map(|room| room.name.clone()) else { return };
        let sentence = format!(
            "that list is full ({MASKS_PER_LIST} masks), so {} did not fit; take one off first",
            clip_word(text)
        );
        self.numeric(ERR_BANLISTFULL, &[name.as_str(), letter.encode_utf8(&mut [0; 4])], &sentence);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;
    use crate::wire::limits::MASKS_PER_LIST;

    #[test]
    fn a_ban_is_completed_told_listed_and_taken_off_in_any_spelling() {
        let mut w = World::new();
        let 小阳 = w.join("小阳");
        let anna = w.join("anna");
        w.line(小阳, "JOIN #大厅");
        w.line(anna, "JOIN #大厅");
        w.drain();
        let by = w.source(小阳);

        let told = [format!(":{by} MODE #大厅 +b Eve!*@*")];
        assert_eq!(w.ask(小阳, "MODE #大厅 +b Eve"), told);
        assert_eq!(w.said_to(anna), told);
        assert_eq!(w.ask(小阳, "MODE #大厅 +b EVE!*@*"), [""; 0], "it is there already");
        assert_eq!(w.said_to(anna), [""; 0]);
        w.pass_ms(5000);
        w.line(小阳, "MODE #大厅 b m:*!*@a.gzy");
        w.drain();
        assert_eq!(
            w.ask(anna, "MODE #大厅 b"),
            [
                format!(":gzy.local 367 anna #大厅 Eve!*@* {by} 1795180761"),
                format!(":gzy.local 367 anna #大厅 m:*!*@a.gzy {by} 1795180766"),
                ":gzy.local 368 anna #大厅 :End of channel ban list".into(),
            ]
        );
        assert_eq!(w.ask(小阳, "MODE #大厅 -b eve"), [format!(":{by} MODE #大厅 -b Eve!*@*")]);
        assert_eq!(w.ask(小阳, "MODE #大厅 -b eve"), [""; 0], "it is gone already");
    }

    #[test]
    fn exceptions_and_invitations_have_lists_of_their_own() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        let by = w.source(anna);
        assert_eq!(
            w.ask(anna, "MODE #茶 +eI 小阳 *@b.gzy").last(),
            Some(&format!(":{by} MODE #茶 +eI 小阳!*@* *!*@b.gzy"))
        );
        assert_eq!(
            w.ask(anna, "MODE #茶 eIe"),
            [
                format!(":gzy.local 348 anna #茶 小阳!*@* {by} 1795180761"),
                ":gzy.local 349 anna #茶 :End of channel exception list".into(),
                format!(":gzy.local 346 anna #茶 *!*@b.gzy {by} 1795180761"),
                ":gzy.local 347 anna #茶 :End of channel invitation list".into(),
            ],
            "each list once, however often it was asked for"
        );
    }

    #[test]
    fn a_mask_that_can_mean_nobody_is_refused_with_its_reason() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        w.drain();
        assert_eq!(
            w.ask(anna, "MODE #茶 +b r:eve"),
            [
                ":gzy.local 696 anna #茶 b r:eve :that mask has a colon in its nick, which no nick has; to mute somebody write m:nick!user@host"
            ]
        );
        assert_eq!(
            w.ask(anna, "MODE #茶 +e m:eve"),
            [":gzy.local 696 anna #茶 e m:eve :m: mutes, which only a ban can do; leave it out here"]
        );
    }

    #[test]
    fn a_full_list_takes_no_more_masks() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        for n in 0..MASKS_PER_LIST {
            w.line(anna, &format!("MODE #茶 +b eve{n}"));
        }
        w.drain();
        assert_eq!(
            w.ask(anna, "MODE #茶 +b 小阳"),
            [":gzy.local 478 anna #茶 b :that list is full (100 masks), so 小阳 did not fit; take one off first"]
        );
        assert_eq!(w.ask(anna, "MODE #茶 +e 小阳").len(), 1, "the others have room");
        assert_eq!(
            w.ask(anna, "MODE #茶 -b+b eve0 小阳"),
            [format!(":{} MODE #茶 -b+b eve0!*@* 小阳!*@*", w.source(anna))]
        );
    }

    #[test]
    fn the_banned_stay_out_the_muted_stay_silent_and_exceptions_lift_both() {
        let mut w = World::new();
        let anna = w.join("anna");
        let eve = w.join("eve");
        w.line(anna, "JOIN #茶");
        w.line(anna, "MODE #茶 +b eve");
        assert_eq!(w.ask(eve, "JOIN #茶"), [":gzy.local 474 eve #茶 :you are banned from that room"]);
        w.line(anna, "MODE #茶 -b+b eve m:eve");
        w.line(eve, "JOIN #茶");
        w.drain();
        assert_eq!(w.ask(eve, "PRIVMSG #茶 :嘿"), [":gzy.local 404 eve #茶 :you are muted there; ask an operator"]);
        w.line(anna, "MODE #茶 +e eve");
        w.drain();
        assert_eq!(w.ask(eve, "PRIVMSG #茶 :嘿"), [""; 0]);
        assert_eq!(w.said_to(anna), [format!(":{} PRIVMSG #茶 :嘿", w.source(eve))]);
    }
}

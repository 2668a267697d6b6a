//! `!ban`, `!mute` and their opposites: masks on a room's list, as MODE puts them there.

use crate::store::record::AccountId;
use crate::wire::escape::printable;
use crate::wire::mask::Mask;
use crate::wire::name::fold;

use super::super::RoomId;
use super::super::devices::ACCOUNT_HOST;
use super::super::turn::Turn;
use super::moderation::Person;
use super::parse::Rest;
use super::words::Command;
use super::{phrase, refusal};

/// What stands in front of a mask that mutes.
const MUTE_PREFIX: &str = "m:";

/// Why somebody was thrown out, for the room: it may speak either language.
const BANNED: &str = "封禁 · banned";

impl Turn<'_> {
    /// `!ban` and `!mute`: puts a mask on the room's list; who is banned is thrown out as well.
    pub(super) fn bang_forbid(&mut self, command: Command, mut rest: Rest) {
        let Some(room) = self.here() else { return };
        let Some(who) = rest.mask() else { return self.refuse_usage(command) };
        let person = self.person(who);
        let Some(mask) = self.mask_for(command, who, person.as_ref()) else { return };
        let (tongue, name) = (self.tongue(), self.name_of(room));
        let occupant = person.as_ref().and_then(|person| self.chat.occupant(room, &person.nick));
        if occupant.as_ref().is_some_and(|occupant| !self.runs_and_may_put_out(room, occupant)) {
            return;
        }
        let is_listed = self.listed(room).contains(&mask);
        if !is_listed && !self.attempt(&format!("MODE {name} +b {}", mask.as_str()), Self::mode) {
            return;
        }
        if let Some(occupant) = occupant.filter(|_| command == Command::Ban)
            && !self.attempt(&format!("KICK {name} {} :{BANNED}", occupant.nick.as_str()), Self::kick)
        {
            return;
        }
        let people = self.people_of(&mask);
        self.answer(&match (command == Command::Mute, is_listed) {
            (false, false) => phrase!(
                tongue,
                "已封 {people}；取消：！解封 {people}",
                "{people} is banned; !unban {people} takes it back"
            ),
            (true, false) => phrase!(
                tongue,
                "已禁言 {people}；取消：！解禁言 {people}",
                "{people} is muted; !unmute {people} takes it back"
            ),
            (false, true) => phrase!(tongue, "{people} 早就封了", "{people} was banned already"),
            (true, true) => phrase!(tongue, "{people} 早就禁言了", "{people} was muted already"),
        });
    }

    /// The mask for somebody who is here, or the mask that was typed; says why when there is none.
    fn mask_for(&mut self, command: Command, who: &str, person: Option<&Person>) -> Option<Mask> {
        let tongue = self.tongue();
        let people = match person {
            Some(person) if *person.source == *fold(self.session().source()) => {
                self.refuse(&phrase!(tongue, "那是你自己", "that is you yourself"));
                return None;
            }
            // An account is the same from every address.
            Some(Person { account: Some(id), .. }) => mask_of(*id),
            // Who shares an address with the asker would take the asker along.
            Some(person) if *person.cloak == *self.session().cloak() => format!("{}!*@*", person.nick),
            Some(person) => format!("*!*@{}", person.cloak),
            None if who.contains(['!', '@', '*', '?']) => who.to_owned(),
            None => {
                let who = printable(super::clip_word(who));
                self.refuse(&phrase!(
                    tongue,
                    "这里没有叫 {who} 的人；对方不在时写 {who}!*@*",
                    "nobody called {who} is here; for somebody who is away write {who}!*@*"
                ));
                return None;
            }
        };
        let prefix = if command == Command::Mute { MUTE_PREFIX } else { "" };
        match Mask::parse(&format!("{prefix}{people}")) {
            Ok(mask) if mask.mutes() == (command == Command::Mute) => Some(mask),
            Ok(_) => {
                self.refuse_usage(Command::Mute);
                None
            }
            Err(why) => {
                self.refuse(&refusal::of_mask(tongue, why));
                None
            }
        }
    }

    /// `!unban` and `!unmute`: takes off the list what was typed, and all that means somebody who is here.
    pub(super) fn bang_allow(&mut self, command: Command, mut rest: Rest) {
        let Some(room) = self.here() else { return };
        let mutes = command == Command::Unmute;
        let listed: Vec<Mask> = self.listed(room).into_iter().filter(|mask| mask.mutes() == mutes).collect();
        let Some(who) = rest.mask() else { return self.show_listed(mutes, &listed) };
        let prefix = if mutes { MUTE_PREFIX } else { "" };
        let typed = Mask::parse(&format!("{prefix}{who}")).ok();
        let person = self.person(who);
        let is_meant = |mask: &&Mask| {
            typed.as_ref() == Some(*mask) || person.as_ref().is_some_and(|person| mask.matches(&person.source))
        };
        let meant: Vec<Mask> = listed.iter().filter(is_meant).cloned().collect();
        let (tongue, name) = (self.tongue(), self.name_of(room));
        if meant.is_empty() {
            let who = printable(super::clip_word(who));
            self.refuse(&phrase!(tongue, "名单里没有 {who}", "{who} is not on the list"));
            return self.show_listed(mutes, &listed);
        }
        for mask in &meant {
            if !self.attempt(&format!("MODE {name} -b {}", mask.as_str()), Self::mode) {
                return;
            }
        }
        let head = match mutes {
            false => phrase!(tongue, "已解封：", "not banned any more: "),
            true => phrase!(tongue, "已解除禁言：", "not muted any more: "),
        };
        let people: Vec<String> = meant.iter().map(|mask| self.people_of(mask)).collect();
        self.answer_list(head, people);
    }

    fn show_listed(&mut self, mutes: bool, masks: &[Mask]) {
        let tongue = self.tongue();
        if masks.is_empty() {
            let text = match mutes {
                false => phrase!(tongue, "这里没有人被封", "nobody is banned here"),
                true => phrase!(tongue, "这里没有人被禁言", "nobody is muted here"),
            };
            return self.answer(&text);
        }
        let head = match mutes {
            false => phrase!(tongue, "被封的：", "banned: "),
            true => phrase!(tongue, "被禁言的：", "muted: "),
        };
        let people: Vec<String> = masks.iter().map(|mask| self.people_of(mask)).collect();
        self.answer_list(head, people);
    }

    /// A mask as people type it into `!ban` and `!mute`; one that means an account by its name.
    fn people_of(&self, mask: &Mask) -> String {
        let text = mask.as_str();
        let text = text.strip_prefix(MUTE_PREFIX).filter(|_| mask.mutes()).unwrap_or(text);
        let number = text.strip_prefix("*!").and_then(|rest| rest.split_once('@'));
        let number = number.filter(|(_, host)| *host == ACCOUNT_HOST).and_then(|(number, _)| number.parse().ok());
        let account = number.and_then(|number| self.chat.accounts.get(AccountId(number)));
        account.map_or(text, |account| account.name.as_str()).to_owned()
    }

    /// The room's bans and mutes.
    fn listed(&self, room: RoomId) -> Vec<Mask> {
        let bans = self.chat.rooms.get(&room).map_or(&[][..], |room| &room.bans);
        bans.iter().map(|listed| listed.mask.clone()).collect()
    }
}

/// The mask that means an account wherever it comes from, and nobody else.
fn mask_of(account: AccountId) -> String {
    format!("*!{}@{ACCOUNT_HOST}", account.0)
}

#[cfg(test)]
mod tests {
    use super::super::moderation::tests::{asked, is_inside, tea_room};

    #[test]
    fn a_ban_puts_somebody_out_and_keeps_them_out_until_it_is_taken_back() {
        let (mut w, anna, ben, eve) = tea_room();
        let mask = format!("*!*@{}", w.session(eve).cloak());
        let by = w.source(anna);
        assert_eq!(
            asked(&mut w, anna, "!ban eve"),
            [
                format!(":{by} MODE #茶 +b {mask}"),
                format!(":{by} KICK #茶 eve :封禁 · banned"),
                format!("{mask} is banned; !unban {mask} takes it back"),
            ]
        );
        assert!(!is_inside(&w, eve) && is_inside(&w, ben));
        w.line(eve, "NICK mallory");
        w.drain();
        assert_eq!(w.ask(eve, "JOIN #茶"), [":gzy.local 474 mallory #茶 :you are banned from that room"]);
        assert_eq!(asked(&mut w, anna, "！封*mallory"), [format!("{mask} 早就封了")]);
        assert_eq!(asked(&mut w, anna, "!unban"), [format!("banned: {mask}")]);
        assert_eq!(
            asked(&mut w, anna, "！解封*mallory"),
            [format!(":{by} MODE #茶 -b {mask}"), format!("已解封：{mask}")],
            "whoever is here is found by the address"
        );
        w.line(eve, "JOIN #茶");
        assert!(is_inside(&w, eve));
        assert_eq!(asked(&mut w, anna, "！解封")[1..], ["这里没有人被封"]);
    }

    #[test]
    fn who_is_away_is_banned_and_unbanned_by_a_mask() {
        let (mut w, anna, _, eve) = tea_room();
        let by = w.source(anna);
        w.lose(eve);
        w.drain();
        assert_eq!(
            asked(&mut w, anna, "!ban eve"),
            ["nobody called eve is here; for somebody who is away write eve!*@*"]
        );
        assert_eq!(asked(&mut w, anna, "！封*小王"), ["这里没有叫 小王 的人；对方不在时写 小王!*@*"]);
        assert_eq!(
            asked(&mut w, anna, "！封 eve!*@*"),
            [format!(":{by} MODE #茶 +b eve!*@*"), "已封 eve!*@*；取消：！解封 eve!*@*".to_owned()]
        );
        assert_eq!(asked(&mut w, anna, "!ban *bot*")[1], "*bot*!*@* is banned; !unban *bot*!*@* takes it back");
        assert_eq!(asked(&mut w, anna, "!unban zoe"), ["zoe is not on the list", "banned: eve!*@*, *bot*!*@*"]);
        assert_eq!(asked(&mut w, anna, "！解封*zoe"), ["名单里没有 zoe", "被封的：eve!*@*、*bot*!*@*"]);
        assert_eq!(
            asked(&mut w, anna, "!unban EVE"),
            [format!(":{by} MODE #茶 -b eve!*@*"), "not banned any more: eve!*@*".to_owned()]
        );
        assert_eq!(asked(&mut w, anna, "!unmute"), ["nobody is muted here"], "a ban is no mute");
    }

    #[test]
    fn a_mute_lets_somebody_read_but_not_speak() {
        let (mut w, anna, ben, eve) = tea_room();
        let (by, mask) = (w.source(anna), format!("*!*@{}", w.session(eve).cloak()));
        assert_eq!(
            asked(&mut w, anna, "！禁言*eve"),
            [format!(":{by} MODE #茶 +b m:{mask}"), format!("已禁言 {mask}；取消：！解禁言 {mask}")]
        );
        assert!(is_inside(&w, eve));
        w.drain();
        w.line(eve, "PRIVMSG #茶 :hey");
        assert_eq!(w.said_to(ben), [""; 0]);
        w.drain();
        assert_eq!(asked(&mut w, eve, "！人数"), ["现在 3 人"], "who is muted may still ask");
        assert_eq!(asked(&mut w, anna, "!mute eve"), [format!("{mask} was muted already")]);
        assert_eq!(asked(&mut w, anna, "！解禁言"), [format!("被禁言的：{mask}")]);
        assert_eq!(asked(&mut w, anna, "!unban eve"), ["eve is not on the list", "nobody is banned here"]);
        assert_eq!(
            asked(&mut w, anna, "！解禁言*eve"),
            [format!(":{by} MODE #茶 -b m:{mask}"), format!("已解除禁言：{mask}")]
        );
        w.drain();
        w.line(eve, "PRIVMSG #茶 :hey");
        assert_eq!(w.said_to(ben).len(), 1);
    }

    #[test]
    fn nobody_bans_themselves_nor_those_they_share_an_address_with_along() {
        let (mut w, anna, _, _) = tea_room();
        assert_eq!(asked(&mut w, anna, "!ban anna"), ["that is you yourself"]);
        assert_eq!(asked(&mut w, anna, "！禁言*Anna"), ["那是你自己"]);
        let neighbour = w.connect_from(w.session(anna).address);
        for line in ["NICK max", "USER max 0 * :max", "JOIN #茶"] {
            w.line(neighbour, line);
        }
        w.drain();
        assert_eq!(asked(&mut w, anna, "!ban max").last().unwrap(), "max!*@* is banned; !unban max!*@* takes it back");
        assert!(!is_inside(&w, neighbour));
    }

    #[test]
    fn what_can_mean_nobody_is_refused_with_a_reason() {
        let (mut w, anna, ..) = tea_room();
        let cases = [
            ("!ban", "type it like this: !ban WHO"),
            ("！禁言*", "这样写：！禁言*谁"),
            ("!ban m:eve!*@*", "type it like this: !mute WHO"),
            ("！封 a:b!*@*", "里面有冒号，名字里不会有；禁言用 ！禁言"),
            (
                "!mute a:b!*@*",
                "that mask has a colon in its nick, which no nick has; to mute somebody write m:nick!user@host",
            ),
        ];
        for (typed, answer) in cases {
            assert_eq!(asked(&mut w, anna, typed), [answer], "{typed}");
        }
        assert!(w.chat.room_named("#茶").unwrap().bans.is_empty());
    }

    #[test]
    fn a_full_list_is_said_in_words() {
        let (mut w, anna, ..) = tea_room();
        for at in 0..crate::wire::limits::MASKS_PER_LIST {
            w.line(anna, &format!("MODE #茶 +b x{at}"));
        }
        w.drain();
        let chinese = "#茶 的名单满了；先用 ！解封 或 ！解禁言 去掉一些";
        assert_eq!(asked(&mut w, anna, "！禁言*eve"), [chinese]);
        let english = "the list of #茶 is full; take some off with !unban or !unmute first";
        assert_eq!(asked(&mut w, anna, "!ban eve"), [english]);
        let list = asked(&mut w, anna, "!unban");
        assert!(list.len() > 1 && list.concat().ends_with("x99!*@*"));
    }
}

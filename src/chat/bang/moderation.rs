//! `!topic` and `!kick`, as the IRC commands that they are; who is meant by a name.

use crate::store::record::AccountId;
use crate::wire::name::fold;

use super::super::RoomId;
use super::super::devices::ACCOUNT_HOST;
use super::super::turn::Turn;
use super::dates::clock;
use super::parse::Rest;
use super::words::Command;
use super::{phrase, shown_text};

/// Somebody who is here, or has an account.
pub struct Person {
    /// The account's number.
    pub account: Option<AccountId>,
    /// The nick, as its owner wrote it.
    pub nick: String,
    /// `nick!user@host`, folded, for masks.
    pub source: Box<str>,
    /// The host part.
    pub cloak: Box<str>,
}

impl Turn<'_> {
    /// Somebody who is here or has an account, by any spelling of the nick, or by the account's number.
    pub(super) fn person(&self, name: &str) -> Option<Person> {
        let account = self.chat.accounts.meant(name).and_then(|id| Some((id, self.chat.accounts.get(id)?)));
        if let Some((id, account)) = account {
            return Some(Person {
                account: Some(id),
                nick: account.name.as_str().to_owned(),
                source: fold(&self.chat.source_of(id)),
                cloak: ACCOUNT_HOST.into(),
            });
        }
        let session = self.chat.session_named(name)?;
        Some(Person {
            account: None,
            nick: session.nick.as_str().to_owned(),
            source: fold(session.source()),
            cloak: session.cloak().into(),
        })
    }

    pub(super) fn bang_topic(&mut self, rest: Rest) {
        let Some(room) = self.here() else { return };
        let text = rest.text();
        if text.is_empty() {
            return self.bang_show_topic(room);
        }
        let name = self.name_of(room);
        self.attempt(&format!("TOPIC {name} :{text}"), Self::topic);
    }

    fn bang_show_topic(&mut self, id: RoomId) {
        let tongue = self.tongue();
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let text = match &room.topic {
            None => phrase!(tongue, "还没有主题；！主题*内容 写一个", "there is no topic yet; !topic TEXT sets one"),
            Some(topic) => {
                let by = topic.by.split('!').next().unwrap_or("*");
                let at = clock(topic.at_ms, self.now.wall_ms, self.chat.settings.utc_offset_secs);
                let text = shown_text(&topic.text);
                phrase!(tongue, "主题：{text}（{by}，{at}）", "topic: {text} ({by}, {at})")
            }
        };
        self.answer(&text);
    }

    pub(super) fn bang_kick(&mut self, mut rest: Rest) {
        let Some(room) = self.here() else { return };
        let Some(who) = rest.word() else { return self.refuse_usage(Command::Kick) };
        let Some(person) = self.person(who) else { return self.refuse_nobody(who) };
        let (room, nick, reason) = (self.name_of(room), person.nick, rest.text());
        let reason = if reason.is_empty() { String::new() } else { format!(" :{reason}") };
        self.attempt(&format!("KICK {room} {nick}{reason}"), Self::kick);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::super::ConnId;
    use super::super::super::testing::World;

    /// `#茶`, run by anna, with ben and eve in it; dora is on the server only.
    pub fn tea_room() -> (World, ConnId, ConnId, ConnId) {
        let mut w = World::new();
        let [anna, ben, eve, _] = ["anna", "ben", "eve", "dora"].map(|nick| w.join(nick));
        for conn in [anna, ben, eve] {
            w.line(conn, "JOIN #茶");
        }
        w.drain();
        (w, anna, ben, eve)
    }

    /// What anna and the others are told in `#茶`, without what all answers begin with.
    pub fn asked(w: &mut World, who: ConnId, text: &str) -> Vec<String> {
        let lines = w.ask(who, &format!("PRIVMSG #茶 :{text}"));
        lines.iter().map(|line| line.strip_prefix(":gzy.local NOTICE #茶 :").unwrap_or(line).to_owned()).collect()
    }

    /// Whether somebody is in `#茶`.
    pub fn is_inside(w: &World, who: ConnId) -> bool {
        w.chat.room_named("#茶").unwrap().standing(who).is_some()
    }

    #[test]
    fn the_topic_is_shown_and_set() {
        let (mut w, anna, ben, _) = tea_room();
        assert_eq!(asked(&mut w, ben, "！主题"), ["还没有主题；！主题*内容 写一个"]);
        assert_eq!(asked(&mut w, ben, "!topic"), ["there is no topic yet; !topic TEXT sets one"]);
        let told = [format!(":{} TOPIC #茶 :今晚 8 点*准时*", w.source(anna))];
        assert_eq!(asked(&mut w, anna, "！主题*今晚 8 点*准时*"), told);
        assert_eq!(w.said_to(ben), told);
        assert_eq!(asked(&mut w, ben, "！主题"), ["主题：今晚 8 点*准时*（anna，21:19）"]);
        assert_eq!(asked(&mut w, ben, "!topic"), ["topic: 今晚 8 点*准时* (anna, 21:19)"]);
    }

    #[test]
    fn members_are_refused_in_the_language_of_the_command() {
        let (mut w, anna, ben, eve) = tea_room();
        let chinese = "只有 #茶 的管理员能这样做；！用户 里名字前有 @ 的就是";
        let english = "only operators of #茶 may do that; !users marks them with @";
        for (typed, answer) in [
            ("！主题*嘿", chinese),
            ("!topic hey", english),
            ("！踢*anna", chinese),
            ("!kick anna", english),
            ("！封*anna", chinese),
            ("!ban x!*@*", english),
            ("！禁言*anna", chinese),
            ("!mute anna", english),
        ] {
            assert_eq!(asked(&mut w, ben, typed), [answer], "{typed}");
        }
        asked(&mut w, anna, "!ban x!*@*");
        w.drain();
        assert_eq!(asked(&mut w, ben, "!unban x!*@*"), [english]);
        assert!(is_inside(&w, anna) && w.chat.room_named("#茶").unwrap().bans.len() == 1);
        assert_eq!((w.said_to(anna), w.said_to(eve)), (vec![], vec![]), "only the asker hears of it");
    }

    #[test]
    fn somebody_is_kicked_with_words() {
        let (mut w, anna, ben, eve) = tea_room();
        let told = [format!(":{} KICK #茶 eve :太吵 了", w.source(anna))];
        assert_eq!(asked(&mut w, anna, "！踢*EVE*太吵 了"), told);
        assert_eq!(w.said_to(ben), told);
        assert_eq!(w.said_to(eve), told);
        assert!(!is_inside(&w, eve));
        assert_eq!(asked(&mut w, anna, "!kick eve"), ["eve is not in #茶"]);
        assert_eq!(asked(&mut w, anna, "！踢*dora"), ["dora 不在 #茶 里"]);
        assert_eq!(asked(&mut w, anna, "!kick zoe"), ["nobody called zoe is here"]);
        assert_eq!(asked(&mut w, anna, "！踢 :zoe"), ["这里没有叫 :zoe 的人"]);
        assert_eq!(asked(&mut w, anna, "!kick"), ["type it like this: !kick WHO [REASON]"]);
        assert_eq!(asked(&mut w, anna, "！踢"), ["这样写：！踢*谁[*原因]"]);
    }
}

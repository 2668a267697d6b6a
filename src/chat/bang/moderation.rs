//! `!topic`, `!kick`, `!ban`, `!mute` and their opposites, as the IRC commands that they are.

use crate::wire::escape::printable;
use crate::wire::mask::Mask;
use crate::wire::name::fold;

use super::super::turn::Turn;
use super::super::{ConnId, RoomId};
use super::dates::clock;
use super::parse::Rest;
use super::words::Command;
use super::{phrase, refusal, shown_text};

/// What stands in front of a mask that mutes.
const MUTE_PREFIX: &str = "m:";

/// Why somebody was thrown out, for the room: it may speak either language.
const BANNED: &str = "封禁 · banned";

/// Somebody who is here.
struct Person {
    conn: ConnId,
    nick: String,
    source: Box<str>,
    cloak: Box<str>,
}

impl Turn<'_> {
    fn person(&self, name: &str) -> Option<Person> {
        let session = self.chat.session_named(name)?;
        Some(Person {
            conn: session.conn,
            nick: session.nick.as_str().to_owned(),
            source: fold(&session.source()),
            cloak: session.cloak.clone(),
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

    /// `!ban` and `!mute`: puts a mask on the room's list; who is banned is thrown out as well.
    pub(super) fn bang_forbid(&mut self, command: Command, mut rest: Rest) {
        let Some(room) = self.here() else { return };
        let Some(who) = rest.mask() else { return self.refuse_usage(command) };
        let person = self.person(who);
        let Some(mask) = self.mask_for(command, who, person.as_ref()) else { return };
        let (tongue, name) = (self.tongue(), self.name_of(room));
        let is_listed = self.listed(room).contains(&mask);
        if !is_listed && !self.attempt(&format!("MODE {name} +b {}", mask.as_str()), Self::mode) {
            return;
        }
        let member = person.filter(|person| self.chat.members(room).iter().any(|member| member.conn == person.conn));
        if let Some(person) = member.filter(|_| command == Command::Ban)
            && !self.attempt(&format!("KICK {name} {} :{BANNED}", person.nick), Self::kick)
        {
            return;
        }
        let people = people_of(&mask);
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
            Some(person) if person.conn == self.me => {
                self.refuse(&phrase!(tongue, "那是你自己", "that is you yourself"));
                return None;
            }
            // Who shares an address with the asker would take the asker along.
            Some(person) if person.cloak == self.session().cloak => format!("{}!*@*", person.nick),
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
        self.answer_list(head, meant.iter().map(people_of));
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
        self.answer_list(head, masks.iter().map(people_of));
    }

    /// The room's bans and mutes.
    fn listed(&self, room: RoomId) -> Vec<Mask> {
        let bans = self.chat.rooms.get(&room).map_or(&[][..], |room| &room.bans);
        bans.iter().map(|listed| listed.mask.clone()).collect()
    }
}

/// A mask as people type it into `!ban` and `!mute`.
fn people_of(mask: &Mask) -> String {
    let text = mask.as_str();
    text.strip_prefix(MUTE_PREFIX).filter(|_| mask.mutes()).unwrap_or(text).to_owned()
}

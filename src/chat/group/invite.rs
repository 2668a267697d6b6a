//! Invitations to a group: they wait for an account until it comes, declines, or the group is no more.

use std::rc::Rc;

use crate::store::change::Change;
use crate::store::record::AccountId;
use crate::wire::caps::Caps;
use crate::wire::event::Event;
use crate::wire::limits::{INVITATIONS_PER_ACCOUNT, INVITATIONS_PER_GROUP};
use crate::wire::reply::*;

use super::super::turn::Turn;
use super::super::{Audience, Effect, Room, RoomId, SERVER_NAME};
use super::{Invited, Refused};

/// What the inviter is told when the other is not here.
const WAITS: &str = "不在线，上线时会看到邀请 · not here right now; the invitation waits for the next login";

impl Turn<'_> {
    /// Why this session may not invite anybody to a group.
    pub(in crate::chat) fn bars_inviting(&self, room: &Room) -> Option<Refused> {
        let me = self.session();
        if me.operator {
            return None;
        }
        match room.seat(me.account_id()) {
            None => Some(Refused::NotMember),
            Some(seat) => (room.is_closed() && !seat.standing.runs()).then_some(Refused::NotOperator),
        }
    }

    /// Why an account cannot be invited to a group.
    fn bars_invitation_of(&self, room: &Room, account: AccountId) -> Option<Refused> {
        let group = room.group.as_ref()?;
        let waiting = self.chat.accounts.get(account).map_or(0, |account| account.invited.len());
        if self.session().account_id() == Some(account) && room.keeps(Some(account)) {
            Some(Refused::Yourself)
        } else if room.keeps(Some(account)) {
            Some(Refused::IsMember)
        } else if room.ban_on_source(&self.chat.source_of(account), false).is_some() {
            Some(Refused::IsBanned)
        } else if group.has_invited(account) {
            Some(Refused::IsInvited)
        } else if waiting >= INVITATIONS_PER_ACCOUNT {
            Some(Refused::InvitedMuch)
        } else {
            (group.invited.len() >= INVITATIONS_PER_GROUP).then_some(Refused::InvitesMany)
        }
    }

    /// Invites an account to a group, here or away.
    pub(in crate::chat) fn invite_account(&mut self, id: RoomId, account: AccountId) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let Some(entry) = self.chat.accounts.get(account) else { return };
        let (name, nick, devices) = (room.name.as_str().to_owned(), entry.name.clone(), entry.devices.clone());
        if let Some(why) = self.bars_invitation_of(room, account) {
            let params = match why {
                Refused::IsMember => vec![nick.as_str(), &name],
                _ => vec![name.as_str()],
            };
            return self.refuse_group(&why, &params);
        }
        self.keep_invitation(id, account);
        self.bare_numeric(RPL_INVITING, &[nick.as_str(), &name]);
        match devices.first().and_then(|lead| self.chat.session(*lead)) {
            Some(lead) => {
                if let Some(reason) = lead.away.clone() {
                    self.numeric(RPL_AWAY, &[nick.as_str()], &reason);
                }
            }
            None => self.numeric(RPL_AWAY, &[nick.as_str()], WAITS),
        }
        let by = self.session().account_name().unwrap_or("*").to_owned();
        for device in devices {
            self.chat.turn(device, self.now, self.effects, |turn| turn.show_invitation(id, &by));
        }
        let event = Rc::new(self.my_event(format_args!("INVITE {} {name}", nick.as_str()), None));
        let to = self.who_else_may_invite(id);
        if !to.is_empty() {
            self.effects.push(Effect::ToEach { to, only: Audience::with(Caps::INVITE_NOTIFY), event });
        }
    }

    fn keep_invitation(&mut self, id: RoomId, account: AccountId) {
        let by: Box<str> = self.session().account_name().unwrap_or("*").into();
        let at_ms = self.now.wall_ms;
        let Some(group) = self.chat.rooms.get_mut(&id).and_then(|room| room.group.as_mut()) else { return };
        group.invited.push(Invited { account, by: by.clone(), at_ms });
        let group = group.id;
        self.chat.accounts.get_mut(account).into_iter().for_each(|account| account.invited.push(id));
        self.record(Change::Invited { group, account, by: Some((by, at_ms)) });
    }

    /// Takes an invitation back, or notes that it was answered.
    pub(super) fn drop_invitation(&mut self, id: RoomId, account: AccountId) {
        let Some(group) = self.chat.rooms.get_mut(&id).and_then(|room| room.group.as_mut()) else { return };
        if !group.has_invited(account) {
            return;
        }
        group.invited.retain(|invited| invited.account != account);
        let group = group.id;
        self.chat.accounts.get_mut(account).into_iter().for_each(|account| account.invited.retain(|room| *room != id));
        self.record(Change::Invited { group, account, by: None });
    }

    /// Shows this session all invitations that wait for its account.
    pub(in crate::chat) fn show_waiting_invitations(&mut self) {
        let Some(account) = self.session().account_id() else { return };
        let rooms = self.chat.accounts.get(account).map_or_else(Vec::new, |account| account.invited.clone());
        for id in rooms {
            let group = self.chat.rooms.get(&id).and_then(|room| room.group.as_ref());
            let invited = group.and_then(|group| group.invited.iter().find(|invited| invited.account == account));
            if let Some(by) = invited.map(|invited| invited.by.clone()) {
                self.show_invitation(id, &by);
            }
        }
    }

    /// An invitation, as a line for programs and as sentences that say how to answer.
    fn show_invitation(&mut self, id: RoomId, by: &str) {
        let Some(room) = self.chat.rooms.get(&id) else { return };
        let (name, number) = (room.name.as_str().to_owned(), room.group.as_ref().map_or(0, |group| group.id.0));
        let source = self.chat.accounts.meant(by).map_or(SERVER_NAME.to_owned(), |by| self.chat.source_of(by));
        let head = format!(":{source} INVITE {} {name}", self.session().nick.as_str());
        self.reply_event(&Event::plain(self.now.wall_ms, head, None), "");
        self.server_notice(&format!("{by} 邀请你加入群 {name}：！加群*{number} 加入，！拒绝*{number} 谢绝"));
        self.server_notice(&format!(
            "{by} invites you to the group {name}: !join {number} accepts, !decline {number} declines"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::ConnId;
    use super::super::super::testing::World;
    use super::*;

    /// `#茶`, which is anna's, with ben; 小阳 has an account and is away.
    fn tea() -> (World, ConnId, ConnId) {
        let mut w = World::new();
        let [anna, ben, 小阳] = ["anna", "ben", "小阳"].map(|name| w.member(name));
        w.line(anna, "JOIN #茶");
        w.line(ben, "JOIN #茶");
        w.lose(小阳);
        w.drain();
        (w, anna, ben)
    }

    fn invitation(w: &World, by: ConnId) -> [String; 3] {
        let nick = w.session(by).nick.as_str();
        [
            format!(":{} INVITE 小阳 #茶", w.source(by)),
            format!(":gzy.local NOTICE 小阳 :{nick} 邀请你加入群 #茶：！加群*1000 加入，！拒绝*1000 谢绝"),
            format!(
                ":gzy.local NOTICE 小阳 :{nick} invites you to the group #茶: !join 1000 accepts, !decline 1000 declines"
            ),
        ]
    }

    #[test]
    fn somebody_away_is_shown_the_invitation_at_each_login_until_it_is_answered() {
        let (mut w, anna, ben) = tea();
        assert_eq!(
            w.ask(ben, "INVITE 1002 #1000"),
            [":gzy.local 341 ben 小阳 #茶".to_owned(), format!(":gzy.local 301 ben 小阳 :{WAITS}")],
            "in a public group every member may"
        );
        w.line(anna, "MODE #茶 +is");
        w.save();
        let (told, mut w) = (invitation(&w, ben), w.restarted());
        let phone = w.come_in("小阳", "");
        let lines = w.said_to(phone);
        assert_eq!(lines[lines.len() - 3..], told);
        let laptop = w.come_in("小阳", "");
        let lines = w.said_to(laptop);
        assert_eq!(lines[lines.len() - 3..], told);
        let anna = w.member("anna");
        assert_eq!(
            w.ask(laptop, "PRIVMSG #lobby :!groups"),
            [
                ":gzy.local NOTICE #lobby :you are in no group yet; !create NAME makes one",
                ":gzy.local NOTICE #lobby :ben invites you to #茶: !join 1000 accepts, !decline 1000 declines",
            ]
        );
        assert_eq!(w.ask(phone, "INVITE")[0], ":gzy.local 336 小阳 #茶");
        w.drain();
        let joined = w.ask(phone, "PRIVMSG #lobby :！加群*1000");
        assert_eq!(joined.last().unwrap(), ":gzy.local NOTICE #lobby :你是 #茶 的成员了");
        assert_eq!(w.said_to(anna), [format!(":{} JOIN #茶", w.source(phone))]);
        assert!(w.said_to(laptop).contains(&format!(":{} JOIN #茶", w.source(phone))), "on all devices");
        assert_eq!(w.ask(phone, "INVITE"), [":gzy.local 337 小阳 :End of /INVITE list"]);
        w.save();
        let mut w = w.restarted();
        let phone = w.come_in("小阳", "");
        assert!(w.said_to(phone).iter().all(|line| !line.contains(" INVITE ")), "it is consumed");
        assert_eq!(w.session(phone).rooms.len(), 2);
    }

    #[test]
    fn somebody_here_sees_it_at_once_on_all_devices_and_may_decline() {
        let (mut w, anna, ben) = tea();
        let devices = ["小阳", "小阳"].map(|name| w.member(name));
        w.drain();
        assert_eq!(
            w.ask(anna, "PRIVMSG #茶 :！邀请*小阳"),
            [":gzy.local 341 anna 小阳 #茶", ":gzy.local NOTICE #茶 :已经邀请 小阳 加入 #茶"]
        );
        for device in devices {
            assert_eq!(w.said_to(device), invitation(&w, anna));
        }
        assert_eq!(w.said_to(ben), [""; 0]);
        assert_eq!(w.ask(devices[0], "PRIVMSG #lobby :！拒绝*1000"), [":gzy.local NOTICE #lobby :已经谢绝 #茶 的邀请"]);
        assert_eq!(
            w.ask(devices[1], "PRIVMSG #lobby :!decline 茶"),
            [":gzy.local NOTICE #lobby :nobody has invited you to that group; !groups lists your invitations"]
        );
        w.save();
        assert!(w.kept.directory.groups[0].invited.is_empty());
    }

    #[test]
    fn who_cannot_be_invited_is_said_with_the_reason() {
        let (mut w, anna, ben) = tea();
        let (dora, eve) = (w.member("dora"), w.join("eve"));
        w.line(anna, "INVITE 小阳 #茶");
        w.line(anna, "MODE #茶 +b *!1003@*");
        w.drain();
        let yourself = "that is you yourself; to leave a group, say PART or !leave";
        let banned = "they are banned from that group; take the ban back first (!unban)";
        let invited = "they are invited already; the invitation waits for them";
        for (who, line, answer) in [
            (anna, "INVITE anna #茶", format!("400 anna #茶 :{yourself}")),
            (anna, "INVITE ben #茶", "443 anna ben #茶 :is a member of that group already".into()),
            (anna, "INVITE dora #茶", format!("474 anna #茶 :{banned}")),
            (anna, "INVITE 小阳 #茶", format!("400 anna #茶 :{invited}")),
            (anna, "INVITE 9999 #茶", "401 anna 9999 :nobody of that name is here".into()),
            (anna, "INVITE ben #9999", "403 anna #9999 :there is no such room".into()),
            (dora, "INVITE 小阳 #茶", "442 dora #茶 :you are not in that room".into()),
        ] {
            assert_eq!(w.ask(who, line), [format!(":gzy.local {answer}")], "{line}");
        }
        w.line(eve, "JOIN #茶");
        w.drain();
        let member = "only members of that group invite to it; JOIN it first";
        assert_eq!(w.ask(eve, "INVITE dora #茶"), [format!(":gzy.local 442 eve #茶 :{member}")]);
        w.line(anna, "MODE #茶 +i");
        w.drain();
        let operators = "only the owner and the operators invite to that group; ask one of them";
        assert_eq!(w.ask(ben, "INVITE eve #茶"), [format!(":gzy.local 482 ben #茶 :{operators}")]);
        assert_eq!(
            w.ask(ben, "PRIVMSG #茶 :！邀请*dora"),
            [":gzy.local NOTICE #茶 :这个群只有群主和管理员能邀请；请他们帮忙"]
        );
        assert_eq!(
            w.ask(ben, "PRIVMSG #茶 :!invite"),
            [":gzy.local NOTICE #茶 :type it like this: !invite WHO [GROUP]"]
        );
        assert_eq!(
            w.ask(ben, "PRIVMSG #茶 :!invite dora 4444"),
            [":gzy.local NOTICE #茶 :there is no such group; !groups lists yours, LIST the public ones"]
        );
    }

    #[test]
    fn nobody_is_buried_in_invitations() {
        let (mut w, anna, ben) = tea();
        for n in 0..INVITATIONS_PER_ACCOUNT {
            let maker = if n < 15 { anna } else { ben };
            w.line(maker, &format!("JOIN #水{n}"));
            w.line(maker, &format!("INVITE 小阳 #水{n}"));
        }
        w.drain();
        assert_eq!(
            w.ask(anna, "INVITE 小阳 #茶"),
            [":gzy.local 400 anna #茶 :20 invitations wait for them already; they have to answer some first"]
        );
        let 小阳 = w.come_in("小阳", "");
        assert_eq!(w.said_to(小阳).iter().filter(|line| line.contains(" INVITE ")).count(), INVITATIONS_PER_ACCOUNT);
    }
}

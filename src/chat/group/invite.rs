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

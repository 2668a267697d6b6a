//! Why something about a group is not done, in both languages.

use crate::wire::limits::{
    GROUPS_PER_ACCOUNT, GROUPS_PER_OWNER, INVITATIONS_PER_ACCOUNT, INVITATIONS_PER_GROUP, MEMBERS_PER_GROUP,
};
use crate::wire::reply::*;

use super::super::bang::Tongue;
use super::super::turn::Turn;

/// Why not. A sentence names the next step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// Only accounts make groups.
    Guest,
    /// Only accounts come into closed groups.
    Stranger,
    /// The name is a number.
    OnlyDigits,
    /// The name could be taken for that of this room.
    LooksLike(Box<str>),
    /// There is a room of that name.
    Taken,
    /// One owns enough of them.
    OwnsMany,
    /// One is a member of enough of them.
    JoinedMany,
    /// The server has enough of them.
    Many,
    /// It has enough members.
    Full,
    /// There is none, or none that the asker may know of.
    NoGroup,
    /// That room is no group.
    NotAGroup,
    /// It is for the owner to do.
    NotOwner,
    /// The other has the same rank, or a higher one.
    Outranked,
    /// One does not kick oneself.
    Yourself,
    /// Somebody without an account cannot run a group.
    GuestOperator,
    /// A group has an owner at all times.
    NeedsOwner,
    /// Whoever asks others to come has to be a member.
    NotMember,
    /// It is for the owner and the operators to ask somebody into a closed group.
    NotOperator,
    /// They are a member already.
    IsMember,
    /// They are banned there.
    IsBanned,
    /// They are asked already.
    IsInvited,
    /// Too many invitations wait for them.
    InvitedMuch,
    /// Too many invitations of the group wait.
    InvitesMany,
    /// Nobody has asked them.
    NotInvited,
}

impl Refused {
    fn code(&self) -> Numeric {
        match self {
            Refused::Guest | Refused::Stranger => ERR_NEEDREGGEDNICK,
            Refused::OnlyDigits | Refused::LooksLike(_) | Refused::Taken => ERR_BADCHANMASK,
            Refused::OwnsMany | Refused::JoinedMany | Refused::Many => ERR_TOOMANYCHANNELS,
            Refused::Full => ERR_CHANNELISFULL,
            Refused::NoGroup | Refused::NotAGroup => ERR_NOSUCHCHANNEL,
            Refused::NotOwner | Refused::Outranked | Refused::NotOperator => ERR_CHANOPRIVSNEEDED,
            Refused::NotMember => ERR_NOTONCHANNEL,
            Refused::IsMember => ERR_USERONCHANNEL,
            Refused::IsBanned => ERR_BANNEDFROMCHAN,
            Refused::Yourself
            | Refused::GuestOperator
            | Refused::NeedsOwner
            | Refused::IsInvited
            | Refused::InvitedMuch
            | Refused::InvitesMany
            | Refused::NotInvited => ERR_UNKNOWNERROR,
        }
    }

    fn english(&self) -> String {
        match self {
            Refused::Guest => "groups are made by people with an account; !register NAME PASSWORD makes one".into(),
            Refused::Stranger => "that group is for its members; log in, and let one of them invite you".into(),
            Refused::OnlyDigits => "that name is a number, which would be a group's id; add a letter".into(),
            Refused::LooksLike(name) => format!("that name looks like {name}, which is there already; choose another"),
            Refused::Taken => "there is a room of that name; choose another, or wait until it is empty".into(),
            Refused::OwnsMany => {
                format!("you own {GROUPS_PER_OWNER} groups, and that is enough; end one, or give one away")
            }
            Refused::JoinedMany => {
                format!("you are in {GROUPS_PER_ACCOUNT} groups, and that is enough; leave one first")
            }
            Refused::Many => "there are too many groups on this server; tell the host".into(),
            Refused::Full => format!("that group has {MEMBERS_PER_GROUP} members, and that is enough; ask its owner"),
            Refused::NoGroup => "there is no such group; !groups lists yours, LIST the public ones".into(),
            Refused::NotAGroup => "that room is no group, so it has no members and no owner; !create makes one".into(),
            Refused::NotOwner => "only the owner of that group may do that (~ in NAMES)".into(),
            Refused::Outranked => "nobody puts out the owner, and only the owner an operator".into(),
            Refused::Yourself => "that is you yourself; to leave a group, say PART or !leave".into(),
            Refused::GuestOperator => "only people with an account run a group; they have to register first".into(),
            Refused::NeedsOwner => "a group has an owner at all times; MODE +q gives it to somebody else".into(),
            Refused::NotMember => "only members of that group invite to it; JOIN it first".into(),
            Refused::NotOperator => "only the owner and the operators invite to that group; ask one of them".into(),
            Refused::IsMember => "is a member of that group already".into(),
            Refused::IsBanned => "they are banned from that group; take the ban back first (!unban)".into(),
            Refused::IsInvited => "they are invited already; the invitation waits for them".into(),
            Refused::InvitedMuch => {
                format!("{INVITATIONS_PER_ACCOUNT} invitations wait for them already; they have to answer some first")
            }
            Refused::InvitesMany => {
                format!("{INVITATIONS_PER_GROUP} invitations to that group wait for an answer; that is enough for now")
            }
            Refused::NotInvited => "nobody has invited you to that group; !groups lists your invitations".into(),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Refused::Guest => "有账号的人才能建群；！注册*名字*密码 可以注册一个".into(),
            Refused::Stranger => "这个群只让成员进；先登录，再请群里的人邀请你".into(),
            Refused::OnlyDigits => "群名全是数字，会和群号混淆；加一个字".into(),
            Refused::LooksLike(name) => format!("这个名字太像已有的 {name}；换一个"),
            Refused::Taken => "已经有这个名字的房间；换一个名字，或者等它空了再建".into(),
            Refused::OwnsMany => format!("你已经有 {GROUPS_PER_OWNER} 个群，够多了；先解散或转让一个"),
            Refused::JoinedMany => format!("你已经在 {GROUPS_PER_ACCOUNT} 个群里，够多了；先退一个"),
            Refused::Many => "这台服务器上的群太多了；告诉主人".into(),
            Refused::Full => format!("这个群已经有 {MEMBERS_PER_GROUP} 人，够多了；找群主商量"),
            Refused::NoGroup => "没有这个群；！群列表 列出你的群".into(),
            Refused::NotAGroup => "这个房间不是群，没有成员和群主；用 ！创建群 建一个".into(),
            Refused::NotOwner => "只有群主能这样做；！用户 里名字前有 ~ 的就是".into(),
            Refused::Outranked => "群主谁也请不出去，管理员只有群主能请出去".into(),
            Refused::Yourself => "那是你自己；想走就用 ！退群".into(),
            Refused::GuestOperator => "有账号的人才能管群；请对方先注册".into(),
            Refused::NeedsOwner => "群不能没有群主；用 ！转让 交给别人".into(),
            Refused::NotMember => "只有群里的人能邀请；你先加群".into(),
            Refused::NotOperator => "这个群只有群主和管理员能邀请；请他们帮忙".into(),
            Refused::IsMember => "对方已经在群里了".into(),
            Refused::IsBanned => "对方被这个群封了；先 ！解封".into(),
            Refused::IsInvited => "已经邀请过了，对方还没有回答".into(),
            Refused::InvitedMuch => format!("对方已经有 {INVITATIONS_PER_ACCOUNT} 个邀请没有回答；等对方先回答几个"),
            Refused::InvitesMany => format!("这个群有 {INVITATIONS_PER_GROUP} 个邀请没有回答；先等等"),
            Refused::NotInvited => "没有人邀请你进这个群；！群列表 里有你收到的邀请".into(),
        }
    }

    /// The sentence, in one language.
    pub fn sentence(&self, tongue: Tongue) -> String {
        if tongue == Tongue::Chinese { self.chinese() } else { self.english() }
    }
}

impl Turn<'_> {
    /// Says no: in the language of the `!` command, or with a numeric and `params`.
    pub(in crate::chat) fn refuse_group(&mut self, why: &Refused, params: &[&str]) {
        if !self.refused_as(|tongue| why.sentence(tongue)) {
            self.numeric(why.code(), params, &why.english());
        }
    }
}

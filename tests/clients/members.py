"""People with accounts at programs that nobody here wrote: SASL, groups, invitations, what was said while they were away."""

from stage import Missed

PASSWORD = "芝麻芝麻开门"
# Those that can log in by SASL.
PROGRAMS = ["irssi", "weechat", "library"]
GROUP = "#茶馆"


def who_logs_in_is_who_they_say(stage, name):
    yang, member = stage.yang(), stage.member(name)
    stage.server.logged(f"{member.nick} logs in as account 1000")
    yang.sees(f"欢迎 {member.nick}")
    # The name is taken by now, so only the password gives it to a second device.
    second = stage.member("weechat", member.nick)
    yang.say("两台设备都听见了吗？")
    for device in (member, second):
        device.hears(yang, "两台设备都听见了吗？")
    member.say("都听见了")
    yang.hears(member, "都听见了")
    impostor = stage.guest("nc")
    impostor.tell(member, "你好，哪位？")
    for device in (member, second):
        device.hears_alone(impostor, "你好，哪位？")


def one_account_at_two_programs_sees_what_either_says(stage):
    yang, phone = stage.yang(), stage.member("irssi")
    laptop = stage.member("weechat", phone.nick)
    phone.say("手机上说的话")
    laptop.sees(phone.nick, "手机上说的话")
    laptop.say("电脑上说的话")
    phone.sees(phone.nick, "电脑上说的话")
    for text in ("手机上说的话", "电脑上说的话"):
        yang.hears(phone, text)
    # One person: who came in once and left once, with the last device.
    laptop.leave()
    phone.say("手机还在")
    yang.hears(phone, "手机还在")
    phone.leave()
    yang.sees(f"{phone.nick} 离开了")
    for event in (f"欢迎 {phone.nick}", f"{phone.nick} 离开了"):
        shown = [line for line in yang.screen().splitlines() if event in line]
        if len(shown) != 1:
            raise Missed(f"{yang.nick} should see {event} once, but sees:\n{yang.screen()}")


def a_private_group_takes_in_those_who_were_away(stage):
    owner, eve = stage.member("irssi"), stage.eve()
    stage.has_account("阿明")
    stage.has_account("李雷")
    owner.say("!create 茶馆 private")
    owner.sees("the group", GROUP, "is made, its id is 1000")
    for guest in ("阿明", "李雷"):
        owner.say(f"!invite {guest} 1000")
        owner.sees(f"{guest} is invited to", GROUP)
    ming, lei = stage.member("weechat"), stage.member("library")
    for guest in (ming, lei):
        guest.sees(owner.nick, "invites you to the group", GROUP, "!join 1000 accepts")
        guest.say("!join 1000")
        guest.sees("you are a member of", GROUP)
    owner.say(f"/msg {GROUP} 这里只有我们三个")
    for guest in (ming, lei):
        guest.hears_in(GROUP, owner, "这里只有我们三个")
    ming.leave()
    # The membership stands; only the lobby is left.
    owner.sees(ming.nick, "has left", owner.room)
    owner.say(f"/msg {GROUP} 阿明走了，说说他的礼物")
    owner.tell(ming, "明天早点来")
    lei.hears_in(GROUP, owner, "阿明走了，说说他的礼物")
    again = stage.member("weechat")
    # A program that knows nothing of groups is brought into the room, and shown what was said there.
    again.hears_in(GROUP, owner, "阿明走了，说说他的礼物")
    again.hears_alone(owner, "明天早点来")
    owner.say(f"/msg {GROUP} 欢迎回来")
    again.hears_in(GROUP, owner, "欢迎回来")
    # Not in the group, so not in its talk.
    eve.room = GROUP
    eve.say("让我进来！")
    eve.sees(" 404 ")
    eve.room = owner.room
    eve.say("没人理我")
    lei.hears(eve, "没人理我")
    if eve.overheard("礼物") or eve.overheard("三个"):
        raise Missed(f"eve should not hear the group, but she sees:\n{eve.screen()}")


def membership_is_there_after_a_pulled_plug(stage):
    ming, lei, eve = stage.member("weechat"), stage.member("library"), stage.eve()
    ming.say("!create 茶馆")
    ming.sees("the group", GROUP, "is made")
    lei.say("!join 1000")
    lei.sees("you are a member of", GROUP)
    ming.leave()
    lei.say("说一句再拔电源")
    eve.hears(lei, "说一句再拔电源")
    # Its receipt comes when all before it is on the disk, too.
    stage.script_says("收到了吗？")
    stage.server.pull_the_plug()
    again, other = stage.member("weechat"), stage.member("library")
    for guest in (again, other):
        guest.say("!groups")
        guest.sees("1000", GROUP, "2 of 2 here", "owner" if guest is again else "member")
    again.sees(lei.nick, "说一句再拔电源")


WITH_EACH = [who_logs_in_is_who_they_say]
TESTS = [
    one_account_at_two_programs_sees_what_either_says,
    a_private_group_takes_in_those_who_were_away,
    membership_is_there_after_a_pulled_plug,
]

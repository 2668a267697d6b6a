"""What people with accounts meet at `gzy client` in a terminal: registering, several devices, private talk with somebody who is away. All in Chinese."""

import os

from stage import Missed, until
from starts import Home

PASSWORD = "开门开门开门"


class Member:
    """Somebody with an account, at a terminal of their own."""

    def __init__(self, stage, name, home=None):
        self.name, self._home = name, home or Home(stage)
        self._address = stage.door.for_gzy()

    def registers(self):
        """Starts `gzy client` and makes the account there; wants to be asked again the next time."""
        screen = self._home.starts(*self._address, "--account", self.name)
        answers(screen, f"{self.name} 的密码：", PASSWORD)
        answers(screen, "现在注册吗？", "y")
        answers(screen, f"给 {self.name} 设一个密码", PASSWORD)
        answers(screen, "再输入一遍：", PASSWORD)
        screen.sees(f"注册成功：{self.name}，编号 1")
        answers(screen, f"下次自动登录 {self.name} 吗？", "n")
        self.is_in(screen)
        return screen

    def logs_in(self, name=None):
        """Starts `gzy client` on a device that knows nothing."""
        screen = self._home.starts(*self._address, "--account", name or self.name)
        answers(screen, "的密码：", PASSWORD)
        answers(screen, f"下次自动登录 {self.name} 吗？", "n")
        self.is_in(screen)
        return screen

    def is_in(self, screen):
        """Waits until the person is in the lobby, under their name."""
        screen.sees(f"你是 {self.name}")
        bottom_is(screen, lambda last: "大厅(" in last, "the lobby")


def bottom(screen):
    """The last row."""
    rows = [row for row in screen.tmux.rows() if row]
    return rows[-1] if rows else ""


def bottom_is(screen, fits, what):
    """Waits until the last row fits."""
    until(lambda: fits(bottom(screen)), f"there should be at the bottom {what}", screen.screen)


def answers(screen, question, answer):
    """Waits for a question in the last row, and answers it."""
    bottom_is(screen, lambda last: question in last, question)
    screen.says(answer)


def shows_once(screen, text):
    """Exactly one row shows the text."""
    rows = [row for row in screen.tmux.rows() if text in row]
    if len(rows) != 1:
        raise Missed(f"there should be one row with {text}, but there is:\n{screen.screen()}")


def somebody_registers_and_nobody_sees_the_password(stage):
    yang = Member(stage, "小阳").registers()
    yang.says("大家好")
    yang.sees("小阳: 大家好")
    if PASSWORD in yang.sent() or PASSWORD in yang.screen():
        raise Missed(f"the password should be nowhere, but there is:\n{yang.screen()}")
    yang.says("/login 小雨 别的密码")
    yang.sees("没有登录 小雨")
    yang.tmux.press("Up")
    bottom_is(yang, lambda last: last.endswith("大家好"), "what was said before, not the password")
    until(lambda: "别的密码" not in yang.screen(), "the other password should be gone", yang.screen)


def two_devices_are_one_person(stage):
    member = Member(stage, "小阳")
    laptop, guest = member.registers(), stage.guest("nc")
    phone = Member(stage, "小阳").logs_in("1000")
    bottom_is(phone, lambda last: "大厅(2)" in last, "two people, not three")
    laptop.says("笔记本上说的")
    phone.sees("小阳: 笔记本上说的")
    phone.says(f"/query {guest.nick}")
    phone.says("手机上的悄悄话")
    laptop.sees(f"我 → {guest.nick}: 手机上的悄悄话")
    shows_once(laptop, "手机上的悄悄话")


def a_wrong_password_is_told_and_asked_for_again(stage):
    Member(stage, "小阳").registers().leaves()
    home = Home(stage)
    yang = home.starts(*stage.door.for_gzy(), "--account", "小阳")
    answers(yang, "小阳 的密码：", "猜猜看猜猜看")
    yang.sees("没有登录 小阳：密码不对")
    answers(yang, "小阳 的密码：", PASSWORD)
    answers(yang, "下次自动登录", "n")
    yang.sees("你是 小阳")


def a_kept_login_is_used_the_next_time_until_it_is_forgotten(stage):
    home = Home(stage)
    first = home.starts(*stage.door.for_gzy(), "--account", "小阳")
    answers(first, "小阳 的密码：", PASSWORD)
    answers(first, "现在注册吗？", "y")
    answers(first, "设一个密码", PASSWORD)
    answers(first, "再输入一遍：", PASSWORD)
    answers(first, "下次自动登录", "y")
    first.sees("已记住，下次自动登录")
    first.leaves()
    path = os.path.join(home.config, "logins")
    mode = os.stat(path).st_mode & 0o777
    if mode != 0o600:
        raise Missed(f"logins should be for the user alone, but its mode is {mode:o}")
    again = home.starts(*stage.door.for_gzy())
    again.sees("你是 小阳")
    again.does_not_see("密码")
    # Through a broken link it is the same person.
    stage.server.pull_the_plug()
    again.sees("已重新连接，你是 小阳")
    again.leaves()
    os.chmod(path, 0o644)
    shown = home.starts(*stage.door.for_gzy(), "--nick", "过客")
    shown.sees("chmod 600")
    shown.sees("你是 过客")
    shown.leaves()
    os.chmod(path, 0o600)
    last = home.starts(*stage.door.for_gzy())
    last.sees("你是 小阳")
    last.says("/forget")
    last.sees("已删除这个服务器的登录")
    last.leaves()
    if PASSWORD in home.file("logins"):
        raise Missed("the forgotten password should be gone from the file")


def what_was_said_to_somebody_away_waits_for_the_login(stage):
    rain = Member(stage, "小雨")
    rain.registers().leaves()
    yang = Member(stage, "小阳").registers()
    yang.says("/msg 小雨 晚上八点图书馆见")
    yang.says("/msg 小雨 带上伞")
    yang.sees("我 → 小雨: 带上伞")
    phone = rain.logs_in()
    bottom_is(phone, lambda last: last.startswith("[2:小阳 2] 大厅("), "two unread messages")
    phone.says("/room 小阳")
    phone.sees("小阳：2 条未读")
    phone.sees("小阳 → 我: 晚上八点图书馆见")
    shows_once(phone, "带上伞")
    bottom_is(phone, lambda last: last == "小阳>", "the conversation")
    phone.says("好")
    yang.sees("小雨 → 我: 好")
    # Read on one device is read on the other; what was said there stands where it belongs.
    laptop = Member(stage, "小雨").logs_in()
    laptop.says("/query 小阳")
    laptop.sees("我 → 小阳: 好")
    shows_once(laptop, "晚上八点图书馆见")
    laptop.does_not_see("条未读")


TESTS = [
    somebody_registers_and_nobody_sees_the_password,
    two_devices_are_one_person,
    a_wrong_password_is_told_and_asked_for_again,
    a_kept_login_is_used_the_next_time_until_it_is_forgotten,
    what_was_said_to_somebody_away_waits_for_the_login,
]

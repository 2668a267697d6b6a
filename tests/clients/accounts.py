"""What people with accounts meet at `gzy client` in a terminal: registering, several devices, private talk with somebody who is away. All in Chinese."""

import os
import subprocess

from server import Server
from stage import Missed, PATIENCE_SECS, until
from starts import Home

PASSWORD = "开门开门开门"


class Member:
    """Somebody with an account, at a terminal of their own."""

    def __init__(self, stage, name, door=None):
        self.name, self._home = name, Home(stage)
        self._address = (door or stage.door).for_gzy()

    def takes(self, *arguments):
        """These stand on the command line from here on."""
        self._address = [*self._address, *arguments]

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


def door_of_quick_server(stage):
    """The way to a server that reads as fast as people write who try it out."""
    return stage.watches(Server(stage.gzy, stage.folder(), "--flood", "off")).door(stage.door.is_encrypted)


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


def a_group_is_made_and_somebody_away_finds_the_invitation(stage):
    rain = Member(stage, "小雨")
    rain.registers().leaves()
    yang = Member(stage, "小阳").registers()
    yang.says("！创建群*茶馆")
    yang.sees("群 #茶馆 建好了，群号 1000")
    yang.says("！邀请*小雨*1000")
    yang.sees("已经邀请 小雨")
    yang.says("/room 茶馆")
    bottom_is(yang, lambda last: last.startswith("#茶馆("), "the group")
    for number in range(1, 4):
        yang.says(f"茶馆里的第{number}句")
    yang.sees("小阳: 茶馆里的第3句")
    phone = rain.logs_in()
    phone.sees("小阳 邀请你进入 #茶馆")
    phone.sees("#茶馆 是群 1000：/join 1000 加入，/decline 1000 谢绝")
    if len([row for row in phone.tmux.rows() if "1000" in row]) != 1:
        raise Missed(f"one row should say how to answer, but there is:\n{phone.screen()}")
    phone.says("/join 1000")
    bottom_is(phone, lambda last: last.startswith("#茶馆(2)"), "the group, with two people")
    phone.says("我来了")
    yang.sees("小雨: 我来了")


def groups_are_there_after_the_login_with_what_is_unread(stage):
    door = door_of_quick_server(stage)
    rain, yang = Member(stage, "小雨", door), Member(stage, "小阳", door).registers()
    phone = rain.registers()
    for name in ("茶馆", "棋社"):
        yang.says(f"！创建群*{name}")
        yang.sees(f"群 #{name} 建好了")
        phone.says(f"！加群*{name}")
        bottom_is(phone, lambda last: f"#{name}(2)>" in last, "the group")
    phone.leaves()
    yang.says("/room 茶馆")
    for number in range(1, 121):
        yang.says(f"第{number}句")
    yang.sees("小阳: 第120句")
    yang.says("/room 棋社")
    yang.says("下棋吗")
    yang.sees("小阳: 下棋吗")
    phone = rain.logs_in()
    bottom_is(phone, lambda last: last == "[2:棋社 1 3:茶馆 99+] 大厅(2)>" or last == "[2:茶馆 99+ 3:棋社 1] 大厅(2)>", "both groups")
    phone.does_not_see("进入")
    laptop = Member(stage, "小雨", door).logs_in()
    bottom_is(laptop, lambda last: "99+" in last and "棋社 1" in last, "both groups")
    phone.says("/room 棋社")
    phone.sees("小阳: 下棋吗")
    bottom_is(laptop, lambda last: "棋社" not in last and "99+" in last, "only the group that nobody has read")
    laptop.says("/rooms")
    laptop.sees("#茶馆", "99+ 条未读")


def pages_go_back_without_gap_or_double(stage):
    member = Member(stage, "小阳", door_of_quick_server(stage))
    yang = member.registers()
    for number in range(1, 151):
        yang.says(f"第{number:03}句话")
    yang.sees("小阳: 第150句话")
    yang.leaves()
    phone = member.logs_in()
    phone.sees("小阳: 第150句话")
    phone.does_not_see("第140句话")
    seen = []
    while "第001句话" not in seen:
        phone.tmux.press("PageUp")
        until(lambda: page(phone) and page(phone)[0] != (seen or [""])[0], "there should be another page", phone.screen)
        seen[:0] = [text for text in page(phone) if text not in seen]
    expected = [f"第{number:03}句话" for number in range(1, 1 + len(seen))]
    if seen != expected:
        raise Missed(f"the pages should show each line once and in order, but showed {seen}")
    bottom_is(phone, lambda last: last.startswith("大厅("), "the prompt below the page")
    phone.sees("这是能看到的最早的消息")
    phone.says("回来了")
    phone.sees("小阳: 回来了")
    phone.does_not_see("第001句话")
    phone.tmux.press("PageUp")
    phone.sees("的较早消息")
    phone.tmux.press("Escape")
    until(lambda: "的较早消息" not in phone.screen(), "Esc should go back", phone.screen)


def page(screen):
    """The lines on a page, in their order."""
    rows = screen.tmux.rows()
    return [row[row.index("第"):] for row in rows if "小阳: 第" in row] if any("较早" in row or "最早" in row for row in rows) else []


def a_search_shows_what_was_found_with_a_line_before_and_after(stage):
    rain, yang = Member(stage, "小雨").registers(), Member(stage, "小阳").registers()
    for text in ("昨天去了", "上海外滩", "人真多"):
        yang.says(text)
    yang.says("/msg 小雨 上海的票买好了")
    rain.sees("小阳 → 我: 上海的票买好了")
    stage.server.pull_the_plug()
    rain.sees("已重新连接")
    # What the plug took is said again, in order: behind it, all is there to be found.
    yang.says("回来了")
    rain.sees("小阳: 回来了")
    rain.says("/search 上海")
    rain.sees("搜索“上海”：2 条")
    for words in ("── 大厅", "小阳: 昨天去了", "小阳: 上海外滩", "小阳: 人真多", "── 小阳", "小阳 → 我: 上海的票买好了"):
        rain.sees(words)
    rain.tmux.press("Escape")
    bottom_is(rain, lambda last: last.startswith("大厅("), "the talk")
    rain.does_not_see("── 大厅")
    rain.says("！搜索*外滩 来自:小阳")
    rain.sees("搜索“外滩 来自:小阳”：1 条")
    rain.says("看到了")
    yang.sees("小雨: 看到了")


def a_script_logs_in_with_a_line_or_a_file(stage):
    yang = Member(stage, "小阳").registers()
    rain = Member(stage, "小雨")
    rain.registers().leaves()
    file = os.path.join(stage.folder(), "password")
    with open(file, "w", encoding="utf-8") as written:
        written.write(PASSWORD + "\n")
    door = stage.door.for_gzy()

    def runs(words, typed):
        home = {"HOME": stage.folder(), "XDG_CONFIG_HOME": stage.folder(), "LC_ALL": "zh_CN.UTF-8"}
        done = subprocess.run([*stage.gzy, *words], input=typed, env=os.environ | home, capture_output=True, encoding="utf-8", timeout=PATIENCE_SECS)
        return done.returncode, done.stdout + done.stderr

    for words, typed in [
        (["client", *door, "--account", "小雨"], f"{PASSWORD}\n客户端里的第一句\n"),
        (["say", *door, "--account", "1001"], f"{PASSWORD}\n管道里的一句"),
        (["say", *door, "--account", "小雨", "--account-password-file", file, "参数里的一句"], ""),
    ]:
        code, printed = runs(words, typed)
        if code != 0 or PASSWORD in printed:
            raise Missed(f"{words} should end with 0 and keep the password to itself, but ended with {code}: {printed}")
    for text in ("客户端里的第一句", "管道里的一句", "参数里的一句"):
        yang.sees(f"小雨: {text}")
    for typed, why in [("猜猜看猜猜看\n", "没有登录 小雨：密码不对"), ("", "没有密码")]:
        code, printed = runs(["client", *door, "--account", "小雨"], typed)
        if code == 0 or why not in printed:
            raise Missed(f"a script should fail and say {why}, but ended with {code}: {printed}")


TESTS = [
    a_script_logs_in_with_a_line_or_a_file,
    somebody_registers_and_nobody_sees_the_password,
    two_devices_are_one_person,
    a_wrong_password_is_told_and_asked_for_again,
    a_kept_login_is_used_the_next_time_until_it_is_forgotten,
    what_was_said_to_somebody_away_waits_for_the_login,
    a_group_is_made_and_somebody_away_finds_the_invitation,
    groups_are_there_after_the_login_with_what_is_unread,
    pages_go_back_without_gap_or_double,
    a_search_shows_what_was_found_with_a_line_before_and_after,
]

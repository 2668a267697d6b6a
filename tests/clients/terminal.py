"""Somebody at `gzy client` in a terminal, and what they should see there. All in Chinese."""

import os
import re

from person import Person
from stage import Missed, until
from tmux import Tmux

# 21:07 小雨: 你好
SAID = re.compile(r"^\d\d:\d\d ([^\s:]+): (.*)$")
# 21:07 小雨 → 我: 你好
SAID_ALONE = re.compile(r"^\d\d:\d\d ([^\s:]+) → 我: (.*)$")
COLUMNS, ROWS = 80, 40


class Terminal(Person):
    program = "gzy client in a terminal"

    def __init__(self, nick, door, gzy, folder, **environment):
        super().__init__(nick, door)
        self._record = os.path.join(folder, "sent")
        self.downloads = os.path.join(folder, "Recv")
        command = [*gzy, "client", *door.for_gzy(), "--nick", nick, "--downloads", self.downloads]
        # The folder for settings is this test's own.
        home = {"HOME": folder, "XDG_CONFIG_HOME": folder}
        self.tmux = Tmux(folder, COLUMNS, ROWS, command, LC_ALL="zh_CN.UTF-8", **home, **environment)

    def enter(self):
        self.sees(f"欢迎 {self.nick}")
        self.ends_with(lambda last: last.startswith("大厅("), "a prompt with the room")

    def say(self, text):
        self.tmux.type(text)
        self.tmux.press("Enter")

    def tell(self, whom, text):
        self.say(f"{text}~{whom.nick}")

    def room_lines(self):
        return self._heard(SAID)

    def private_lines(self):
        return self._heard(SAID_ALONE)

    def screen(self):
        return self.tmux.screen() or "(the client has ended)"

    def leave(self):
        self.say("！退出")
        until(self.tmux.has_ended, "the client should end after ！退出", self.screen)
        return 0

    def stop(self):
        self.tmux.stop()

    def ends_with(self, fits, what):
        """Waits until the last row fits; returns it."""
        rows = lambda: [row for row in self.tmux.rows() if row] or [""]
        until(lambda: fits(rows()[-1]), f"{self.nick} should see at the bottom {what}", self.screen)
        return rows()[-1]

    def record(self):
        """Keeps what is sent to the terminal from here on."""
        self.tmux.record(self._record)

    def sent(self):
        """What was sent to the terminal since `record`."""
        with open(self._record, encoding="utf-8", errors="replace") as file:
            return file.read()

    def shows_once(self, text):
        """Exactly one row shows the text."""
        rows = [row for row in self.tmux.rows() if text in row]
        if len(rows) != 1:
            raise Missed(f"{self.nick} should see {text} in one row, but sees:\n{self.screen()}")

    def _heard(self, pattern):
        found = (pattern.match(line) for line in self.screen().splitlines())
        return [match.groups() for match in found if match and match.group(1) != self.nick]


def lines_that_arrive_leave_the_typed_line_whole(stage):
    yang, guest = stage.at_terminal("小阳"), stage.guest("nc")
    yang.tmux.type("今晚八点，带上 🎲 和")
    for number in range(1, 6):
        guest.say(f"第{number}句话")
        yang.hears(guest, f"第{number}句话")
    yang.ends_with(lambda last: last == "大厅(2)> 今晚八点，带上 🎲 和", "the whole line")
    yang.tmux.type("茶叶")
    yang.ends_with(lambda last: last.endswith("和茶叶"), "more of the line")
    # 大厅(2)>␠ is 9 columns, the text 22.
    until(lambda: yang.tmux.cursor()[0] == 9 + 24, "the cursor should stand behind the text", lambda: str(yang.tmux.cursor()))
    yang.tmux.press("Enter")
    guest.hears(yang, "今晚八点，带上 🎲 和茶叶")
    yang.sees("小阳: 今晚八点")


def the_keys_of_a_shell_edit_chinese(stage):
    yang, guest = stage.at_terminal("小阳"), stage.guest("nc")
    yang.tmux.type("好 再见")
    yang.tmux.press("C-w")
    yang.tmux.type("你们")
    yang.tmux.press("C-a", "Right", "BSpace")
    yang.tmux.type("大家")
    yang.tmux.press("C-e", "BSpace", "Enter")
    guest.hears(yang, "大家 你")
    yang.tmux.type("不要这句")
    yang.tmux.press("C-u")
    yang.ends_with(lambda last: re.fullmatch(r"大厅\(2\)>", last), "an empty line")
    yang.tmux.press("Up", "Enter")
    until(lambda: guest.room_lines().count(("小阳", "大家 你")) == 2, "Up should bring the line back", guest.screen)
    yang.say("买牛奶")
    yang.say("回家")
    yang.tmux.press("C-r")
    yang.tmux.type("牛")
    yang.ends_with(lambda last: last == "搜索“牛”：买牛奶", "what was found")
    yang.tmux.press("Enter", "Enter")
    until(lambda: guest.room_lines().count(("小阳", "买牛奶")) == 2, "Ctrl-R should bring the line back", guest.screen)


def a_narrow_window_shows_everything(stage):
    yang, guest = stage.at_terminal("小阳"), stage.guest("nc")
    guest.say("开始")
    yang.hears(guest, "开始")
    long_line = "这一行很长，要在四十列的窗口里分成几行才放得下，一个字也不能少，一个字也不能多"
    yang.tmux.type(long_line)
    yang.ends_with(lambda last: last.endswith("不能多"), "the end of the line")
    for columns in (40, 20, 60, 40):
        yang.tmux.resize(columns, ROWS)

        def is_whole():
            rows = yang.tmux.rows()
            prompts = [at for at, row in enumerate(rows) if row.startswith("大厅(2)>")]
            return len(prompts) == 1 and "".join(rows[prompts[0]:]) == f"大厅(2)> {long_line}"

        until(is_whole, f"the line should be whole and there once at {columns} columns", yang.screen)
    guest.say("还在吗")
    yang.hears(guest, "还在吗")
    yang.shows_once("开始")
    yang.tmux.press("Enter")
    guest.hears(yang, long_line)


def long_lines_that_arrive_are_whole_in_forty_columns(stage):
    yang, guest = stage.at_terminal("小阳"), stage.guest("nc")
    yang.tmux.resize(40, ROWS)
    yang.tmux.type("我先写一半")
    yang.ends_with(lambda last: last.endswith("我先写一半"), "the typed line")
    long_line = "".join(f"第{number}句很长的话，一个字也不能少；" for number in range(1, 13))
    guest.say(long_line)
    shown = lambda: "".join(yang.tmux.rows())
    until(lambda: shown().count(long_line) == 1, "the long line should be there whole, and once", yang.screen)
    yang.ends_with(lambda last: last == "大厅(2)> 我先写一半", "the line being typed")
    guest.say("short")
    yang.hears(guest, "short")
    yang.tmux.resize(COLUMNS, ROWS)
    yang.ends_with(lambda last: last == "大厅(2)> 我先写一半", "the line being typed, after the window grew")
    until(lambda: shown().count(long_line) == 1, "the long line should still be there whole, and once", yang.screen)


def a_pulled_plug_shows_one_line_and_loses_nothing(stage):
    yang = stage.at_terminal("小阳")
    stage.script_says("拔电源之前")
    yang.sees("拔电源之前")
    stage.server.stop_hard()
    yang.sees("连接断开", "重连")
    for number in range(1, 4):
        yang.say(f"断线时的第{number}句")
    yang.sees("3 条待发")
    yang.tmux.type("还没写完")
    status = [row for row in yang.tmux.rows() if "连接断开" in row]
    if len(status) != 1:
        raise Missed(f"one row should tell of the broken link, but there is:\n{yang.screen()}")
    stage.server.start_again()
    yang.sees("已重新连接")
    late = stage.guest("nc")
    for number in range(1, 4):
        late.sees("PRIVMSG", f"断线时的第{number}句")
        yang.sees(f"小阳: 断线时的第{number}句")
        yang.shows_once(f"断线时的第{number}句")
    yang.shows_once("拔电源之前")
    yang.ends_with(lambda last: last.endswith("> 还没写完"), "the line that was being typed")
    if "连接断开" in yang.screen():
        raise Missed(f"nothing should be left of the broken link, but there is:\n{yang.screen()}")


def rooms_and_people_have_numbers_and_wait_for_each_other(stage):
    yang, guest = stage.at_terminal("小阳"), stage.guest("nc")
    yang.say("/join 茶")
    yang.ends_with(lambda last: last == "#茶(1)>", "the prompt of the new room")
    guest.say("大厅里的话")
    yang.ends_with(lambda last: last == "[1:大厅 1] #茶(1)>", "what waits in the lobby")
    guest.say("小阳在哪儿")
    yang.ends_with(lambda last: last == "[1:大厅 2!] #茶(1)>", "that somebody called")
    if "大厅里的话" in yang.screen():
        raise Missed(f"the lobby's talk should wait, but it is shown:\n{yang.screen()}")
    guest.tell(yang, "悄悄话马上看得到")
    yang.hears_alone(guest, "悄悄话马上看得到")
    yang.tmux.press("M-1")
    yang.ends_with(lambda last: last == "大厅(2)>", "the prompt of the lobby")
    yang.hears(guest, "大厅里的话")
    yang.hears(guest, "小阳在哪儿")
    yang.say("/room 3")
    yang.ends_with(lambda last: last == f"{guest.nick}>", "the prompt of private talk")
    yang.say("只给你看")
    guest.hears_alone(yang, "只给你看")
    yang.tmux.press("Escape", "2")
    yang.ends_with(lambda last: last == "#茶(1)>", "the prompt behind Esc and 2")
    yang.say("/part")
    yang.ends_with(lambda last: last == "大厅(2)>", "the lobby after leaving")


def a_pasted_poem_is_one_message_until_enter(stage):
    yang, guest = stage.at_terminal("小阳"), stage.guest("nc")
    poem = ["床前明月光", "疑是地上霜", "！退出", "低头思故乡"]
    yang.tmux.paste("\n".join(poem) + "\n")
    yang.ends_with(lambda last: last == "低头思故乡", "the end of the poem")
    if guest.room_lines():
        raise Missed(f"nothing should be said before Enter, but {guest.nick} heard {guest.room_lines()}")
    yang.tmux.press("Enter")
    for line in poem:
        guest.hears(yang, line)
    yang.sees(f"小阳: {poem[0]}")
    yang.tmux.press("Up")
    yang.ends_with(lambda last: last == "低头思故乡", "the whole poem once more")


# An empty line is part of a poem.
SONG = ["悯农", "锄禾日当午，", "汗滴禾下土。", "", "谁知盘中餐，", "粒粒皆辛苦。", "——李绅"]


def a_poem_of_six_lines_is_one_message_here_and_six_lines_in_irssi(stage):
    yang, ming = stage.at_terminal("小阳"), stage.at_terminal("阿明")
    rain, nc = stage.guest("irssi"), stage.guest("nc")
    ming.say("/join 茶")
    ming.ends_with(lambda last: last == "#茶(1)>", "the prompt of the other room")
    yang.tmux.paste("\n".join(SONG))
    yang.tmux.press("Enter")
    # As one it counts: one message is unread.
    ming.ends_with(lambda last: last == "[1:大厅 1] #茶(1)>", "one message that waits")
    ming.say("/room 1")
    # 13:29␠小阳:␠ is 12 columns.
    shown = [f"小阳: {SONG[0]}", *(f"{' ' * 12}{line}".rstrip() for line in SONG[1:])]
    for person in (yang, ming):
        until(lambda: stands_in(person.tmux.rows(), shown), f"{person.nick} should see the lines under each other", person.screen)
    for person in (rain, nc):
        for line in filter(None, SONG):
            person.hears(yang, line)
        heard = [text for nick, text in person.room_lines() if nick == yang.nick]
        if heard != [line for line in SONG if line]:
            raise Missed(f"{person.nick} should hear the lines in their order, but heard {heard}")
    rain.say("好诗")
    yang.hears(rain, "好诗")


def a_poem_pasted_while_the_server_is_away_is_sent_once(stage):
    yang = stage.at_terminal("小阳")
    stage.server.stop_hard()
    yang.sees("连接断开", "重连")
    yang.tmux.paste("\n".join(SONG))
    yang.tmux.press("Enter")
    yang.sees("1 条待发")
    stage.server.start_again()
    yang.sees("已重新连接")
    late = stage.at_terminal("阿明")
    shown = [f"小阳: {SONG[0]}", *(f"{' ' * 12}{line}".rstrip() for line in SONG[1:])]
    for person in (yang, late):
        until(lambda: stands_in(person.tmux.rows(), shown), f"{person.nick} should see the poem", person.screen)
        person.shows_once(SONG[0])


def stands_in(rows, lines):
    """Whether these lines stand under each other; the first one behind its time."""
    rows = [row[6:] if re.match(r"\d\d:\d\d ", row) else row for row in rows]
    return any(rows[at:at + len(lines)] == lines for at in range(len(rows)))


def tab_completes_names_rooms_and_commands(stage):
    yang, guest, eve = stage.at_terminal("小阳"), stage.guest("nc"), stage.eve()
    yang.tmux.type("小")
    yang.tmux.press("Tab")
    yang.tmux.type("在吗")
    yang.tmux.press("Enter")
    eve.hears(yang, f"{guest.nick}: 在吗")
    yang.tmux.type("嘘~e")
    yang.tmux.press("Tab", "Enter")
    eve.hears_alone(yang, "嘘")
    yang.tmux.type("！人")
    yang.tmux.press("Tab", "Enter")
    yang.sees("3 人")
    yang.say("/hlep")
    yang.sees("是 /help 吗", "什么也没发送")
    yang.say("PC")
    yang.ends_with(lambda last: last == "私聊对象：", "a question")
    yang.say("eve")
    yang.ends_with(lambda last: last == "对 eve 说：", "a question")
    yang.say("分两步说")
    eve.hears_alone(yang, "分两步说")


def a_mention_rings_and_colours_can_be_switched_off(stage):
    yang, guest = stage.at_terminal("小阳"), stage.guest("nc")
    plain = stage.at_terminal("阿明", NO_COLOR="1")
    yang.record()
    plain.record()
    for text in ("没有叫谁", "叫一下小阳"):
        guest.say(text)
        for person in (yang, plain):
            until(lambda: text in person.sent(), f"{person.nick} should be sent {text}", person.screen)
            person.hears(guest, text)
    before, after = yang.sent().split("没有叫谁")
    rung = [part.count("\x07") for part in (before, after, plain.sent())]
    if rung != [0, 1, 0]:
        raise Missed(f"the bell should ring once, for 小阳 and because of the second line, but rang {rung}")
    swapped = [line for line in after.splitlines() if "\x1b[7m" in line]
    if len(swapped) != 1 or "叫一下小阳" not in swapped[0]:
        raise Missed(f"only the mention should stand out, but these do: {swapped}")
    if re.search(r"\x1b\[[0-9;]*m", plain.sent()):
        raise Missed(f"with NO_COLOR there should be no colours, but there are: {plain.sent()!r}")


def passwords_are_neither_shown_nor_remembered(stage):
    yang = stage.at_terminal("小阳")
    yang.say("!login anna geheim123")
    yang.sees("没有登录 anna", "没有账号 anna")
    yang.tmux.press("Up")
    yang.say("看看")
    yang.sees("小阳: 看看")
    if "geheim123" in yang.screen():
        raise Missed(f"the password should be gone from the screen, but there is:\n{yang.screen()}")


TESTS = [
    lines_that_arrive_leave_the_typed_line_whole,
    the_keys_of_a_shell_edit_chinese,
    a_narrow_window_shows_everything,
    long_lines_that_arrive_are_whole_in_forty_columns,
    a_pulled_plug_shows_one_line_and_loses_nothing,
    rooms_and_people_have_numbers_and_wait_for_each_other,
    a_pasted_poem_is_one_message_until_enter,
    a_poem_of_six_lines_is_one_message_here_and_six_lines_in_irssi,
    a_poem_pasted_while_the_server_is_away_is_sent_once,
    tab_completes_names_rooms_and_commands,
    a_mention_rings_and_colours_can_be_switched_off,
    passwords_are_neither_shown_nor_remembered,
]

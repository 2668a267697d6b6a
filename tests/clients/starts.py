"""What a user meets who starts `gzy client` on different days and terminals: is it still the same server, and what is remembered."""

import os

from server import Server
from stage import Missed, until
from tmux import Tmux

COLUMNS, ROWS = 100, 40
# Says how the program ended, and leaves its last words on the screen.
AND_THEN = '"$@"; echo "ended with $?"; exec cat'
# Colours of nicks that are for light and for dark backgrounds only; others are for both.
LIGHT, DARK = {19, 22, 25, 28, 30, 54, 58, 88, 90, 94, 124, 125, 130, 160, 161}, {39, 43, 75, 78, 81, 111, 113, 141, 147, 173, 176, 179, 203, 208, 214, 220}


class Home:
    """A user's config folder, and terminals in which they start `gzy client` one after the other."""

    def __init__(self, stage):
        self._stage, self._gzy = stage, stage.gzy
        self.folder = stage.folder()
        self.config = os.path.join(self.folder, "gzy")

    def starts(self, *arguments, **environment):
        """`gzy client` with these arguments."""
        return self._stage.watches(Started(self._stage.folder(), self.folder, [*self._gzy, "client", *arguments], environment))

    def file(self, name):
        """What is in a file of the config folder."""
        with open(os.path.join(self.config, name), encoding="utf-8") as file:
            return file.read()

    def write(self, name, text):
        """Replaces a file of the config folder."""
        os.makedirs(self.config, exist_ok=True)
        with open(os.path.join(self.config, name), "w", encoding="utf-8") as file:
            file.write(text)


class Started:
    """A terminal with a program in it, and what the program leaves behind."""

    def __init__(self, folder, home, command, environment):
        self._record = os.path.join(folder, "sent")
        environment = {"LC_ALL": "zh_CN.UTF-8", "HOME": home, "XDG_CONFIG_HOME": home, **environment}
        self.tmux = Tmux(folder, COLUMNS, ROWS, ["sh", "-c", AND_THEN, "sh", *command], **environment)
        self.tmux.record(self._record)

    def screen(self):
        """All that is on the screen."""
        return self.tmux.screen() or "(the terminal is gone)"

    def sees(self, *parts):
        """Waits for a line with all of these."""
        shown = lambda: any(all(part in line for part in parts) for line in self.screen().splitlines())
        until(shown, f"there should be a line with {' and '.join(parts)}", self.screen)

    def does_not_see(self, text):
        """It is not there, and whatever would bring it has happened."""
        if text in self.screen():
            raise Missed(f"there should be no {text}, but there is:\n{self.screen()}")

    def says(self, text):
        """Types a line."""
        self.tmux.type(text)
        self.tmux.press("Enter")

    def leaves(self):
        """Ends the client as people do."""
        self.says("/quit")
        self.sees("ended with 0")

    def sent(self):
        """What was sent to the terminal, but for the beginning, when nobody recorded yet."""
        with open(self._record, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        """Ends everything."""
        self.tmux.stop()


def a_server_is_shown_once_and_another_key_is_refused_until_accepted(stage):
    home, address = Home(stage), stage.address
    key = stage.door.key
    first = home.starts(address, "--nick", "小阳")
    first.sees("第一次连接", "已记住它的密钥")
    until(lambda: key in first.screen().replace("\n", ""), "the key that the server printed should be shown", first.screen)
    first.sees("欢迎 小阳")
    first.leaves()
    second = home.starts(address, "--nick", "小阳")
    second.sees("欢迎 小阳")
    second.does_not_see("密钥")
    second.leaves()

    new_key = stage.server.gets_another_key()
    refused = home.starts(address, "--nick", "小阳")
    refused.sees("ended with 1")
    for words in (f"！！！{address} 的密钥变了", "原来：", "现在：", "请当面或打电话问主人", "--accept-new-key"):
        refused.sees(words)
    for shown in (key, new_key):
        until(lambda: shown in refused.screen().replace("\n", ""), "both keys should be shown", refused.screen)
    refused.does_not_see("欢迎")
    if key not in home.file("known_servers") or new_key in home.file("known_servers"):
        raise Missed(f"a refused key should not be remembered, but there is:\n{home.file('known_servers')}")

    accepted = home.starts(address, "--nick", "小阳", "--accept-new-key")
    accepted.sees("新密钥已记住")
    accepted.sees("欢迎 小阳")
    accepted.leaves()
    after = home.starts(address, "--nick", "小阳")
    after.sees("欢迎 小阳")
    after.does_not_see("密钥")


def a_broken_memory_is_named_and_left_alone(stage):
    home = Home(stage)
    broken = "# 我的服务器\n乱七八糟\n"
    home.write("known_servers", broken)
    started = home.starts(stage.address, "--nick", "小阳")
    started.sees("known_servers", "第 2 行有错")
    started.sees("ended with 1")
    if home.file("known_servers") != broken:
        raise Missed(f"the file should be left alone, but is now:\n{home.file('known_servers')}")
    home.write("known_servers", "# 我的服务器\n")
    home.starts(stage.address, "--nick", "小阳").sees("欢迎 小阳")


def two_servers_on_one_host_are_two(stage):
    home, other = Home(stage), Server(stage.gzy, stage.folder())
    try:
        addresses = [stage.address, f"{stage.door.host}:{other.port}"]
        for address in addresses:
            started = home.starts(address, "--nick", "小阳")
            started.sees(f"第一次连接 {address}")
            started.sees("欢迎 小阳")
            started.leaves()
        for address in addresses:
            started = home.starts(address, "--nick", "小阳")
            started.sees("欢迎 小阳")
            started.does_not_see("密钥")
            started.leaves()
    finally:
        other.stop()


def server_and_nick_of_the_last_time_are_remembered(stage):
    home = Home(stage)
    first = home.starts()
    first.sees("连接哪个服务器？")
    first.sees("ended with 2")
    asked = home.starts(stage.address)
    asked.sees("你的名字：")
    asked.says("小阳")
    asked.sees("欢迎 小阳")
    asked.leaves()
    again = home.starts()
    again.sees(f"连接上次的服务器 {stage.address}")
    again.sees("你是 小阳")
    again.leaves()
    for name, mode in [("known_servers", 0o600), ("settings", 0o600)]:
        found = os.stat(os.path.join(home.config, name)).st_mode & 0o777
        if found != mode:
            raise Missed(f"{name} should be for the user alone, but its mode is {found:o}")


def the_language_comes_from_the_command_line_then_the_settings_then_the_locale(stage):
    home = Home(stage)
    for arguments, setting, locale, words in [
        ([], None, "zh_CN.UTF-8", "已连接，你是 小阳"),
        ([], None, "de_DE.UTF-8", "connected; you are 小阳"),
        ([], "en", "zh_CN.UTF-8", "connected; you are 小阳"),
        (["--lang", "zh"], "en", "en_US.UTF-8", "已连接，你是 小阳"),
        (["--lang", "en"], "zh", "zh_CN.UTF-8", "connected; you are 小阳"),
    ]:
        home.write("settings", f"language = {setting}\n" if setting else "")
        started = home.starts(stage.address, "--nick", "小阳", *arguments, LC_ALL=locale)
        started.sees(words)
        started.leaves()


def a_dumb_terminal_gets_plain_lines(stage):
    home, guest = Home(stage), stage.guest("nc")
    started = home.starts(stage.address, "--nick", "小阳", TERM="dumb")
    started.sees("欢迎 小阳")
    guest.say("小阳，看得见吗")
    started.sees(f"{guest.nick}: 小阳，看得见吗")
    started.says("看得见")
    until(lambda: ("小阳", "看得见") in guest.room_lines(), "what was typed should be said", guest.screen)
    if "\x1b" in started.sent():
        raise Missed(f"a dumb terminal should get no escapes, but got {started.sent()!r}")
    started.tmux.press("C-d")
    started.sees("ended with 0")


def colours_suit_the_background_and_the_settings(stage):
    home, guest = Home(stage), stage.guest("nc")
    # One number is the colour of the guest's nick: the first that stands before it.
    for setting, background, fits in [
        ("auto", "0;15", lambda colour: colour in LIGHT),
        ("auto", "15;0", lambda colour: colour in DARK),
        ("off", "15;0", lambda colour: colour is None),
        ("on", "15;0", lambda colour: colour in DARK),
    ]:
        home.write("settings", f"colours = {setting}\n")
        without = {"NO_COLOR": "1"} if setting == "on" else {}
        started = home.starts(stage.address, "--nick", "小阳", COLORFGBG=background, TERM="xterm-256color", **without)
        started.sees("欢迎 小阳")
        guest.say(f"{setting} {background}")
        until(lambda: f"{setting} {background}" in started.sent(), "the line should arrive", started.screen)
        line = next(line for line in started.sent().splitlines() if f"{setting} {background}" in line)
        colour = line.partition(guest.nick)[0].rpartition("\x1b[38;5;")[2].partition("m")[0]
        if not fits(int(colour) if colour.isdigit() else None):
            raise Missed(f"with {setting} and {background} the nick should not have the colour {colour!r}: {line!r}")
        started.leaves()


TESTS = [
    a_server_is_shown_once_and_another_key_is_refused_until_accepted,
    a_broken_memory_is_named_and_left_alone,
    two_servers_on_one_host_are_two,
    server_and_nick_of_the_last_time_are_remembered,
    the_language_comes_from_the_command_line_then_the_settings_then_the_locale,
    a_dumb_terminal_gets_plain_lines,
    colours_suit_the_background_and_the_settings,
]

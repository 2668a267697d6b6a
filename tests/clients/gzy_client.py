"""Somebody with `gzy client` in a script: plain lines in, plain lines out."""

import re

from person import Person
from stage import Missed, Program, until

# What stands in front of each line: 21:07, or 11-19 21:07 when it was another day.
TIME = r"^(?:[\d-]+ )?\d\d:\d\d "
# 21:07 小雨: 你好
SAID = re.compile(TIME + r"([^\s:]+): (.*)$")
# 21:07 小雨 → 我: 你好
SAID_ALONE = re.compile(TIME + r"([^\s:]+) → 我: (.*)$")


class GzyClient(Person):
    program = "gzy client"

    def __init__(self, nick, door, gzy, folder, **environment):
        """`gzy`: the program, as the beginning of a command line."""
        super().__init__(nick, door)
        environment = {"LC_ALL": "zh_CN.UTF-8", "XDG_CONFIG_HOME": folder, **environment}
        self._run = Program([*gzy, "client", *door.for_gzy(), "--nick", nick], folder, **environment)

    def enter(self):
        self.sees(f"欢迎 {self.nick}")

    def is_warned(self):
        until(lambda: "与地址里写的不同" in self._run.complaints(), "gzy client should refuse the server", self._run.complaints)
        if self._run.exit_code() != 1:
            raise Missed(f"gzy client should end with 1, but ended with {self._run.exit_code()}")

    def say(self, text):
        self._run.write_line(text)

    def tell(self, whom, text):
        self._run.write_line(f"!msg {whom.nick} {text}")

    def room_lines(self):
        return self._heard(SAID)

    def private_lines(self):
        return self._heard(SAID_ALONE)

    def screen(self):
        return "\n".join(self._run.printed.lines())

    def leave(self):
        self._run.end_input()
        return self._run.exit_code()

    def stop(self):
        self._run.stop()

    def _heard(self, pattern):
        found = (pattern.match(line) for line in self._run.printed.lines())
        return [match.groups() for match in found if match and match.group(1) != self.nick]

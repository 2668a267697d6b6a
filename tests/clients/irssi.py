"""Somebody with irssi in a terminal. The terminal is tmux: keys go in, the screen comes out as text."""

import os
import re

from person import Person
from stage import until
from tmux import Tmux

# 13:29 <@小阳> 你好
SAID = re.compile(r"^\d\d:\d\d <[ @+%&~]?([^>]+)> (.*)$")
# 13:29 [小阳(xiaoyang@host)] 你好
SAID_ALONE = re.compile(r"^\d\d:\d\d \[([^(\]]+)\([^)]*\)\] (.*)$")

# One window for everything, so that one screen shows it all; no guessing whether quick typing is
# a paste, no waiting before a command is sent.
CONFIG = """
servers = ();
settings = {
  core = { real_name = "%(nick)s"; user_name = "%(nick)s"; nick = "%(nick)s"; quit_message = "再见"; };
  "fe-common/core" = {
    use_status_window = "no"; use_msgs_window = "no"; autocreate_windows = "no";
    autocreate_query_level = "NONE"; autocreate_own_query = "no"; term_charset = "UTF-8"; beep_msg_level = "NONE";
  };
  "irc/core" = { cmd_queue_speed = "1msec"; };
  "fe-text" = { paste_verify_line_count = "0"; paste_detect_time = "0"; };
};
"""
# An account, as irssi's users keep it: with the network.
ACCOUNT = """
chatnets = { gzy = { type = "IRC"; sasl_mechanism = "PLAIN"; sasl_username = "%s"; sasl_password = "%s"; }; };
"""
# Wide and high enough that nothing of a test wraps or scrolls away.
COLUMNS, ROWS = 400, 120


class Irssi(Person):
    program = "irssi"

    def __init__(self, nick, door, folder, password=None):
        super().__init__(nick, door)
        config = os.path.join(folder, "config")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG % {"nick": nick} + (ACCOUNT % (nick, password) if password else ""))
        # What is in this file is typed when irssi has started.
        with open(os.path.join(folder, "startup"), "w", encoding="utf-8") as file:
            file.write(f"/connect {self._encryption(door)} {'-network gzy ' if password else ''}{door.host} {door.port}\n")
        # irssi reads its arguments before its locale, so a Chinese nick can only come from the file.
        self._tmux = Tmux(folder, COLUMNS, ROWS, ["irssi", f"--home={folder}", f"--config={config}"])

    @staticmethod
    def _encryption(door):
        if not door.is_encrypted:
            return "-notls"
        key = door.key.upper()
        return "-tls -tls_pinned_pubkey " + ":".join(key[at:at + 2] for at in range(0, len(key), 2))

    def enter(self):
        self.sees(self.nick, "has joined", self.room)

    def is_warned(self):
        self.sees("Pinned public key mismatch")

    def say(self, text):
        self._tmux.type(text)
        self._tmux.press("Enter")

    def tell(self, whom, text):
        self.say(f"/msg {whom.nick} {text}")

    def room_lines(self):
        return self._heard(SAID)

    def private_lines(self):
        return self._heard(SAID_ALONE)

    def screen(self):
        return self._tmux.screen() or "(irssi has ended)"

    def leave(self):
        self.say("/quit 再见")
        until(self._tmux.has_ended, "irssi should end after /quit", self.screen)
        return 0

    def stop(self):
        self._tmux.stop()

    def _heard(self, pattern):
        found = (pattern.match(line.rstrip()) for line in self.screen().splitlines())
        return [match.groups() for match in found if match and match.group(1) != self.nick]

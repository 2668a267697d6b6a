"""Somebody with irssi in a terminal. The terminal is tmux: keys go in, the screen comes out as text."""

import os
import re
import subprocess

from person import Person
from stage import Missed, until

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
# Wide and high enough that nothing of a test wraps or scrolls away.
COLUMNS, ROWS = 400, 120


class Irssi(Person):
    program = "irssi"

    def __init__(self, nick, server, folder):
        super().__init__(nick, server.room)
        # A tmux server of our own: no settings of the user, no meeting with their sessions.
        self._tmux = ["tmux", "-u", "-f", "/dev/null", "-S", os.path.join(folder, "tmux")]
        config = os.path.join(folder, "config")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG % {"nick": nick})
        # irssi reads its arguments before its locale, so a Chinese nick can only come from the file.
        command = f"irssi --home={folder} --config={config} --connect={server.host} --port={server.port}"
        self._call("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), command)

    def enter(self):
        self.sees(self.nick, "has joined", self.room)

    def say(self, text):
        self._call("send-keys", "-l", "--", text)
        self._call("send-keys", "Enter")

    def tell(self, whom, text):
        self.say(f"/msg {whom.nick} {text}")

    def room_lines(self):
        return self._heard(SAID)

    def private_lines(self):
        return self._heard(SAID_ALONE)

    def screen(self):
        shown = self._try("capture-pane", "-p", "-J")
        return "\n".join(line.rstrip() for line in shown.stdout.splitlines() if line.strip()) if shown.returncode == 0 else "(irssi has ended)"

    def leave(self):
        self.say("/quit 再见")
        until(lambda: self._try("has-session").returncode != 0, "irssi should end after /quit", self.screen)
        return 0

    def stop(self):
        self._try("kill-server")

    def _heard(self, pattern):
        found = (pattern.match(line.rstrip()) for line in self.screen().splitlines())
        return [match.groups() for match in found if match and match.group(1) != self.nick]

    def _call(self, *arguments):
        done = self._try(*arguments)
        if done.returncode != 0:
            raise Missed(f"tmux {arguments[0]} failed: {done.stderr}")

    def _try(self, *arguments):
        environment = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        return subprocess.run([*self._tmux, *arguments], capture_output=True, encoding="utf-8", env=environment)

"""Somebody's bot, written with the `irc` library from PyPI; it runs in a virtual environment of its own."""

import json
import os
import subprocess
import sys

from person import Person
from stage import Program

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(HERE, "..", "..", "target"))


def prepared_python():
    """The Python that has the library; made once and kept in the target folder."""
    home = os.path.abspath(os.path.join(TARGET, "python-for-client-tests"))
    python = os.path.join(home, "bin", "python")
    if subprocess.run([python, "-c", "import irc.client"], capture_output=True).returncode if os.path.exists(python) else True:
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        wanted = os.path.join(HERE, "requirements.txt")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--retries", "5", "--requirement", wanted], check=True)
    return python


class Library(Person):
    program = "irc (Python library)"

    def __init__(self, nick, door, folder, password=None):
        super().__init__(nick, door)
        bot = os.path.join(HERE, "library_bot.py")
        self._run = Program([prepared_python(), bot, door.host, str(door.port), nick, password or "", *door.certificate_and_name()], folder)

    def enter(self):
        self._run.printed.line(lambda line: self._is(line, "join", self.nick, self.room), f"{self.nick} should be in {self.room}")

    def is_warned(self):
        self.sees("CERTIFICATE_VERIFY_FAILED")

    def say(self, text):
        self._order("say", self.room, text)

    def tell(self, whom, text):
        self._order("say", whom.nick, text)

    def room_lines(self):
        return self._heard("pubmsg")

    def private_lines(self):
        return self._heard("privmsg")

    def screen(self):
        return "\n".join(self._run.printed.lines()) + self._run.complaints()

    def leave(self):
        self._order("quit", "", "再见")
        return self._run.exit_code()

    def stop(self):
        self._run.stop()

    def _order(self, verb, target, text):
        self._run.write_line(json.dumps([verb, target, text]))

    def lines_in(self, room):
        """What others said in any room, as (nick, text), in the order shown."""
        return self._heard("pubmsg", room)

    def _heard(self, kind, where=None):
        events = (json.loads(line) for line in self._run.printed.lines())
        return [(who, text) for happened, who, target, text in events if happened == kind and where in (None, target)]

    def _is(self, line, kind, nick, target):
        return json.loads(line)[:3] == [kind, nick, target]

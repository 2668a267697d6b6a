"""Somebody with `ii`: a folder per conversation, a pipe to write to and a file to read in each."""

import os
import re

from person import Person
from stage import Program, read_lines, write_to_fifo

# 1795181234 <小阳> 你好
SAID = re.compile(r"^\d+ <([^>]+)> (.*)$")


class Ii(Person):
    program = "ii"

    def __init__(self, nick, server, folder):
        super().__init__(nick, server.room)
        self._run = Program(["ii", "-s", server.host, "-p", str(server.port), "-n", nick, "-f", nick, "-i", folder], folder)
        self._folder = os.path.join(folder, server.host)

    def enter(self):
        self.sees(self.nick, "has joined", self.room)

    def say(self, text):
        write_to_fifo(os.path.join(self._folder, self.room, "in"), text)

    def tell(self, whom, text):
        write_to_fifo(os.path.join(self._folder, "in"), f"/j {whom.nick} {text}")

    def room_lines(self):
        return self._heard(self.room)

    def private_lines(self):
        with os.scandir(self._folder) as entries:
            people = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("#")]
        return [line for person in people for line in self._heard(person)]

    def screen(self):
        outs = ["out"]
        if os.path.isdir(self._folder):
            with os.scandir(self._folder) as entries:
                outs += [os.path.join(entry.name, "out") for entry in entries if entry.is_dir()]
        return "\n".join(line for out in outs for line in read_lines(os.path.join(self._folder, out)))

    def leave(self):
        write_to_fifo(os.path.join(self._folder, "in"), "/q 再见")
        return self._run.exit_code()

    def stop(self):
        self._run.stop()

    def _heard(self, conversation):
        found = (SAID.match(line) for line in read_lines(os.path.join(self._folder, conversation, "out")))
        return [match.groups() for match in found if match and match.group(1) != self.nick]

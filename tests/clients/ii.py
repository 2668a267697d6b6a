"""Somebody with `ii`: a folder per conversation, a pipe to write to and a file to read in each.

It has no encryption of its own; where that is wanted, its people put socat in between, and so do we.
"""

import os
import re

from person import Person
from stage import Program, read_lines, until, write_to_fifo

# 1795181234 <小阳> 你好
SAID = re.compile(r"^\d+ <([^>]+)> (.*)$")


class Ii(Person):
    program = "ii"

    def __init__(self, nick, door, folder):
        super().__init__(nick, door)
        self._tunnel, there = None, ["-p", str(door.port)]
        if door.is_encrypted:
            self._tunnel, there = self._encrypted(door, folder)
        self._run = Program(["ii", "-s", door.host, *there, "-n", nick, "-f", nick, "-i", folder], folder)
        self._folder = os.path.join(folder, door.host)

    @staticmethod
    def _encrypted(door, folder):
        socket = os.path.join(folder, "socket")
        trust = f"verify=1,cafile={door.certificate},commonname={door.name}"
        tunnel = Program(["socat", f"UNIX-LISTEN:{socket}", f"OPENSSL:{door.host}:{door.port},{trust}"], folder)
        until(lambda: os.path.exists(socket), "socat should wait for ii", tunnel.complaints)
        return tunnel, ["-u", socket]

    def enter(self):
        self.sees(self.nick, "has joined", self.room)

    def is_warned(self):
        until(lambda: "certificate verify failed" in self._tunnel.complaints(), "socat should refuse the server", self._tunnel.complaints)

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
        if self._tunnel:
            self._tunnel.stop()

    def _heard(self, conversation):
        found = (SAID.match(line) for line in read_lines(os.path.join(self._folder, conversation, "out")))
        return [match.groups() for match in found if match and match.group(1) != self.nick]

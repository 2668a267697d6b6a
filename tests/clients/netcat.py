"""Somebody with `nc`, or `openssl s_client` where it is encrypted, and the grammar of IRC in their head."""

import re

from person import Person
from stage import Program

SAID = re.compile(r"^(?:@\S+ )?:([^!\s]+)\S* PRIVMSG (\S+) :(.*)$")


class Netcat(Person):
    program = "nc"

    def __init__(self, nick, door, folder):
        super().__init__(nick, door)
        self._run = Program(self._command(door), folder)
        self._run.write_line(f"NICK {nick}")
        self._run.write_line(f"USER {nick} 0 * :{nick}")

    @staticmethod
    def _command(door):
        if not door.is_encrypted:
            return ["nc", door.host, str(door.port)]
        # -quiet: it prints what comes and nothing else, and a Q at the beginning of a line is a letter like others.
        trust = ["-CAfile", door.certificate, "-verify_hostname", door.name, "-verify_return_error"]
        return ["openssl", "s_client", "-quiet", "-connect", f"{door.host}:{door.port}", *trust]

    def enter(self):
        self.sees(f":{self.nick}!", "JOIN", self.room)

    def is_warned(self):
        self.sees("certificate verify failed")

    def say(self, text):
        self._run.write_line(f"PRIVMSG {self.room} :{text}")

    def tell(self, whom, text):
        self._run.write_line(f"PRIVMSG {whom.nick} :{text}")

    def room_lines(self):
        return [(nick, text) for nick, to, text in self._said() if to == self.room]

    def private_lines(self):
        return [(nick, text) for nick, to, text in self._said() if to == self.nick]

    def screen(self):
        return "\n".join(self._run.printed.lines()) + self._run.complaints()

    def leave(self):
        self._run.write_line("QUIT :再见")
        self.sees("ERROR")
        # Both programs wait for the end of both directions.
        self._run.end_input()
        return self._run.exit_code()

    def stop(self):
        self._run.stop()

    def _said(self):
        found = (SAID.match(line) for line in self._run.printed.lines())
        return [match.groups() for match in found if match]

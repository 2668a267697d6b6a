"""What somebody can read who has the cable between the computers: tcpdump on the loopback, as root."""

import os
import signal
import socket

from stage import Missed, Program, until

# What is said and where, and by whom: none of it is anybody else's business. 小雨 is the nick of irssi's person.
ROOM, TO_ALL, ANSWER, TO_ONE = "#密室", "暗号是芝麻开门", "收到，七点老地方", "只有你知道"
SECRETS = [ROOM, TO_ALL, ANSWER, TO_ONE, "小阳", "小雨", "PRIVMSG"]
# Sent in the clear by somebody who has not even a name, when all else is said.
LAST_WORD = "LAST-WORD"


class Cable:
    """Everything that goes to or from a port, from here on."""

    def __init__(self, port, folder):
        self._port, self._file = port, os.path.join(folder, "packets")
        # -U: every packet is written when it comes. -Z: root may write here, tcpdump's own user may not.
        command = ["tcpdump", "-i", "lo", "-U", "-Z", "root", "-s", "0", "-w", self._file, "tcp", "port", str(port)]
        self._tcpdump = Program(command, folder)
        # The file's heading is written when it listens.
        until(lambda: "listening on lo" in self._tcpdump.complaints(), "tcpdump should listen (it needs root)", self._tcpdump.complaints)

    def carried(self):
        """All that went over it until now."""
        with socket.create_connection(("127.0.0.1", self._port)) as stranger:
            stranger.sendall(f"{LAST_WORD}\r\n".encode())
            until(lambda: LAST_WORD.encode() in self._bytes(), "tcpdump should have seen the last word", self._tcpdump.complaints)
        self._tcpdump.signal(signal.SIGTERM)
        self._tcpdump.exit_code()
        if "\n0 packets dropped by kernel" not in self._tcpdump.complaints():
            raise Missed(f"tcpdump should have seen everything, but says:\n{self._tcpdump.complaints()}")
        return self._bytes()

    def stop(self):
        """Ends the listening."""
        self._tcpdump.stop()

    def _bytes(self):
        with open(self._file, "rb") as file:
            return file.read()


def no_word_of_an_encrypted_conversation_is_on_the_wire(stage):
    cable = Cable(stage.door.port, stage.folder())
    try:
        talk(stage)
        carried = cable.carried()
    finally:
        cable.stop()
    overheard = [secret for secret in SECRETS if secret.encode() in carried]
    # In the clear all of it must be found: else this test would prove nothing.
    expected = [] if stage.door.is_encrypted else SECRETS
    if overheard != expected:
        raise Missed(f"the cable should carry {expected} readably, but carries {overheard} in {len(carried)} bytes")


def talk(stage):
    yang, rain = stage.yang(), stage.guest("irssi")
    yang.sees(f"欢迎 {rain.nick}")
    yang.say(f"/join {ROOM}")
    yang.sees("已进入", ROOM)
    rain.say(f"/join {ROOM}")
    rain.sees(rain.nick, "has joined", ROOM)
    yang.say(TO_ALL)
    rain.sees(yang.nick, TO_ALL)
    rain.say(ANSWER)
    yang.sees(rain.nick, ANSWER)
    rain.tell(yang, TO_ONE)
    yang.hears_alone(rain, TO_ONE)


TESTS = [no_word_of_an_encrypted_conversation_is_on_the_wire]

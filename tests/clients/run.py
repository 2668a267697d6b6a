#!/usr/bin/env python3
"""Do programs that nobody here wrote get along with `gzy client`, in Chinese, both ways?

    tests/clients/run.py [--gzy PATH] [--windows PATH] [--only PROGRAM]

Each test has a server, a folder and people of its own, and is done in the clear and encrypted.
Wants irssi, weechat-headless, ii, nc, openssl, socat, tmux, tcpdump, curl, wget, aria2 and chromium
from Debian; for --windows also wine64 and mingw-w64.
"""

import argparse
import dataclasses
import os
import subprocess
import sys
import tempfile
import time

import files
from gzy_client import GzyClient
from ii import Ii
from irssi import Irssi
from library import Library, prepared_python
import members
from netcat import Netcat
from server import Server
from stage import Missed, PATIENCE_SECS
import starts
import accounts
import cloud
import terminal
from weechat import Weechat
import windows
import wire

GUESTS = {"irssi": (Irssi, "小雨"), "weechat": (Weechat, "阿明"), "ii": (Ii, "老王"), "nc": (Netcat, "小红"), "library": (Library, "李雷")}
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Stage:
    """One server and the people around it; everything ends with it. `encrypted`: how people come in. `wine`: a Windows, or none."""

    def __init__(self, gzy, wine, encrypted):
        # The program, as the beginning of a command line.
        self.gzy, self._wine = [gzy], wine
        # Who is told to end writes a last word about what was typed.
        self._folder = tempfile.TemporaryDirectory(prefix="gzy-clients-", ignore_cleanup_errors=True)
        self._people = []
        self._accounts = set()
        self.server = Server(self.gzy, self._own_folder())
        self.door = self.server.door(encrypted)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for person in self._people:
            person.stop()
        code = self.server.stop()
        self._folder.cleanup()
        if kind is None and code != 0:
            raise Missed(f"gzy server should end with 0 after SIGTERM, but ended with {code}")

    def yang(self):
        """小阳, who sits at `gzy client`."""
        return self._enters(GzyClient("小阳", self.door, self.gzy, self._own_folder()))

    def by_script(self, nick):
        """Somebody else at `gzy client` in a script."""
        return self._enters(GzyClient(nick, self.door, self.gzy, self._own_folder()))

    def at_terminal(self, nick, **environment):
        """Somebody who sits at `gzy client` in a terminal."""
        return self._enters(terminal.Terminal(nick, self.door, self.gzy, self._own_folder(), **environment))

    def guest(self, name):
        """Somebody at another program."""
        return self._enters(self._guest_at(name, self.door))

    def member(self, name, nick=None):
        """Somebody at another program, who logs in by SASL; the account is made when there is none."""
        program, usual_nick = GUESTS[name]
        nick = nick or usual_nick
        self.has_account(nick)
        return self._enters(program(nick, self.door, self._own_folder(), password=members.PASSWORD))

    def has_account(self, nick):
        """Makes an account, if there is none yet."""
        if nick not in self._accounts:
            self._accounts.add(nick)
            self.server.makes_account(nick, members.PASSWORD)

    def deceived_guest(self, name):
        """Somebody at another program who expects another server: its key, its certificate. They do not come in."""
        other = Server(self.gzy, self._own_folder())
        wrong = dataclasses.replace(other.door(encrypted=True), port=self.door.port, is_invitation=True)
        other.stop()
        guest = self._guest_at(name, wrong)
        self._people.append(guest)
        return guest

    def eve(self):
        """A stranger in the same room, who must not hear what is not for her. She comes in the clear."""
        return self._enters(Netcat("eve", self.server.door(encrypted=False), self._own_folder()))

    def script_says(self, text):
        """`gzy say`: when it ends with 0, the server has the text on its disk."""
        said = subprocess.run(
            [*self.gzy, "say", *self.door.for_gzy(), text],
            env=os.environ | {"XDG_CONFIG_HOME": str(self._own_folder())},
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=PATIENCE_SECS,
        )
        if said.returncode != 0:
            raise Missed(f"gzy say should end with 0, but ended with {said.returncode}: {said.stdout}{said.stderr}")

    @property
    def address(self):
        """What one types to come in."""
        return f"{self.door.host}:{self.door.port}"

    def watches(self, screen):
        """Something that ends with this."""
        self._people.append(screen)
        return screen

    def folder(self):
        """An empty folder, for what belongs to nobody."""
        return self._own_folder()

    def moves_to_server(self, *arguments):
        """From here on people come to a server with these flags."""
        self.server.stop()
        self.server = Server(self.gzy, self._own_folder(), *arguments)
        self._accounts.clear()
        self.door = self.server.door(self.door.is_encrypted)

    def moves_to_windows(self):
        """From here on people come to a server on Windows."""
        self.server.stop()
        self.server = windows.WindowsServer(self._wine, self._own_folder())
        self.door = self.server.door(self.door.is_encrypted)

    def _guest_at(self, name, door):
        if name == "windows":
            return windows.WindowsClient("文文", door, self._own_folder(), self._wine)
        program, nick = GUESTS[name]
        return program(nick, door, self._own_folder())

    def _enters(self, person):
        self._people.append(person)
        person.enter()
        return person

    def _own_folder(self):
        # Numbers, because irssi takes only ASCII in its arguments.
        folder = os.path.join(self._folder.name, str(len(os.listdir(self._folder.name))))
        os.mkdir(folder)
        return folder


def the_room_is_heard_both_ways(stage, name):
    yang, guest = stage.yang(), stage.guest(name)
    yang.sees(f"欢迎 {guest.nick}")
    yang.say("你好，今晚八点图书馆见吗？")
    guest.hears(yang, "你好，今晚八点图书馆见吗？")
    guest.say("好的，我带伞 ☂，雨很大！")
    yang.hears(guest, "好的，我带伞 ☂，雨很大！")
    yang.say("See you :) 一言为定：八点整")
    guest.hears(yang, "See you :) 一言为定：八点整")
    guest.say(": 冒号开头也要原样到达 🎉")
    yang.hears(guest, ": 冒号开头也要原样到达 🎉")


def a_private_word_reaches_one_person_only(stage, name):
    yang, guest, eve = stage.yang(), stage.guest(name), stage.eve()
    yang.tell(guest, "悄悄告诉你：生日礼物买好了")
    guest.hears_alone(yang, "悄悄告诉你：生日礼物买好了")
    guest.tell(yang, "太好了，别让别人知道 🤫")
    yang.hears_alone(guest, "太好了，别让别人知道 🤫")
    # Both said something public afterwards, so whatever eve was to overhear has passed.
    yang.say("大家晚安")
    eve.hears(yang, "大家晚安")
    guest.say("晚安")
    eve.hears(guest, "晚安")
    for secret in ("生日礼物", "别让别人知道"):
        if eve.overheard(secret):
            raise Missed(f"eve should not hear private words, but she sees:\n{eve.screen()}")


def a_latecomer_reads_what_was_said(stage, name):
    yang, eve = stage.yang(), stage.eve()
    earlier = [f"第{number}句，晚来的人也要看到" for number in range(1, 4)]
    for text in earlier:
        yang.say(text)
        eve.hears(yang, text)
    guest = stage.guest(name)
    for text in earlier:
        guest.hears(yang, text)
    order = [text for nick, text in guest.room_lines() if nick == yang.nick]
    if order != earlier:
        raise Missed(f"the lines should come in their order, but came as {order}")


def leaving_is_seen_and_everything_ends_well(stage, name):
    yang, guest, eve = stage.yang(), stage.guest(name), stage.eve()
    code = guest.leave()
    if code != 0:
        raise Missed(f"{guest.program} should end with 0 after leaving, but ended with {code}")
    eve.sees(guest.nick, "QUIT")
    yang.sees(f"{guest.nick} 离开了")
    yang.say("他走了")
    eve.hears(yang, "他走了")
    code = yang.leave()
    if code != 0:
        raise Missed(f"gzy client should end with 0 at the end of its input, but ended with {code}")


def all_programs_in_one_room_hear_one_order(stage):
    yang = stage.yang()
    everybody = [yang, *(stage.guest(name) for name in GUESTS)]
    for round_number in range(1, 4):
        for person in everybody:
            person.say(f"{person.program} 的第{round_number}句：大家好")
    for person in everybody:
        for speaker in everybody:
            for number in range(1, 4) if speaker is not person else ():
                person.hears(speaker, f"{speaker.program} 的第{number}句：大家好")
    # Nobody is shown their own lines as others are, so two people are compared by what both of them heard.
    for person in everybody[1:]:
        one, other = yang.room_lines(), person.room_lines()
        both = set(one) & set(other)
        one, other = ([line for line in lines if line in both] for lines in (one, other))
        if one != other:
            raise Missed(f"{yang.program} and {person.program} should hear one order, but heard\n{one}\nand\n{other}")


def after_a_pulled_plug_nothing_is_missing(stage):
    yang = stage.yang()
    stage.script_says("拔电源之前说的话")
    yang.sees("拔电源之前说的话")
    stage.server.pull_the_plug()
    stage.script_says("拔电源之后说的话")
    late = stage.guest("nc")
    for text in ("拔电源之前说的话", "拔电源之后说的话"):
        late.sees("PRIVMSG", text)
    late.say("都在吗？")
    # By itself it has come back, fetched what it missed, and shows each line once.
    yang.hears(late, "都在吗？")
    for text in ("拔电源之前说的话", "拔电源之后说的话"):
        shown = [line for line in yang.screen().splitlines() if text in line]
        if len(shown) != 1:
            raise Missed(f"{yang.nick} should see {text} once, but sees:\n{yang.screen()}")


def another_key_is_refused(stage, name):
    yang, guest = stage.yang(), stage.deceived_guest(name)
    guest.is_warned()
    # Had the guest come in, eve would be the third.
    eve = stage.eve()
    yang.sees(f"欢迎 {eve.nick}", "现在 2 人")
    if yang.overheard(guest.nick):
        raise Missed(f"{guest.nick} should not have come in, but {yang.nick} sees:\n{yang.screen()}")


def a_server_on_windows_is_a_server(stage):
    stage.moves_to_windows()
    yang, guest = stage.yang(), stage.guest("nc")
    yang.say("窗子那边听得见吗？")
    guest.hears(yang, "窗子那边听得见吗？")
    guest.say("听得见")
    yang.hears(guest, "听得见")
    stage.server.pull_the_plug()
    late = stage.eve()
    late.sees("PRIVMSG", "窗子那边听得见吗？")


WITH_EACH = [
    the_room_is_heard_both_ways,
    a_private_word_reaches_one_person_only,
    a_latecomer_reads_what_was_said,
    leaving_is_seen_and_everything_ends_well,
]
ENCRYPTED_WITH_EACH = [another_key_is_refused]
WITH_ALL = [all_programs_in_one_room_hear_one_order, after_a_pulled_plug_nothing_is_missing]


def main():
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--gzy", help="the binary to test; without it, one is built with cargo")
    asked.add_argument("--windows", help="gzy.exe, to be tested with wine")
    asked.add_argument("--only", choices=[*sorted(GUESTS), "accounts", "cloud", "files", "members", "starts", "terminal", "windows", "wire"],
                       help="test with this program alone; cloud is files, by curl, wget, aria2, a browser and bare sockets, members are people with accounts in other programs, terminal, accounts, files and starts are our own client on a screen, wire is what can be overheard between computers")
    asked = asked.parse_args()
    gzy = os.path.abspath(asked.gzy or built_gzy())
    if asked.only in (None, "library"):
        prepared_python()
    with tempfile.TemporaryDirectory(prefix="gzy-wine-") as folder:
        wine = windows.Wine(asked.windows, folder) if asked.windows else None
        tests = [(encrypted, *test) for encrypted in (False, True) for test in wanted_tests(asked.only, encrypted, wine)]
        failed = sum(not passes(gzy, wine, *test) for test in tests)
        if wine:
            wine.stop()
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


def wanted_tests(only, encrypted, wine):
    """Each as (where, test, its arguments)."""
    for name in [*GUESTS, *(["windows"] if wine else [])]:
        if only in (None, name):
            for test in WITH_EACH + (ENCRYPTED_WITH_EACH if encrypted else []):
                yield name, test, [name]
    heard = [] if os.geteuid() else wire.TESTS
    if not heard and only in (None, "wire"):
        print(f"NOT DONE: what can be overheard {'over TLS' if encrypted else 'in the clear'}; tcpdump needs root", flush=True)
    if wine and only in (None, "windows"):
        yield "windows", a_server_on_windows_is_a_server, []
    # Whom one trusts is a question only where it is encrypted.
    for name in members.PROGRAMS:
        if only in (None, "members", name):
            for test in members.WITH_EACH:
                yield name, test, [name]
    begun = starts.TESTS if encrypted else []
    places = [("all", WITH_ALL), ("members", members.TESTS), ("terminal", terminal.TESTS), ("accounts", accounts.TESTS), ("files", files.TESTS), ("cloud", cloud.tests(encrypted)), ("starts", begun), ("wire", heard)]
    for where, tests in places:
        if only in (None, where):
            for test in tests:
                yield where, test, []


def passes(gzy, wine, encrypted, where, test, arguments):
    title = f"{test.__name__} [{where}, {'TLS' if encrypted else 'clear'}]"
    began = time.monotonic()
    try:
        with Stage(gzy, wine, encrypted) as stage:
            test(stage, *arguments)
    except (Missed, OSError, subprocess.SubprocessError) as problem:
        print(f"FAILED  {title}\n{problem}", flush=True)
        return False
    print(f"ok      {title} ({time.monotonic() - began:.1f} s)", flush=True)
    return True


def built_gzy():
    subprocess.run(["cargo", "build", "--quiet", "--bin", "gzy"], cwd=ROOT, check=True)
    return os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "debug", "gzy")


sys.exit(main())

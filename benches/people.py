#!/usr/bin/env python3
"""What do a thousand people cost who log in at once? On data that were made by `cargo bench --bench million -- FOLDER 1000000 fill`.

    benches/people.py --gzy target/release/gzy --irc-load target/release/deps/irc_load-… --data FOLDER

The server has core 0 for itself; who logs in and who measures share core 1. Prints one line per figure.
"""

import argparse
import base64
import json
import os
import re
import selectors
import socket
import sqlite3
import statistics
import subprocess
import tempfile
import time

PASSWORD = "a thousand people"
HOST, PEOPLE, GROUPS = "127.0.0.1", 1000, 100
# What a program of today asks for that knows groups.
CAPS = "sasl batch server-time message-tags away-notify draft/chathistory draft/no-implicit-names draft/read-marker"
# Nobody being told anything for this long is an error.
PATIENCE_SECS = 60
# A talk is measured for this long; the burst has to last longer.
TALK_SECS = 12


class Server:
    """A running `gzy server` on core 0."""

    def __init__(self, gzy, data, lobby=""):
        command = ["taskset", "-c", "0", gzy, "server", "--listen", f"{HOST}:0", "--data", data, "--lobby", lobby]
        began = time.perf_counter()
        self._process = subprocess.Popen([*command, "--flood", "off", "--per-ip", "20000"], stdout=subprocess.PIPE, text=True)
        ready = self._process.stdout.readline()
        self.ready_ms = (time.perf_counter() - began) * 1e3
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)", ready).group(1))
        self.pid = self._process.pid

    def kib(self, name="VmRSS"):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(re.search(rf"{name}:\s+(\d+)", file.read()).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()


class Member:
    """Somebody who logs in, and may ask for the list of groups; notes when what was heard."""

    def __init__(self, name, port, asks):
        self.name, self._asks, self._unread = name, asks, b""
        self.tries, self.lines, self.bytes = 0, 0, 0
        self.logged_in = self.welcomed = self.asked = self.listed = None
        self.socket = socket.create_connection((HOST, port))
        self.socket.setblocking(False)
        self._say(f"CAP REQ :{CAPS}\r\nNICK {name}\r\nUSER u 0 * :u")
        self.began = time.perf_counter()
        self._log_in()

    @property
    def is_done(self):
        return self.listed if self._asks else self.welcomed

    def _log_in(self):
        self.tries += 1
        message = base64.b64encode(f"\0{self.name}\0{PASSWORD}".encode()).decode()
        self._say(f"AUTHENTICATE PLAIN\r\nAUTHENTICATE {message}")

    def _say(self, line):
        self.socket.sendall(f"{line}\r\n".encode())

    def read(self):
        came = self.socket.recv(1 << 18)
        if not came:
            raise SystemExit(f"the server has closed the connection of {self.name}: {self.last}")
        self.bytes += len(came)
        *lines, self._unread = (self._unread + came).split(b"\n")
        now = time.perf_counter()
        for line in lines:
            self._hear(line, now)

    def _hear(self, line, now):
        self.last = line.decode()
        words = line.split(b" ", 3)
        what = words[1] if len(words) > 1 else b""
        if line.startswith(b"PING"):
            self._say(line.decode().replace("PING", "PONG", 1))
        elif what == b"904" and b"too many people" in line:
            # As the refusal says.
            self.retry_at = now + 2
        elif what == b"904":
            raise SystemExit(line.decode())
        elif what == b"903":
            self.logged_in = now
            self._say("CAP END")
        elif what == b"001":
            self.welcomed = now
            if self._asks:
                self.asked = now
                self._say("PRIVMSG #group0 :!groups\r\nPING listed")
        elif b" here, " in line and b" NOTICE " in line:
            self.lines += 1
        elif line.rstrip().endswith(b"listed") and b" PONG " in line:
            self.pong = now
        if self.lines == GROUPS:
            self.listed = self.listed or now

    retry_at = None

    def retry_if_due(self, now):
        if self.retry_at and self.retry_at <= now:
            self.retry_at = None
            self._log_in()


def crowd(server, names, asks):
    """All log in at once; returns them when the last is done, and the most memory that was seen."""
    selector = selectors.DefaultSelector()
    members = [Member(name, server.port, asks) for name in names]
    for member in members:
        selector.register(member.socket, selectors.EVENT_READ, member)
    most, waiting, moved = 0, len(members), time.perf_counter()
    looked = 0.0
    while waiting:
        for key, _ in selector.select(0.05):
            key.data.read()
        now = time.perf_counter()
        if now - looked > 0.1:
            looked, most = now, max(most, server.kib())
            for member in members:
                member.retry_if_due(now)
            before, waiting = waiting, sum(not member.is_done for member in members)
            moved = now if waiting != before else moved
        if now - moved > PATIENCE_SECS:
            stuck = next(member for member in members if not member.is_done)
            raise SystemExit(f"{waiting} wait for ever, {stuck.name} has {stuck.lines} lines, logged in: {stuck.logged_in}")
    return members, most


def talk(arguments, server, seconds):
    """50 people talk at a steady pace: what irc_load measured."""
    command = ["taskset", "-c", "1", arguments.irc_load, "--server", f"{HOST}:{server.port}", "--pid", str(server.pid)]
    command += ["paced", "--members", "50", "--rate-each", "2", "--seconds", str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def told(talking):
    return json.loads(talking.communicate()[0])


def tell(what, figure, unit, promised=None):
    verdict = "" if promised is None else f"(promised: {promised}{'' if figure <= promised else ': MISSED'})"
    print(f"{what:<70} {figure:>10.2f} {unit} {verdict}", flush=True)


def start(arguments):
    times = []
    for _ in range(7):
        with Server(arguments.gzy, arguments.data) as server:
            times.append(server.ready_ms)
    tell("start to ready, median of 7, by the clock", statistics.median(times), "ms", 100)


def logins(arguments):
    with Server(arguments.gzy, arguments.data) as server:
        quiet = told(talk(arguments, server, TALK_SECS))
        idle = server.kib()
        talking = talk(arguments, server, TALK_SECS)
        began = time.perf_counter()
        # Accounts that are in no lively group: what groups cost is the next question.
        members, most = crowd(server, [f"nick{5000 + i}" for i in range(PEOPLE)], False)
        took = time.perf_counter() - began
        busy = told(talking)
        tell("1000 logins in a burst, all", took, "s")
        tell("… tries, for those who were told to come again", sum(member.tries for member in members), "")
        tell("p99 of talk, quiet", quiet["p99_ms"], "ms")
        tell("p99 of talk, while they log in", busy["p99_ms"], "ms")
        tell("… of which the generator's own lag, p99", busy["generator_lag_p99_ms"], "ms")
        tell("p99 of talk, one by the other", busy["p99_ms"] / quiet["p99_ms"], "", 2)
        tell("memory above idle, at most", (most - idle) / 1024, "MiB", 64)


def groups(arguments):
    with Server(arguments.gzy, arguments.data) as server:
        idle = server.kib()
        members, most = crowd(server, [f"nick{i}" for i in range(PEOPLE)], True)
        waits = sorted(member.listed - member.asked for member in members)
        log_ins = sorted(member.logged_in - member.began for member in members)
        tell("1000 accounts in 100 groups: longest wait for the list of groups", waits[-1], "s", 3)
        tell("… p50 of the wait", waits[len(waits) // 2], "s")
        tell("… from connecting to logged in, the last", log_ins[-1], "s")
        tell("… bytes read by one, on average", statistics.mean(member.bytes for member in members) / 1024, "KiB")
        tell("… memory above idle, at most", (most - idle) / 1024, "MiB")


def prepared(arguments):
    """Gives all accounts one password; what its hash costs is the real thing."""
    with tempfile.TemporaryDirectory() as folder:
        added = subprocess.run([arguments.gzy, "user", "add", "one", "--data", folder], input=PASSWORD + "\n", text=True, capture_output=True)
        added.check_returncode()
        with sqlite3.connect(os.path.join(folder, "gzy.db")) as database:
            (hashed,) = database.execute("SELECT password_hash FROM accounts").fetchone()
    with sqlite3.connect(os.path.join(arguments.data, "gzy.db")) as database:
        database.execute("UPDATE accounts SET password_hash = ?", (hashed,))


def main():
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--gzy", required=True, help="the program")
    asked.add_argument("--irc-load", required=True, help="the load generator, as cargo bench builds it")
    asked.add_argument("--data", required=True, help="a folder that the benchmark million has filled")
    asked.add_argument("--only", choices=["start", "logins", "groups"])
    arguments = asked.parse_args()
    prepared(arguments)
    os.sched_setaffinity(0, {1})
    for scenario in (start, logins, groups):
        if arguments.only in (None, scenario.__name__):
            scenario(arguments)


main()

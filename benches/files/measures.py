"""What is measured: each measure does one piece of work with one running peer and returns figures by name.

A measure names the peers that can do it. Where the clock runs, nothing else is done in that time.
"""

import hashlib
import json
import mmap
import os
import shutil
import statistics
import subprocess
import threading
import time

from files import wire
from servers import Failed

GIB = 1 << 30
BIG = "big.bin"
SMALL = "small"
# Transfers that run flat out beside the talk, and the room that does the talking.
FLAT_OUT = 16
TALKERS, RATE_EACH = 50, 2
# Downloads at a trickle, and how slow they are.
SLOW, SLOW_BYTES_PER_S = 64, 10_000
# The kernel's own buffers are not in the resident set; what is, is there after this long.
SLOW_SECS = 4
# dufs leaves Nagle's algorithm on, and every small file on a kept connection waits 40 ms: so many of them say enough.
FEW = 500
# What an upload beside the talk announces: 16 of them fit on a disk.
LONG = 256 << 20
# Programs that bring or fetch are given up after this.
CLIENT_WITHIN_S = 900


class Stock:
    """The files that are moved: made once, linked into the folder of each peer, so that all share one page cache."""

    def __init__(self, folder, size, count, small_size):
        self.folder, self.size, self.small_size = folder, size, small_size
        self.big = os.path.join(folder, BIG)
        self.small = os.path.join(folder, SMALL)
        self.names = [f"{number:05}.bin" for number in range(count)]
        os.makedirs(self.small)
        with open(self.big, "wb") as file:
            for at in range(0, size, 1 << 20):
                file.write(os.urandom(min(1 << 20, size - at)))
        for name in self.names:
            with open(os.path.join(self.small, name), "wb") as file:
                file.write(os.urandom(small_size))
        os.sync()

    def place(self, root, big=False, small=False):
        """Links the files into a peer's folder."""
        os.makedirs(root, exist_ok=True)
        if big:
            os.link(self.big, os.path.join(root, BIG))
        if small:
            shutil.copytree(self.small, os.path.join(root, SMALL), copy_function=os.link)

    def renew(self):
        """Makes the big file another one by its first bytes: nobody has seen it yet."""
        with open(self.big, "r+b") as file:
            file.write(os.urandom(16))
        os.sync()


def touch_memory(size):
    """Makes so much of the machine's free memory real. A virtual machine gives what is free back to its host, and whoever touches it first would pay for that."""
    with mmap.mmap(-1, size) as memory:
        for at in range(0, size, mmap.PAGESIZE):
            memory[at] = 1


class Clock:
    """CPU of the peer and time on the wall between two moments."""

    def __init__(self, running):
        self._running = running
        self._cpu, self._wall = running.cpu_s(), time.perf_counter()

    def stop(self):
        """Seconds of both."""
        wall = time.perf_counter() - self._wall
        return self._running.cpu_s() - self._cpu, wall


def per_gib(clock, size):
    """CPU and wall seconds, as if it had been 1 GiB."""
    cpu, wall = clock.stop()
    return {"cpu_s": cpu * GIB / size, "wall_s": wall * GIB / size}


def per_file(clock, count):
    """CPU microseconds per file, and files per second."""
    cpu, wall = clock.stop()
    return {"cpu_us": cpu * 1e6 / count, "files_s": count / wall}


def down(running, stock, _):
    """One stream, then four ranges at once."""
    with_ranges = running.peer.program in ("gzy", "nginx", "dufs")
    if running.peer.program == "vsftpd":
        with wire.Ftp(running) as ftp:
            clock = Clock(running)
            ftp.get(BIG)
            return per_gib(clock, stock.size)
    # The first fetch warms the code; it is small.
    wire.get_ranges(running, BIG, 4096) if with_ranges else wire.get(running, BIG)
    clock = Clock(running)
    wire.get(running, BIG)
    figures = per_gib(clock, stock.size)
    if with_ranges:
        clock = Clock(running)
        wire.get_ranges(running, BIG, stock.size)
        figures |= {f"four_{name}": value for name, value in per_gib(clock, stock.size).items()}
    return figures


def up(running, stock, _):
    """One stream; what came must be what was sent."""
    if running.peer.program == "vsftpd":
        with wire.Ftp(running) as ftp:
            clock = Clock(running)
            ftp.put(running.incoming("up.bin"), stock.big)
            figures = per_gib(clock, stock.size)
    elif running.peer.program == "copyparty":
        # Its own uploader, which hashes as well: by PUT it would be another piece of work.
        clock = Clock(running)
        ran([os.path.join(os.path.dirname(running.peer.binary), "u2c"), f"http://127.0.0.1:{running.port}/", stock.big])
        figures = per_gib(clock, stock.size)
    else:
        with wire.Http(running) as http:
            clock = Clock(running)
            http.put_file("up.bin", stock.big)
            figures = per_gib(clock, stock.size)
    came = os.path.join(running.root, running.incoming(BIG if running.peer.program == "copyparty" else "up.bin"))
    if subprocess.run(["cmp", came, stock.big], check=False).returncode:
        raise Failed(f"what {running.peer.name} has stored is not what was sent")
    return figures


def put(running, stock, folder):
    """`gzy put` of the big file, and of the same content again under another name: no byte of it moves."""
    gzy_put(running, stock.big, folder)
    # The digest of a client that has seen the file is remembered or not; here it may not be.
    again = os.path.join(stock.folder, "again.bin")
    os.link(stock.big, again)
    try:
        hash_s = hashed_s(again)
        before = used(running.root)
        began = time.perf_counter()
        gzy_put(running, again, folder)
        took = time.perf_counter() - began
        return {"again_ms": took * 1e3, "again_beyond_hash_ms": (took - hash_s) * 1e3, "again_bytes": used(running.root) - before}
    finally:
        os.remove(again)


def small_down(running, stock, _):
    """Many small files on one connection, one by one, and pipelined where the server can."""
    names = [f"{SMALL}/{name}" for name in stock.names][:FEW if running.peer.program == "dufs" else None]
    if running.peer.program == "vsftpd":
        with wire.Ftp(running) as ftp:
            clock = Clock(running)
            for name in names:
                ftp.get(name)
            return per_file(clock, len(names))
    clock = Clock(running)
    took = sorted(wire.get_one_by_one(running, names))
    figures = per_file(clock, len(names))
    figures |= {"p50_ms": statistics.median(took) * 1e3, "p999_ms": took[len(took) * 999 // 1000] * 1e3, "max_ms": took[-1] * 1e3}
    if running.peer.program in ("gzy", "nginx"):
        clock = Clock(running)
        wire.get_pipelined(running, names)
        figures |= {f"pipelined_{name}": value for name, value in per_file(clock, len(names)).items()}
    return figures


def small_up(running, stock, folder):
    """Many small files up, by what each server's people would use."""
    program, count = running.peer.program, len(stock.names)
    if program == "vsftpd":
        with wire.Ftp(running) as ftp:
            ftp.make_folder(running.incoming(SMALL))
            clock = Clock(running)
            for name in stock.names:
                ftp.put(running.incoming(f"{SMALL}/{name}"), os.path.join(stock.small, name))
            figures = per_file(clock, count)
    else:
        clock = Clock(running)
        {"gzy": _by_gzy, "sftp": _by_sftp, "copyparty": _by_u2c}.get(program, _by_http)(running, stock, folder)
        figures = per_file(clock, count)
    came = len(os.listdir(os.path.join(running.root, running.incoming(SMALL))))
    if came != count:
        raise Failed(f"{count} files were brought, and {came} are there")
    return figures


def _by_gzy(running, stock, folder):
    gzy_put(running, stock.small, folder)


def _by_http(running, stock, _):
    os.makedirs(os.path.join(running.root, SMALL), exist_ok=True)
    renamed = [f"{SMALL}/{name}" for name in stock.names]
    wire.put_one_by_one(running, stock.folder, renamed)


def _by_u2c(running, stock, _):
    ran([os.path.join(os.path.dirname(running.peer.binary), "u2c"), f"http://127.0.0.1:{running.port}/", stock.small])


def _by_sftp(running, stock, folder):
    key = os.path.join(folder, "one")
    batch = os.path.join(folder, "batch")
    with open(batch, "w", encoding="ascii") as file:
        file.write(f"put -r {stock.small} {running.root}/\n")
    ran(["sftp", "-q", "-i", key, "-P", str(running.port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
         "-b", batch, "127.0.0.1"])


def talk(running, stock, folder, load):
    """A room talks alone, beside 16 downloads, and beside 16 uploads, all flat out; how late are its lines, what does the memory grow by?"""
    figures = {"idle_kib": running.kib(), **_named("alone", _talk(running, load))}
    block = os.urandom(1 << 20)

    def fetch(_, over):
        wire.drain(running, BIG, over)

    def bring(number, over):
        wire.pour(running, f"long-{number}-{time.monotonic_ns()}.bin", LONG, block, over)

    for kind, work in (("down", fetch), ("up", bring)):
        before = running.kib()
        with wire.Crowd(work, FLAT_OUT) as crowd, MostMemory(running) as most:
            heard = _talk(running, load)
            if crowd.failures:
                raise Failed(f"a transfer beside the talk failed: {crowd.failures[0]}")
        figures |= _named(kind, heard) | {f"{kind}_kib": most.kib - before}
    return figures


class MostMemory:
    """The most memory that was seen while something ran."""

    def __init__(self, running):
        self._running, self.kib = running, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _look(self):
        while not self._over.wait(0.05):
            self.kib = max(self.kib, self._running.kib())


def _named(kind, heard):
    return {f"{kind}_p50_ms": heard["p50_ms"], f"{kind}_p99_ms": heard["p99_ms"], f"{kind}_lag_p99_ms": heard["generator_lag_p99_ms"]}


def _talk(running, load):
    """What irc_load says of a paced talk. It may have a core before the transfers' clients have it: their hurry is not the question."""
    command = ["nice", "-n", "-10"] if os.geteuid() == 0 else []
    command += [*load, "--server", f"127.0.0.1:{running.port}", "--pid", str(running.process.pid)]
    command += ["paced", "--members", str(TALKERS), "--rate-each", str(RATE_EACH), "--seconds", "8"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_WITHIN_S, check=False)
    if done.returncode:
        raise Failed(f"the talk beside the transfers went wrong: {ascii(done.stderr[-300:])}")
    return json.loads(done.stdout)


def slow(running, _stock, _folder):
    """Many downloads at a trickle: what each costs in memory, and in threads."""
    with wire.Http(running) as http:
        http.request("HEAD", BIG)
    kib, threads = running.kib(), running.threads()
    crowd = wire.Slow(running, BIG, SLOW, SLOW_BYTES_PER_S)
    try:
        crowd.read_for(SLOW_SECS)
        return {"kib_each": (running.kib() - kib) / SLOW, "threads": running.threads() - threads}
    finally:
        crowd.close()


def yardsticks(stock, folder):
    """What no server can do without: the hash of the big file on one core, and bringing as much to the disk."""
    copy = os.path.join(folder, "copy.bin")
    hash_s = hashed_s(stock.big)
    began = time.perf_counter()
    ran(["dd", f"if={stock.big}", f"of={copy}", "bs=1M", "conv=fsync"])
    wall = time.perf_counter() - began
    os.remove(copy)
    scale = GIB / stock.size
    return {"hash_s": hash_s * scale, "dd_s": wall * scale}


def hashed_s(path):
    """CPU seconds that SHA-256 of a file takes, read in pieces as a server would."""
    digest, piece = hashlib.sha256(), bytearray(1 << 18)
    began = time.process_time()
    with open(path, "rb", buffering=0) as file:
        while came := file.readinto(piece):
            digest.update(memoryview(piece)[:came])
    return time.process_time() - began


def gzy_put(running, path, folder):
    """`gzy put`, as a newcomer who trusts the first key that is seen."""
    config = os.path.join(folder, "config")
    os.makedirs(config, exist_ok=True)
    secrecy = [] if running.peer.tls else ["--plain"]
    ran([running.peer.binary, "put", f"127.0.0.1:{running.port}", *secrecy, path], XDG_CONFIG_HOME=config)


def ran(command, **environment):
    """Runs a program to its good end."""
    done = subprocess.run(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, timeout=CLIENT_WITHIN_S, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout)[-400:].decode("utf-8", "replace")
        raise Failed(f"{os.path.basename(command[0])} ended with {done.returncode}: {ascii(said)}")


def used(folder):
    """Bytes on the disk, a file with two names once."""
    seen = {}
    for where, _, names in os.walk(folder):
        for name in names:
            info = os.lstat(os.path.join(where, name))
            seen[info.st_ino] = info.st_blocks * 512
    return sum(seen.values())

#!/usr/bin/env python3
"""What does moving files cost with GZY, beside nginx, vsftpd, dufs, copyparty and sftp, on this machine, in one run?

Runs in a network namespace of its own whose loopback uses TCP cubic. Several rounds, the servers taking turns; medians; tables in
Markdown on standard output. docs/benchmarks.md tells how to read them.

    benches/files.py --gzy target/release/gzy                       everything, three rounds
    benches/files.py --gzy … --size 64 --count 500 --rounds 1       a smoke test; nothing of it is to be quoted
    benches/files.py --gzy … --only up,up-tls                       these measures only
    benches/files.py                                                the peers alone
"""

import argparse
import ftplib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile

# The modules beside this one leave nothing behind in the tree.
sys.dont_write_bytecode = True

from compare import build, use_cubic  # noqa: E402
from files import measures, peers, table  # noqa: E402
from servers import Failed  # noqa: E402

# Set in the process that runs inside of the namespace: the load generator's path.
INSIDE = "GZY_FILES_INSIDE"
FIRST_PORT = 7700
SERVER_CORE, LOAD_CORE = 0, 1
MIB = 1 << 20
# Touched before each measure beside the size of the big file: for the small ones, and for what the servers take.
MEMORY_BESIDE_BYTES = 512 * MIB
# Measure: (what does it, which peers can do it, which files lie there before, encrypted or not).
WHAT = {
    "down": (measures.down, ["gzy", "nginx", "vsftpd", "dufs", "copyparty"], {"big": True}, False),
    "down-tls": (measures.down, ["gzy", "nginx", "dufs"], {"big": True}, True),
    "up": (measures.up, ["gzy", "nginx", "vsftpd", "dufs", "copyparty"], {}, False),
    "up-tls": (measures.up, ["gzy", "nginx", "dufs"], {}, True),
    "put": (measures.put, ["gzy"], {}, False),
    "small-down": (measures.small_down, ["gzy", "nginx", "vsftpd", "dufs", "copyparty"], {"small": True}, False),
    "small-up": (measures.small_up, ["gzy", "nginx", "vsftpd", "dufs", "sftp", "copyparty"], {}, False),
    "talk": (measures.talk, ["gzy"], {"big": True}, False),
    "slow": (measures.slow, ["gzy", "nginx", "dufs"], {"big": True}, False),
    "yardsticks": (measures.yardsticks, ["-"], {}, False),
}
PEERS = {
    "gzy": (peers.Gzy, "gzy"), "nginx": (peers.Nginx, "nginx"), "vsftpd": (peers.Vsftpd, "vsftpd"), "dufs": (peers.Dufs, "dufs"),
    "copyparty": (peers.Copyparty, "copyparty"), "sftp": (peers.Sshd, "sshd"),
}


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if INSIDE not in os.environ:
        return run_in_namespace(args)
    use_cubic()
    os.makedirs(args.folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gzy-files-", dir=os.path.abspath(args.folder)) as folder:
        # Who comes to vsftpd without a name is nobody, and must get through to the files.
        os.chmod(folder, 0o755)
        rounds = Rounds(args, folder)
        try:
            rounds.run()
        finally:
            # Also when somebody ends it before its time.
            tell(args, rounds.runs, rounds.failures)
    return 1 if rounds.failures else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, (_, program) in PEERS.items():
        parser.add_argument(f"--{program}", dest=name, help=f"the binary of {program}" + ("" if name == "gzy" else "; looked for when not given"))
    parser.add_argument("--load", help="the load generator of benches/irc_load; built with cargo when not given")
    parser.add_argument("--only", help=f"measures, separated by commas: {', '.join(WHAT)}")
    parser.add_argument("--peers", help="peers, separated by commas; all that are there when not given")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the table shows the medians (3)")
    parser.add_argument("--size", type=int, default=1024, help="MiB of the big file (1024)")
    parser.add_argument("--count", type=int, default=10_000, help="small files (10000)")
    parser.add_argument("--small", type=int, default=10_240, help="bytes of a small file (10240)")
    parser.add_argument("--folder", default="target", help="where the files go for the time of the run; a disk, no tmpfs (target)")
    parser.add_argument("--json", default="target/files.json", help="where every run's figures go")
    args = parser.parse_args()
    args.only = args.only.split(",") if args.only else list(WHAT)
    if unknown := [name for name in args.only if name not in WHAT]:
        sys.exit(f"no measure {unknown[0]!r}; there are {', '.join(WHAT)}")
    args.found = {name: os.path.abspath(path) for name, path in found_peers(args) if path}
    return args


def found_peers(args):
    """Each peer that was asked for, with its binary."""
    for name, (_, program) in PEERS.items():
        path = getattr(args, name)
        if path and not os.access(path, os.X_OK):
            sys.exit(f"{path} is no program that can be run")
        if args.peers is None or name in args.peers.split(","):
            yield name, path if name == "gzy" else peers.found(program, path)


def run_in_namespace(args):
    """Runs this program again in a network of its own, where nothing that it starts outlives it; returns its exit code."""
    needs_load = "talk" in args.only and "gzy" in args.found
    os.environ[INSIDE] = os.path.abspath(args.load or build()) if needs_load else ""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    own = ["--net", "--pid", "--fork", "--mount-proc", "--kill-child=SIGTERM", *as_root]
    inner = subprocess.Popen(["unshare", *own, sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    try:
        return inner.wait()
    finally:
        inner.kill()


class Rounds:
    """All runs: every measure with every peer, in rounds."""

    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.port = FIRST_PORT
        self.runs, self.failures = [], []
        print(f"missing, so left out: {', '.join(name for name in PEERS if name not in args.found) or 'nobody'}", file=sys.stderr)
        self.stock = measures.Stock(folder, args.size * MIB, args.count, args.small)

    def run(self):
        for number in range(self.args.rounds):
            for measure in self.args.only:
                able = [name for name in WHAT[measure][1] if name == "-" or name in self.args.found]
                # Who goes first changes, so that nobody always follows the same one.
                turn = number % len(able) if able else 0
                for peer in able[turn:] + able[:turn]:
                    print(f"round {number + 1}: {measure} {peer}", file=sys.stderr, flush=True)
                    try:
                        self.runs.append({"round": number, "peer": peer, "measure": measure, "figures": self.measure(measure, peer)})
                    except (Failed, OSError, subprocess.SubprocessError, ftplib.Error) as error:
                        print(f"  failed: {error}", file=sys.stderr)
                        self.failures.append(f"{measure} {peer}: {error}")

    def measure(self, measure, name):
        """Runs one measure with one peer, freshly started, and returns the figures."""
        work, _, files, tls = WHAT[measure]
        folder = tempfile.mkdtemp(dir=self.folder)
        os.chmod(folder, 0o755)
        try:
            self.stock.renew()
            if name == "-":
                return work(self.stock, folder)
            return self.with_peer(measure, PEERS[name][0](self.args.found[name], tls), folder, files, work)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.sync()

    def with_peer(self, measure, peer, folder, files, work):
        self.port += 1
        self.stock.place(peer.root(folder), **files)
        # Talk is measured as benches/compare.py does it: the server on one core, everybody else on the other.
        is_talk = measure == "talk"
        running = peer.start(folder, self.port, SERVER_CORE if is_talk else None)
        try:
            measures.touch_memory(self.args.size * MIB + MEMORY_BESIDE_BYTES)
            peer.shows(running, [measures.BIG] if "big" in files else [f"{measures.SMALL}/{name}" for name in self.stock.names] if files else [])
            if not is_talk:
                return work(running, self.stock, folder)
            os.sched_setaffinity(0, {LOAD_CORE})
            return work(running, self.stock, folder, [os.environ[INSIDE]])
        except Failed as error:
            raise Failed(f"{error}; the server said: {peers.servers.last_words(folder)}") from None
        finally:
            os.sched_setaffinity(0, range(os.cpu_count()))
            running.end()


def tell(args, runs, failures):
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    print(f"{machine}; medians of {args.rounds} rounds; {args.size} MiB; {args.count} files of {args.small} bytes\n")
    print(table.markdown(runs, list(args.found)))
    for failure in failures:
        print(f"\nFailed: {failure}")
    os.makedirs(os.path.dirname(os.path.abspath(args.json)), exist_ok=True)
    with open(args.json, "w", encoding="utf-8") as file:
        json.dump({"machine": machine, "runs": runs, "failures": failures}, file, indent=1)


if __name__ == "__main__":
    sys.exit(main())

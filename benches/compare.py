#!/usr/bin/env python3
"""How does GZY compare with ngircd and inspircd, on this machine, in one run?

Runs benches/irc_load against each server in turn, in a network namespace of its own whose loopback uses TCP cubic:
server on one core, load generator on the other. Several rounds, the servers taking turns; medians; a table in
Markdown on standard output. docs/benchmarks.md tells how to read it.

    benches/compare.py --gzy target/release/gzy              everything, three rounds, about twenty minutes
    benches/compare.py --gzy target/release/gzy --quick      every scenario once, about a second each
    benches/compare.py --gzy … --only window:100:16,slow     these only
    benches/compare.py --servers ngircd,inspircd             the peers alone
    benches/compare.py --gzy target/release/gzy --tls        all through TLS, and GZY in the clear beside them
"""

import argparse
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

# The modules beside this one leave nothing behind in the tree.
sys.dont_write_bytecode = True

import ratios  # noqa: E402
import servers  # noqa: E402
from servers import Failed  # noqa: E402

SERVER_CORE = 0
LOAD_CORE = 1
FIRST_PORT = 6700
# Set in the process that runs inside of the namespace.
INSIDE = "GZY_COMPARE_INSIDE"
# The longest scenario, 10 000 people coming in one by one to a server that takes 5 ms for each, takes two minutes.
SCENARIO_WITHIN_S = 600
# Ending a server takes ten seconds at most, removing the folder less.
TIDY_WITHIN_S = 20
# Where the start is measured with a history: so many messages.
HISTORY = 100_000

# Scenario: its arguments for the load generator, and those for --quick.
SCENARIOS = {
    **{f"window:{members}:{under_way}": (["--seconds", "3"], ["--seconds", "1"])
       for members in (100, 1000) for under_way in (1, 16, 64)},
    "paced:200:5": (["--seconds", "5"], ["--seconds", "1"]),
    "paced1:100:1000": (["--seconds", "5"], ["--seconds", "1"]),
    "crowds": ([], ["--few", "500", "--memory-of", "1000", "--many", "1500", "--seconds", "2"]),
    "slow": ([], ["--megabytes", "8"]),
    "start": (["--times", "7"], ["--times", "3"]),
}
# The same for --tls.
TLS_SCENARIOS = {
    **{name: SCENARIOS[name] for name in ("window:100:16", "window:1000:1", "window:1000:16")},
    "handshake": (["--times", "2000"], ["--times", "500"]),
    "idle": (["--connections", "5000"], ["--memory-of", "1000", "--connections", "1000", "--seconds", "1"]),
}
# What the numbers behind a scenario's name are.
NUMBERS = {
    "window": ["--members", "--under-way"],
    "paced": ["--members", "--rate-each"],
    "paced1": ["--members", "--rate"],
}


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if INSIDE not in os.environ:
        return run_in_namespace(args)
    use_cubic()
    chosen = [servers.Gzy(args.gzy)] if args.gzy else []
    chosen += [servers.Gzy(args.gzy, tls=True)] if args.gzy and args.tls else []
    chosen += [peer(args.tls) for peer in (servers.Ngircd, servers.Inspircd) if peer.program in args.servers]
    with tempfile.TemporaryDirectory(prefix="gzy-compare-") as folder:
        runs, failures = Rounds(args, chosen, folder).run()
    tell(args, [server.name for server in chosen], runs, failures)
    return 1 if failures else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gzy", help="the binary of GZY to measure")
    parser.add_argument("--load", help="the load generator's binary; built with cargo when not given")
    parser.add_argument("--servers", default="ngircd,inspircd", help="the peers to compare with (ngircd,inspircd)")
    parser.add_argument("--only", help="scenarios, separated by commas; see --list")
    parser.add_argument("--tls", action="store_true", help="through TLS; GZY in the clear as well")
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the table shows the medians (3)")
    parser.add_argument("--quick", action="store_true", help="one round, about a second per scenario: for tuning")
    parser.add_argument("--json", default="target/compare.json", help="where every run's figures go")
    args = parser.parse_args()
    if args.list:
        print("\n".join(TLS_SCENARIOS if args.tls else SCENARIOS))
        sys.exit(0)
    args.servers = args.servers.split(",") if args.servers else []
    args.rounds = 1 if args.quick else args.rounds
    args.scenarios = args.only.split(",") if args.only else list(TLS_SCENARIOS if args.tls else SCENARIOS)
    check(args)
    return args


def check(args):
    """Refuses what cannot be run, before anything is started."""
    for name in args.scenarios:
        kind, *numbers = name.split(":")
        if name not in SCENARIOS | TLS_SCENARIOS and (kind not in NUMBERS or len(numbers) != 2):
            sys.exit(f"no scenario {name!r}; the known ones are {', '.join(SCENARIOS | TLS_SCENARIOS)}, with other numbers too")
    for name in args.servers:
        if not shutil.which(name):
            sys.exit(f"{name} is not installed; install it (apt install {name}), or leave it out with --servers")
    if not args.gzy and not args.servers:
        sys.exit("nothing to measure: give --gzy or --servers")
    for path in filter(None, (args.gzy, args.load)):
        if not os.access(path, os.X_OK):
            sys.exit(f"{path} is no program that can be run; build it first")
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("a core for the server and one for the load generator are needed; this machine gives only one")


def run_in_namespace(args):
    """Builds the load generator and runs this program again in a network of its own; returns its exit code.

    The namespace for processes sees to it that nothing which was started there outlives it, whatever ends it.
    """
    os.environ[INSIDE] = os.path.abspath(args.load or build())
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    own = ["--net", "--pid", "--fork", "--mount-proc", "--kill-child=SIGTERM", *as_root]
    inner = subprocess.Popen(["unshare", *own, sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    try:
        return inner.wait()
    except KeyboardInterrupt:
        # The terminal has told the inner one as well; it ends its servers and removes its folder.
        return inner.wait(TIDY_WITHIN_S)
    finally:
        # unshare itself heeds no SIGTERM; when it is killed, the inner one gets the signal.
        inner.kill()


def build():
    """The load generator's path, freshly built."""
    command = ["cargo", "bench", "--bench", "irc_load", "--no-run", "--message-format=json"]
    built = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("target", {}).get("name") == "irc_load" and message.get("executable"):
            return message["executable"]
    sys.exit("cargo did not build the load generator; its errors are above")


def use_cubic():
    """Where another congestion control is the default, loopback is paced, and the pacing is what is measured."""
    subprocess.run("ip link set lo up".split(), check=True)
    # Both routes: the one to the single address, which the kernel adds by itself, would win over the one to the net.
    for where in ("127.0.0.0/8", "127.0.0.1"):
        route = f"ip route replace local {where} dev lo proto kernel src 127.0.0.1 table local congctl cubic"
        subprocess.run(route.split(), check=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as near, listener.accept()[0] as far:
            for end in (near, far):
                control = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()
                if control != "cubic":
                    sys.exit(f"loopback uses TCP {control} instead of cubic; load the module tcp_cubic and try again")


class Rounds:
    """All runs: every scenario for every server, in rounds."""

    def __init__(self, args, chosen, folder):
        self.args = args
        self.load = os.environ[INSIDE]
        self.chosen = chosen
        self.folder = folder
        self.port = FIRST_PORT
        # GZY's folder with a history, once there is one.
        self.history = None

    def run(self):
        runs, failures = [], []
        for number in range(self.args.rounds):
            for scenario in self.args.scenarios:
                # Who goes first changes, so that nobody always follows the same one.
                turn = number % len(self.chosen)
                for server in self.chosen[turn:] + self.chosen[:turn]:
                    if scenario == "handshake" and not server.tls:
                        continue
                    print(f"round {number + 1}: {scenario} {server.name}", file=sys.stderr, flush=True)
                    try:
                        figures = self.measure(server, scenario)
                        runs.append({"round": number, "server": server.name, "scenario": scenario, "figures": figures})
                    except Failed as error:
                        print(f"  failed: {error}", file=sys.stderr)
                        failures.append(f"{scenario} {server.name}: {error}")
        return runs, failures

    def measure(self, server, scenario):
        """Runs one scenario against one server and returns the figures."""
        self.port += 1
        if scenario == "start":
            return self.start(server)
        folder = tempfile.mkdtemp(prefix=server.program, dir=self.folder)
        process = server.start(folder, self.port, SERVER_CORE)
        try:
            return self.put_load(server, process.pid, words(scenario, self.args.quick))
        except Failed as error:
            raise Failed(f"{error}; the server said: {servers.last_words(folder)}") from None
        finally:
            servers.end(process)
            shutil.rmtree(folder, ignore_errors=True)

    def start(self, server):
        """The start of a server in an empty folder; of GZY, in one with a history."""
        folder = tempfile.mkdtemp(prefix=server.program, dir=self.folder)
        if server.program == "gzy":
            folder = self.history = self.history or self.fill(server, folder)
        scenario = [*words("start", self.args.quick), "--core", str(SERVER_CORE), "--"]
        return self.put_load(server, None, scenario + server.command(folder, self.port))

    def fill(self, server, folder):
        process = server.start(folder, self.port, SERVER_CORE)
        try:
            self.put_load(server, process.pid, ["fill", "--messages", str(HISTORY)])
        finally:
            servers.end(process)
        return folder

    def put_load(self, server, pid, scenario):
        command = ["taskset", "-c", str(LOAD_CORE), self.load, "--server", f"127.0.0.1:{self.port}",
                   "--at-a-time", str(server.at_a_time)]
        command += ["--pid", str(pid)] if pid else []
        command += ["--tls"] if server.tls else []
        try:
            done = subprocess.run([*command, *scenario], capture_output=True, text=True, timeout=SCENARIO_WITHIN_S,
                                  check=False, preexec_fn=servers.set_limits)
        except subprocess.TimeoutExpired:
            raise Failed(f"not done within {SCENARIO_WITHIN_S} s") from None
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}, without a word"]
            raise Failed(said[-1])
        return json.loads(done.stdout)


def words(scenario, quick):
    """The load generator's arguments for a scenario such as `window:100:16`."""
    kind, *numbers = scenario.split(":")
    named = [word for pair in zip(NUMBERS.get(kind, []), numbers) for word in pair]
    all_known = SCENARIOS | TLS_SCENARIOS
    like = next(known for known in all_known if known.split(":")[0] == kind)
    return [kind, *named, *all_known.get(scenario, all_known[like])[quick]]


def tell(args, names, runs, failures):
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    how = "one quick run, for tuning only, crowds of 1500" if args.quick else f"medians of {args.rounds} rounds"
    print(f"{machine}; {how}\n")
    print(ratios.table(runs, names, ratios.TLS_AIMS if args.tls else ratios.AIMS))
    if fates := ratios.fates(runs):
        print(f"\nThe one that never reads:\n\n{fates}")
    for failure in failures:
        print(f"\nFailed: {failure}")
    os.makedirs(os.path.dirname(os.path.abspath(args.json)), exist_ok=True)
    with open(args.json, "w", encoding="utf-8") as file:
        json.dump({"machine": machine, "quick": args.quick, "runs": runs, "failures": failures}, file, indent=1)


if __name__ == "__main__":
    sys.exit(main())

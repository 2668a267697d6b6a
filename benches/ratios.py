"""What do the figures say? Medians over the rounds, ratios to the better peer, and the aims."""

import statistics

PEERS = ("ngircd", "inspircd")


class Aim:
    """One line of the table: a figure of a scenario and what GZY wants of it."""

    def __init__(self, scenario, figure, work, per_peer=None, at_most=None, more_is_better=False, either=False,
                 peers=PEERS, own="gzy"):
        self.scenario = scenario
        self.figure = figure
        self.work = work
        # GZY's figure divided by the better peer's: at most this, or at least this when more is better.
        self.per_peer = per_peer
        # GZY's figure itself.
        self.at_most = at_most
        self.more_is_better = more_is_better
        # One of the two is enough; otherwise both must hold.
        self.either = either
        self.peers = peers
        # Whose figure it is.
        self.own = own

    def better_peer(self, medians):
        figures = [medians[(peer, self.scenario)][self.figure] for peer in self.peers
                   if self.figure in medians.get((peer, self.scenario), {})]
        if not figures:
            return None
        return max(figures) if self.more_is_better else min(figures)

    def wanted(self):
        sign = "≥" if self.more_is_better else "≤"
        parts = []
        if self.per_peer is not None:
            parts.append(f"{sign} {self.per_peer:g} ×")
        if self.at_most is not None:
            parts.append(f"≤ {self.at_most:g}")
        return (" or " if self.either else ", ").join(parts)

    def reached(self, figure, peer):
        """True or False, or None when there is nothing to compare with."""
        verdicts = []
        if self.per_peer is not None:
            if not peer:
                return None
            ratio = figure / peer
            verdicts.append(ratio >= self.per_peer if self.more_is_better else ratio <= self.per_peer)
        if self.at_most is not None:
            verdicts.append(figure <= self.at_most)
        if not verdicts:
            return None
        return any(verdicts) if self.either else all(verdicts)


def talk_aims(members, under_way, cpu):
    scenario = f"window:{members}:{under_way}"
    work = f"{under_way} under way to {members}"
    return [
        Aim(scenario, "cpu_us_per_delivery", f"{work}, µs CPU per delivery", per_peer=cpu),
        Aim(scenario, "deliveries_per_s", f"{work}, deliveries/s",
            per_peer=5 if (members, under_way) == (100, 16) else None, more_is_better=True),
        Aim(scenario, "p99_ms", f"{work}, p99 ms", at_most=5 if (members, under_way) == (100, 16) else None),
    ]


AIMS = [
    *talk_aims(100, 1, 1.05),
    *talk_aims(100, 16, 0.85),
    *talk_aims(100, 64, 0.60),
    *talk_aims(1000, 1, 0.95),
    *talk_aims(1000, 16, 0.70),
    *talk_aims(1000, 64, 0.35),
    Aim("paced:200:5", "cpu_us_per_delivery", "200 members, each 5 messages/s, µs CPU per delivery", per_peer=0.70),
    Aim("paced:200:5", "p99_ms", "200 members, each 5 messages/s, p99 ms", at_most=10),
    Aim("paced1:100:1000", "cpu_us_per_delivery", "1000 messages/s to 100, µs CPU per delivery"),
    Aim("paced1:100:1000", "p99_ms", "1000 messages/s to 100, p99 ms", per_peer=1.1, at_most=10, either=True),
    Aim("crowds", "rss_start_kib", "resident after start, KiB", at_most=4096),
    Aim("crowds", "bytes_per_connection", "per idle connection, bytes", at_most=1300),
    Aim("crowds", "register_us_few", "registering with JOIN at 1000 users, µs CPU", per_peer=1.0),
    Aim("crowds", "register_us_many", "registering with JOIN at 10 000 users, µs CPU", per_peer=1.0),
    Aim("crowds", "register_growth", "the same, at 10 000 divided by at 1000", at_most=1.3),
    Aim("crowds", "idle_cpu_ms_per_s", "idle CPU with 10 000 connections, ms/s", at_most=0.2),
    Aim("start", "listens_ms", "start until it listens, ms (GZY with 100 000 messages)", per_peer=1.0,
        peers=("ngircd",)),
    Aim("start", "greets_ms", "start until it greets (001), ms", per_peer=1.0, peers=("ngircd",)),
    Aim("slow", "p99_ms", "one never reads: p99 ms of the others"),
    Aim("slow", "p99_growth", "one never reads: p99 divided by that without it", at_most=1.2),
    Aim("slow", "grown_kib", "one never reads: memory grown, KiB"),
    Aim("slow", "lost", "one never reads: deliveries lost to the others", at_most=0),
]


TLS_PEERS = tuple(f"{peer} TLS" for peer in PEERS)


def against_plain(scenario, work, at_most=None):
    return Aim(scenario, "cpu_us_per_delivery", f"{work}, µs CPU per delivery, against in the clear",
               per_peer=at_most, peers=("gzy",), own="gzy TLS")


def against_peers(scenario, figure, work, **aims):
    return Aim(scenario, figure, work, peers=TLS_PEERS, own="gzy TLS", **aims)


def tls_talk_aims(members, under_way, at_most):
    scenario = f"window:{members}:{under_way}"
    work = f"{under_way} under way to {members}"
    return [
        against_plain(scenario, work, at_most),
        against_peers(scenario, "cpu_us_per_delivery", f"{work}, µs CPU per delivery", per_peer=1.0),
        against_peers(scenario, "p99_ms", f"{work}, p99 ms"),
    ]


TLS_AIMS = [
    *tls_talk_aims(100, 16, None),
    *tls_talk_aims(1000, 1, 1.25),
    *tls_talk_aims(1000, 16, 2.0),
    against_peers("handshake", "cpu_us_per_handshake", "full handshake, µs CPU", at_most=250),
    against_peers("idle", "bytes_per_connection", "per idle connection, bytes", at_most=9.5 * 1024),
    against_peers("idle", "idle_cpu_ms_per_s", "idle CPU with 5000 connections, ms/s"),
]


def derived(run):
    """The figures of one run, with those that are quotients of two of them."""
    figures = dict(run)
    for name, above, below in [("register_growth", "register_us_many", "register_us_few"),
                               ("p99_growth", "p99_ms", "p99_ms_without")]:
        if run.get(above) is not None and run.get(below):
            figures[name] = run[above] / run[below]
    return figures


def medians(runs):
    """`runs` are dicts with server, scenario and figures; the answer is {(server, scenario): {figure: median}}."""
    gathered = {}
    for run in runs:
        figures = gathered.setdefault((run["server"], run["scenario"]), {})
        for name, value in derived(run["figures"]).items():
            if isinstance(value, (int, float)):
                figures.setdefault(name, []).append(value)
    return {key: {name: statistics.median(values) for name, values in figures.items()}
            for key, figures in gathered.items()}


def table(runs, servers, aims):
    """The Markdown table of what was measured."""
    middle = medians(runs)
    head = ["work", *servers, "gzy ÷ better peer", "aim", "reached"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for aim in aims + aimless(runs, aims):
        figures = [middle.get((server, aim.scenario), {}).get(aim.figure) for server in servers]
        if all(figure is None for figure in figures):
            continue
        own = middle.get((aim.own, aim.scenario), {}).get(aim.figure)
        peer = aim.better_peer(middle)
        ratio = f"{own / peer:.2f}" if own is not None and peer else "–"
        verdict = aim.reached(own, peer) if own is not None else None
        told = {True: "yes", False: "**no**", None: "–"}[verdict]
        cells = [aim.work, *map(shown, figures), ratio, aim.wanted() or "–", told]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def aimless(runs, aims):
    """Lines for scenarios with numbers of the user's own, for which nobody has set an aim."""
    known = {aim.scenario for aim in aims}
    others = sorted({run["scenario"] for run in runs} - known)
    return [Aim(scenario, figure, f"{scenario}, {unit}", more_is_better=figure == "deliveries_per_s")
            for scenario in others
            for figure, unit in [("cpu_us_per_delivery", "µs CPU per delivery"), ("deliveries_per_s", "deliveries/s"),
                                 ("p99_ms", "p99 ms")]]


def shown(figure):
    """Three digits that mean something."""
    if figure is None:
        return "–"
    if figure == 0 or abs(figure) >= 1000:
        return f"{figure:,.0f}".replace(",", " ")
    return f"{figure:.3g}"


def fates(runs):
    """What became of the reader that never reads, one line per server."""
    lines = {}
    for run in runs:
        if run["scenario"] == "slow":
            figures = run["figures"]
            lines[run["server"]] = (
                f"- {run['server']}: cut: {figures['slow_one_was_cut']}; it heard `{figures['slow_one_heard']}`; "
                f"the others heard `{figures['others_heard']}`"
            )
    return "\n".join(lines.values())

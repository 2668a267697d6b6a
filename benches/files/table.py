"""Which figures stand side by side, what is the aim of each ratio, and what does the table look like?"""

import statistics

# (what stands in the first column, measure, figure). In the order of the table.
ROWS = [
    ("down, CPU s/GiB", "down", "cpu_s"),
    ("down, s/GiB", "down", "wall_s"),
    ("down in four ranges, CPU s/GiB", "down", "four_cpu_s"),
    ("down in four ranges, s/GiB", "down", "four_wall_s"),
    ("down TLS, CPU s/GiB", "down-tls", "cpu_s"),
    ("down TLS, s/GiB", "down-tls", "wall_s"),
    ("up, CPU s/GiB", "up", "cpu_s"),
    ("up, s/GiB", "up", "wall_s"),
    ("up TLS, CPU s/GiB", "up-tls", "cpu_s"),
    ("up TLS, s/GiB", "up-tls", "wall_s"),
    ("up once more, ms beyond the hash", "put", "again_beyond_hash_ms"),
    ("up once more, bytes on the disk", "put", "again_bytes"),
    ("small down one by one, µs CPU per file", "small-down", "cpu_us"),
    ("small down one by one, files/s", "small-down", "files_s"),
    ("small down one by one, p50 ms", "small-down", "p50_ms"),
    ("small down one by one, slowest of 1000 ms", "small-down", "p999_ms"),
    ("small down pipelined, µs CPU per file", "small-down", "pipelined_cpu_us"),
    ("small down pipelined, files/s", "small-down", "pipelined_files_s"),
    ("small up, µs CPU per file", "small-up", "cpu_us"),
    ("small up, files/s", "small-up", "files_s"),
    ("talk alone, p99 ms", "talk", "alone_p99_ms"),
    ("talk beside 16 down, p99 ms", "talk", "down_p99_ms"),
    ("talk beside 16 up, p99 ms", "talk", "up_p99_ms"),
    ("resident, idle, KiB", "talk", "idle_kib"),
    ("16 down: memory grown, KiB", "talk", "down_kib"),
    ("16 up: memory grown, KiB", "talk", "up_kib"),
    ("64 slow: memory each, KiB", "slow", "kib_each"),
    ("64 slow: threads", "slow", "threads"),
]


class Figures:
    """The medians of all rounds: `of(peer, measure, figure)`; `None` where nothing was measured."""

    def __init__(self, runs):
        self._values = {}
        for run in runs:
            for figure, value in run["figures"].items():
                self._values.setdefault((run["peer"], run["measure"], figure), []).append(value)

    def of(self, peer, measure, figure):
        """The median."""
        values = self._values.get((peer, measure, figure))
        return statistics.median(values) if values else None


def aims(figures):
    """Each aim as (what, what was reached, the most that was promised); only those whose parts were measured."""
    def of(peer, measure, figure):
        value = figures.of(peer, measure, figure)
        if value is None:
            raise KeyError(peer)
        return value

    hash_s = lambda: of("-", "yardsticks", "hash_s")
    slowest = lambda: max(hash_s(), of("nginx", "up", "wall_s"), of("-", "yardsticks", "dd_s"))
    ratio = lambda measure, figure, other="nginx", name=None: of("gzy", measure, figure) / of(other, measure, name or figure)
    wanted = [
        ("down: CPU ÷ nginx", lambda: ratio("down", "cpu_s"), 1.15),
        ("down: time ÷ nginx", lambda: ratio("down", "wall_s"), 1.1),
        ("down in four ranges: CPU ÷ nginx", lambda: ratio("down", "four_cpu_s"), 1.15),
        ("down in four ranges: time ÷ nginx", lambda: ratio("down", "four_wall_s"), 1.1),
        ("down TLS: CPU ÷ nginx", lambda: ratio("down-tls", "cpu_s"), 0.85),
        ("up: CPU ÷ (nginx + 1.1 × hash)", lambda: of("gzy", "up", "cpu_s") / (of("nginx", "up", "cpu_s") + 1.1 * hash_s()), 1),
        ("up: time ÷ the slowest of hash, nginx, dd with fsync", lambda: of("gzy", "up", "wall_s") / slowest(), 1.25),
        ("up: CPU ÷ copyparty", lambda: ratio("up", "cpu_s", "copyparty"), 0.5),
        ("up: time ÷ copyparty", lambda: ratio("up", "wall_s", "copyparty"), 0.5),
        ("up TLS: CPU ÷ nginx", lambda: ratio("up-tls", "cpu_s"), 1),
        ("up once more: ms beyond the hash", lambda: of("gzy", "put", "again_beyond_hash_ms"), 50),
        ("up once more: bytes on the disk", lambda: of("gzy", "put", "again_bytes"), 65536),
        ("small down pipelined: CPU ÷ nginx one by one", lambda: of("gzy", "small-down", "pipelined_cpu_us") / of("nginx", "small-down", "cpu_us"), 1),
        ("small down: slowest of 1000, ms", lambda: of("gzy", "small-down", "p999_ms"), 20),
        ("small up: CPU ÷ nginx", lambda: ratio("small-up", "cpu_us"), 1.3),
        ("small up: 2 × sftp's files/s ÷ ours", lambda: 2 * of("sftp", "small-up", "files_s") / of("gzy", "small-up", "files_s"), 1),
        ("talk beside 16 down: p99 ÷ alone", lambda: of("gzy", "talk", "down_p99_ms") / of("gzy", "talk", "alone_p99_ms"), 2),
        ("talk beside 16 up: p99 ÷ alone", lambda: of("gzy", "talk", "up_p99_ms") / of("gzy", "talk", "alone_p99_ms"), 2),
        ("16 down: memory grown, MiB", lambda: of("gzy", "talk", "down_kib") / 1024, 16),
        ("16 up: memory grown, MiB", lambda: of("gzy", "talk", "up_kib") / 1024, 16),
        ("64 slow: memory each, KiB", lambda: of("gzy", "slow", "kib_each"), 64),
        ("64 slow: threads more", lambda: of("gzy", "slow", "threads"), 0),
    ]
    for what, reached, most in wanted:
        try:
            yield what, reached(), most
        except KeyError:
            continue


def markdown(runs, peers):
    """Both tables."""
    figures = Figures(runs)
    lines = [f"| work | {' | '.join(peers)} |", f"|---|{'---|' * len(peers)}"]
    for what, measure, figure in ROWS:
        values = [figures.of(peer, measure, figure) for peer in peers]
        if any(value is not None for value in values):
            lines.append(f"| {what} | {' | '.join(map(readable, values))} |")
    hash_s, dd_s = (figures.of("-", "yardsticks", name) for name in ("hash_s", "dd_s"))
    if hash_s is not None:
        lines.append(f"\nSHA-256 of 1 GiB on one core: {hash_s:.2f} s. `dd conv=fsync` of 1 GiB: {dd_s:.2f} s.")
    lines += ["", "| aim | reached | promised | |", "|---|---|---|---|"]
    lines += [f"| {what} | {readable(value)} | ≤ {most:g} | {'yes' if value <= most else '**no**'} |" for what, value, most in aims(figures)]
    return "\n".join(lines)


def readable(value):
    """A figure as it stands in the table."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"

"""How the tests watch and steer other programs: what they printed so far, and waiting for it with a deadline."""

import os
import select
import signal
import subprocess
import threading
import time

# A healthy step takes milliseconds; this much only passes when something is broken or the machine is very busy.
PATIENCE_SECS = 30.0
# Between two looks at something that can not wake us (a screen, a folder).
LOOK_AGAIN_SECS = 0.02


class Missed(Exception):
    """Something that had to happen did not happen in time. The text says what, and what was seen instead."""


def until(condition, what, seen=lambda: ""):
    """Returns the first true answer of `condition()`; raises Missed with `what` when the patience is used up."""
    deadline = time.monotonic() + PATIENCE_SECS
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Missed(f"{what}, but in {PATIENCE_SECS:.0f} s this is what was seen:\n{seen()}")
        time.sleep(LOOK_AGAIN_SECS)


class Transcript:
    """The lines that a stream brought so far, in order. One thread reads; anybody may wait for a line."""

    def __init__(self, stream):
        self._lines = []
        self._ended = False
        self._news = threading.Condition()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        for raw in stream:
            with self._news:
                self._lines.append(raw.decode("utf-8").rstrip("\r\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def lines(self):
        """All lines so far."""
        with self._news:
            return list(self._lines)

    def line(self, matches, what):
        """The first line for which `matches(line)` is true, waited for."""
        deadline = time.monotonic() + PATIENCE_SECS
        with self._news:
            looked_at = 0
            while True:
                for line in self._lines[looked_at:]:
                    if matches(line):
                        return line
                looked_at = len(self._lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "the program ended" if self._ended else f"{PATIENCE_SECS:.0f} s are over"
                    raise Missed(f"{what}, but {why}; it printed:\n" + "\n".join(self._lines))
                self._news.wait(left)


class Program:
    """A program with pipes: lines in, lines out, an exit code."""

    def __init__(self, command, folder, **environment):
        self.name = os.path.basename(command[0])
        self._stderr = open(os.path.join(folder, f"{self.name}.stderr"), "ab+")
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **environment},
        )
        self.pid = self._process.pid
        self.printed = Transcript(self._process.stdout)

    def write_line(self, text):
        """Gives the program one line."""
        self._process.stdin.write(text.encode("utf-8") + b"\n")
        self._process.stdin.flush()

    def end_input(self):
        """Closes the program's standard input, as the end of a script does."""
        self._process.stdin.close()

    def exit_code(self):
        """Waits for the program's end."""
        try:
            return self._process.wait(PATIENCE_SECS)
        except subprocess.TimeoutExpired:
            raise Missed(f"{self.name} should have ended, but runs on; it printed:\n" + "\n".join(self.printed.lines())) from None

    def complaints(self):
        """What it wrote to standard error."""
        self._stderr.seek(0)
        return self._stderr.read().decode("utf-8", "backslashreplace")

    def signal(self, number):
        """Sends a signal."""
        self._process.send_signal(number)

    def stop(self):
        """Ends it however it takes, at the end of a test."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._stderr.close()


def write_to_fifo(path, text):
    """Writes one line to a named pipe that another program reads; waits until that program has opened it."""

    def opened():
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None

    pipe = until(opened, f"somebody should read {path}")
    try:
        select.select([], [pipe], [], PATIENCE_SECS)
        os.write(pipe, text.encode("utf-8") + b"\n")
    finally:
        os.close(pipe)


def read_lines(path):
    """The whole lines of a file that another program appends to; none when there is no such file yet."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return []
    return [line.decode("utf-8") for line in content.split(b"\n")[:-1]]

"""A `gzy server` of its own for each test: a free port, an empty folder."""

import re
import signal

from stage import Program


class Server:
    """Runs until `stop`. `host` and `port` are what a client types; `room` is where everybody lands."""

    room = "#lobby"
    host = "127.0.0.1"

    def __init__(self, gzy, folder):
        self._gzy, self._folder = gzy, folder
        self.port = self._start(0)

    def _start(self, port):
        self._program = Program([self._gzy, "server", "--listen", f"{self.host}:{port}", "--data", self._folder], self._folder)
        ready = self._program.printed.line(lambda line: f"{self.host}:" in line, "gzy server should print a ready line with its address")
        return int(re.search(r"127\.0\.0\.1:(\d+)", ready).group(1))

    def pull_the_plug(self):
        """Ends it without a warning and starts it again, same data, same port."""
        self.stop_hard()
        self.start_again()

    def stop_hard(self):
        """Ends it without a warning."""
        self._program.stop()

    def start_again(self):
        """Starts it again, same data, same port."""
        self._start(self.port)

    def stop(self):
        """Asks it to stop as a system does; returns its exit code."""
        self._program.signal(signal.SIGTERM)
        try:
            return self._program.exit_code()
        finally:
            self._program.stop()

"""A `gzy server` of its own for each test: a free port, an empty folder."""

import dataclasses
import hashlib
import os
import re
import signal
import ssl
import subprocess

from stage import Missed, PATIENCE_SECS, Program, read_lines, until

ROOM, HOST = "#lobby", "127.0.0.1"


@dataclasses.dataclass(frozen=True)
class Door:
    """What somebody has to know who wants to come in. `key` and `certificate`: what they trust; `None` in the clear."""

    port: int
    # The SHA-256 of the server's public key, in hex.
    key: str | None
    # The file with the server's certificate.
    certificate: str | None
    room: str = ROOM
    host: str = HOST
    # The name in the certificate.
    name: str = "localhost"
    # Whether our own client is told the key, in the address. Else it believes the first that it sees.
    is_invitation: bool = False

    @property
    def is_encrypted(self):
        """Whether one comes in by TLS."""
        return self.key is not None

    def for_gzy(self):
        """What stands on the command line of our own client."""
        address = f"{self.host}:{self.port}"
        if self.is_invitation:
            return [f"gzy://{address}#sha256={self.key}"]
        return [address] if self.is_encrypted else [address, "--plain"]

    def certificate_hash(self):
        """The SHA-256 of the certificate, in hex: what those pin who do not pin the key."""
        with open(self.certificate, encoding="ascii") as file:
            return hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest()

    def certificate_and_name(self):
        """Both as arguments; none in the clear."""
        return [self.certificate, self.name] if self.is_encrypted else []


class Server:
    """Runs until `stop`."""

    def __init__(self, gzy, folder, *arguments, **environment):
        """`gzy`: the program, as the beginning of a command line; `arguments`: what stands at its end."""
        self._gzy, self._folder, self._arguments, self._environment = gzy, folder, arguments, environment
        self.port = self._start(0)

    def _start(self, port):
        command = [*self._gzy, "server", "--listen", f"{HOST}:{port}", "--data", self._folder, *self._arguments]
        self._program = Program(command, self._folder, **self._environment)
        ready = self._program.printed.line(lambda line: f"{HOST}:" in line, "gzy server should print a ready line with its address")
        self._key = re.search(r"sha256 ((?:[0-9a-f]{4} ?){16})", ready).group(1).replace(" ", "")
        return int(re.search(r"127\.0\.0\.1:(\d+)", ready).group(1))

    def door(self, encrypted):
        """The way in."""
        if not encrypted:
            return Door(self.port, None, None)
        return Door(self.port, self._key, os.path.join(self._folder, "tls.crt"))

    def makes_account(self, name, password):
        """`gzy user add`, beside the running server."""
        command = [*self._gzy, "user", "add", name, "--data", self._folder]
        made = subprocess.run(command, input=password + "\n", capture_output=True, encoding="utf-8", timeout=PATIENCE_SECS)
        if made.returncode != 0:
            raise Missed(f"gzy user add should end with 0, but ended with {made.returncode}: {made.stdout}{made.stderr}")

    def logged(self, *parts):
        """Waits for a line in its log with all of these parts."""
        log = os.path.join(self._folder, "log.txt")
        shown = lambda: any(all(part in line for part in parts) for line in read_lines(log))
        until(shown, f"the server's log should have a line with {' and '.join(parts)}", lambda: "\n".join(read_lines(log)))

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

    def gets_another_key(self):
        """Stops it, takes its key away, and starts it again at the same port; returns the key that it makes."""
        self.stop()
        os.remove(os.path.join(self._folder, "tls.key"))
        self.start_again()
        return self._key

    def stop(self):
        """Asks it to stop as a system does; returns its exit code."""
        self._program.signal(signal.SIGTERM)
        try:
            return self._program.exit_code()
        finally:
            self._program.stop()

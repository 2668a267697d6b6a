"""A server with a file cloud, and what stands around it: curl, bare sockets, files of no meaning, and a look at the disk."""

import base64
import contextlib
import dataclasses
import hashlib
import json
import os
import socket
import ssl
import subprocess
import urllib.parse

from stage import Missed, PATIENCE_SECS, until

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


class Cloud:
    """The server of a stage from here on, with flags of its own. `disk`: where its files go; a folder beside its data when not given."""

    def __init__(self, stage, *arguments, disk=None):
        self._work = stage.folder()
        self.disk = disk or os.path.join(stage.folder(), "Cloud")
        os.makedirs(self.disk, exist_ok=True)
        stage.moves_to_server("--cloud", self.disk, *arguments)
        self._stage, self.server, self.door = stage, stage.server, stage.door
        scheme = "https" if self.door.is_encrypted else "http"
        # The name, because it stands in the certificate.
        self.address = f"{self.door.name}:{self.door.port}"
        self.url = f"{scheme}://{self.address}"

    def link(self, name):
        """A file's URL."""
        return f"{self.url}/cloud/{urllib.parse.quote(name)}"

    def curl(self, *arguments, fed=None):
        """What curl brings for these arguments."""
        head, body = (os.path.join(self._work, name) for name in ("head", "body"))
        for old in (head, body):
            with contextlib.suppress(FileNotFoundError):
                os.remove(old)
        done = subprocess.run(["curl", *self.trust(), "-D", head, "-o", body, *arguments], input=fed, capture_output=True,
                              timeout=2 * PATIENCE_SECS, cwd=self._work)
        return Answer.read(head, body, done)

    def trust(self):
        """What curl has to know before everything else."""
        certificate = ["--cacert", self.door.certificate] if self.door.is_encrypted else []
        return ["-sS", "-4", "--max-time", str(PATIENCE_SECS), *certificate]

    def put(self, path, name=None, *arguments):
        """Brings a file by curl."""
        return self.curl(*arguments, "-T", path, self.link(name or os.path.basename(path)))

    def get(self, name, *arguments):
        """Fetches a file by curl."""
        return self.curl(*arguments, self.link(name))

    def listing(self):
        """What the JSON listing says, by name."""
        answer = self.curl("-H", "Accept: application/json", f"{self.url}/cloud/")
        answer.wants(200)
        files = json.loads(answer.body)
        files = files["files"] if isinstance(files, dict) else files
        return {file["name"]: file for file in files}

    def shows(self, name):
        """Waits until a file that was put there by hand is served."""
        until(lambda: self.curl("-I", self.link(name)).status == 200, f"the cloud should show {name}", lambda: str(self.curl("-I", self.link(name))))

    def on_disk(self):
        """The names of all files that are there, but for bytes under way."""
        found = []
        for where, folders, names in os.walk(self.disk):
            folders[:] = [folder for folder in folders if not folder.startswith(".")]
            found += [os.path.relpath(os.path.join(where, name), self.disk) for name in names]
        return sorted(found)

    def under_way(self):
        """Bytes under way: each part with its size."""
        with contextlib.suppress(FileNotFoundError), os.scandir(os.path.join(self.disk, ".part")) as parts:
            return {part.name: part.stat().st_size for part in parts}
        return {}

    def has(self, name, digest):
        """The disk has this, whole."""
        path = os.path.join(self.disk, name)
        if not os.path.exists(path) or sha256(path) != digest:
            raise Missed(f"{name} should be on the disk with SHA-256 {digest}, but there is {self.on_disk()}")

    def is_tidy(self, *names):
        """These files are on the disk, no others, and nothing is left of any upload."""
        until(lambda: not self.under_way(), "no part should be left", lambda: str(self.under_way()))
        if self.on_disk() != sorted(names):
            raise Missed(f"the cloud should hold {sorted(names)}, but holds {self.on_disk()}")

    def socket(self):
        """A bare connection."""
        plain = socket.create_connection((self.door.host, self.door.port), timeout=PATIENCE_SECS)
        if not self.door.is_encrypted:
            return plain
        return ssl.create_default_context(cafile=self.door.certificate).wrap_socket(plain, server_hostname=self.door.name)

    def hears(self, request):
        """Sends these bytes and returns all that comes until the server hangs up."""
        came = b""
        with self.socket() as link, contextlib.suppress(ConnectionError, ssl.SSLError):
            link.sendall(request)
            while piece := link.recv(1 << 16):
                came += piece
        return came

    def works(self):
        """Whatever was done to it, it still serves."""
        self.curl(f"{self.url}/health").wants(200)


@dataclasses.dataclass
class Answer:
    """What curl was answered, the last time when there was more than one answer."""

    status: int
    headers: dict
    body: bytes
    # All heads, the interim ones and those of redirections as well.
    heads: str
    complaint: str
    exit_code: int

    @staticmethod
    def read(head, body, done):
        """Puts together what curl has written."""
        heads = _content(head).decode("utf-8", "replace")
        last = heads.strip().split("\r\n\r\n")[-1].split("\r\n")
        status = int(last[0].split()[1]) if last[0] else 0
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in last[1:] if ":" in line)}
        return Answer(status, headers, _content(body), heads, done.stderr.decode("utf-8", "replace"), done.returncode)

    def wants(self, *statuses):
        """The status is one of these."""
        if self.status not in statuses:
            raise Missed(f"the answer should be one of {statuses}, but is {self.status}: {self.heads}{self.body[:500]!r}{self.complaint}")
        return self

    def has_header(self, name, value):
        """A header has this value."""
        if self.headers.get(name) != value:
            raise Missed(f"{name} should be {value!r}, but the head is {self.heads}")
        return self

    def has_sentence(self):
        """A refusal says in a line or two what is wrong."""
        text = self.body.decode("utf-8").strip()
        if not 5 <= len(text) <= 1000:
            raise Missed(f"a refusal should say why in a sentence, but says {text!r}")
        return self


def _content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def repr_digest(digest):
    """A digest as RFC 9530 writes it."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(digest)).decode()}:"


def made(folder, name, size):
    """A file of no meaning, the same nowhere else; returns its path and its SHA-256."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for at in range(0, size, MIB):
            piece = os.urandom(min(MIB, size - at))
            digest.update(piece)
            file.write(piece)
    return path, digest.hexdigest()


def sha256(path):
    """The digest of a file on the disk."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def same(path, digest, what):
    """The file has this digest."""
    if sha256(path) != digest:
        raise Missed(f"{what} should have SHA-256 {digest}, but has {sha256(path)} ({os.path.getsize(path)} bytes)")

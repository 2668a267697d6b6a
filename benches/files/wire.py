"""Who fetches and brings the files: clients that are as light as can be, the same for all servers.

Their own CPU time is not the question. Bytes go through the kernel with as few copies as it can do.
"""

import dataclasses
import ftplib
import os
import selectors
import socket
import threading
import time
import urllib.parse

from servers import Failed

# What is read at a time.
READ_BYTES = 1 << 20
# Requests under way when they are pipelined; more would not fit the buffers of a socket with 10 KiB answers behind them.
UNDER_WAY = 64
# Nothing moving for so long is an error.
PATIENCE_S = 120


@dataclasses.dataclass
class Answer:
    """The head of an answer."""

    status: int
    headers: dict


class Http:
    """One kept connection that speaks HTTP/1.1."""

    def __init__(self, running):
        self._prefix = running.peer.path
        self._host = f"127.0.0.1:{running.port}"
        self.socket = running.connect()
        self.socket.settimeout(PATIENCE_S)
        self._sink = bytearray(READ_BYTES)
        self._unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def head(self, method, name, **headers):
        """A request's head, as bytes."""
        lines = [f"{method} {self._prefix}{urllib.parse.quote(name)} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def request(self, method, name, **headers):
        """Asks and reads the whole answer; its body is thrown away."""
        self.socket.sendall(self.head(method, name, **headers))
        return self.answer(has_body=method != "HEAD")

    def answer(self, has_body=True):
        """Reads one answer, past the interim ones, and throws its body away."""
        while (answer := self._answer_head()).status == 100:
            pass
        left = int(answer.headers.get("content-length", 0)) if has_body else 0
        eaten = min(left, len(self._unread))
        self._unread, left = self._unread[eaten:], left - eaten
        while left:
            came = self.socket.recv_into(self._sink, min(left, READ_BYTES))
            if not came:
                raise Failed(f"the connection ended {left} bytes before the end of a body")
            left -= came
        return answer

    def _answer_head(self):
        while b"\r\n\r\n" not in self._unread:
            came = self.socket.recv(1 << 16)
            if not came:
                raise Failed(f"the connection ended before an answer: {ascii(self._unread[-200:])}")
            self._unread += came
        head, self._unread = self._unread.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict((key.lower(), value.strip()) for key, value in (line.split(":", 1) for line in lines))
        return Answer(int(first.split()[1]), headers)

    def put_file(self, name, path):
        """Brings a file. Waits for the go-ahead first, as curl does."""
        size = os.path.getsize(path)
        self.socket.sendall(self.head("PUT", name, Content_Length=size, Expect="100-continue"))
        go_ahead = self._answer_head()
        if go_ahead.status != 100:
            raise Failed(f"PUT was answered {go_ahead.status} before the body")
        with open(path, "rb") as file:
            # Encrypted, Python reads and sends; in the clear, the kernel does.
            self.socket.sendfile(file)
        return expect(self.answer(), (200, 201, 204))


def expect(answer, statuses):
    """The answer, if its status is one of these."""
    if answer.status not in statuses:
        raise Failed(f"the answer is {answer.status} where one of {statuses} should come: {answer.headers}")
    return answer


def get(running, name):
    """Fetches a file on a connection of its own."""
    with Http(running) as http:
        expect(http.request("GET", name), (200,))


def get_ranges(running, name, size, parts=4):
    """Fetches a file in so many ranges at the same time."""
    def fetch(first, last):
        with Http(running) as http:
            expect(http.request("GET", name, Range=f"bytes={first}-{last}"), (206,))

    edges = [size * part // parts for part in range(parts + 1)]
    together(lambda part: fetch(edges[part], edges[part + 1] - 1), parts)


def together(work, count):
    """Does `work(0)` … at the same time; the first failure is everybody's."""
    failures = []

    def guarded(number):
        try:
            work(number)
        except (Failed, OSError) as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Failed(str(failures[0]))


def get_one_by_one(running, names):
    """Fetches all on one kept connection, each when the one before is there; returns how long each took, in seconds."""
    took = []
    with Http(running) as http:
        for name in names:
            began = time.perf_counter()
            expect(http.request("GET", name), (200,))
            took.append(time.perf_counter() - began)
    return took


def get_pipelined(running, names):
    """Fetches all on one connection, some requests always ahead of the answers."""
    with Http(running) as http:
        heads = [http.head("GET", name) for name in names]
        http.socket.sendall(b"".join(heads[:UNDER_WAY]))
        ahead = UNDER_WAY
        for done in range(len(names)):
            expect(http.answer(), (200,))
            # In fours, so that the asking is not what is measured.
            if done % 4 == 3 and ahead < len(heads):
                http.socket.sendall(b"".join(heads[ahead:ahead + 4]))
                ahead += 4


def put_one_by_one(running, folder, names):
    """Brings all on one kept connection, each when the one before is acknowledged."""
    with Http(running) as http:
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                body = file.read()
            http.socket.sendall(http.head("PUT", name, Content_Length=len(body)) + body)
            expect(http.answer(), (200, 201, 204))


class Ftp:
    """One session with vsftpd. It stays open until the CPU time was read, because every session is a process."""

    def __init__(self, running):
        self._ftp = ftplib.FTP()
        self._ftp.connect("127.0.0.1", running.port, timeout=PATIENCE_S)
        self._ftp.login()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ftp.close()

    def get(self, name):
        """Fetches a file."""
        sink = bytearray(READ_BYTES)
        self._ftp.voidcmd("TYPE I")
        with self._ftp.transfercmd(f"RETR {name}") as data:
            while data.recv_into(sink):
                pass
        self._ftp.voidresp()

    def put(self, name, path):
        """Brings a file."""
        self._ftp.voidcmd("TYPE I")
        with self._ftp.transfercmd(f"STOR {name}") as data, open(path, "rb") as file:
            data.sendfile(file)
        self._ftp.voidresp()

    def make_folder(self, name):
        """Makes a folder."""
        self._ftp.mkd(name)


class Crowd:
    """Transfers that run flat out, all the time, in threads, until it is closed."""

    def __init__(self, work, count):
        self._over = threading.Event()
        self.failures, self.rounds = [], 0
        self._threads = [threading.Thread(target=self._run, args=(work, number), daemon=True) for number in range(count)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, work, number):
        try:
            while not self._over.is_set():
                work(number, self._over)
                self.rounds += 1
        except (Failed, OSError) as error:
            if not self._over.is_set():
                self.failures.append(str(error))


def drain(running, name, over):
    """Fetches a file, and stops in the middle when it is over."""
    with Http(running) as http:
        http.socket.sendall(http.head("GET", name))
        sink = bytearray(READ_BYTES)
        while not over.is_set() and http.socket.recv_into(sink):
            pass


def pour(running, name, size, block, over):
    """Brings bytes of no meaning, of which `block` is made, and breaks off before the end, so that the disk does not fill."""
    with Http(running) as http:
        http.socket.sendall(http.head("PUT", name, Content_Length=size))
        left = size
        try:
            while left > len(block) and not over.is_set():
                left -= http.socket.send(memoryview(block)[:left])
        except ConnectionError:
            raise Failed(f"bytes are not taken any more; the answer is {http.answer()}") from None


class Slow:
    """So many downloads at once, each read at a trickle, by one thread."""

    def __init__(self, running, name, count, bytes_per_s):
        self._sockets = []
        for _ in range(count):
            with_little = socket.socket()
            # The receiver's buffer must not swallow what should be slow.
            with_little.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            with_little.connect(("127.0.0.1", running.port))
            with_little.sendall(f"GET {running.peer.path}{name} HTTP/1.1\r\nHost: slow\r\n\r\n".encode())
            self._sockets.append(with_little)
        self._share = bytes_per_s // 10

    def read_for(self, seconds):
        """Reads its share ten times a second; every download must bring something."""
        until = time.monotonic() + seconds
        got = [0] * len(self._sockets)
        while time.monotonic() < until:
            selector = selectors.DefaultSelector()
            for number, one in enumerate(self._sockets):
                selector.register(one, selectors.EVENT_READ, number)
            for key, _ in selector.select(0):
                got[key.data] += len(key.fileobj.recv(self._share))
            selector.close()
            time.sleep(0.1)
        if not all(got):
            raise Failed(f"{got.count(0)} of {len(got)} slow downloads brought nothing")

    def close(self):
        """Ends all."""
        for one in self._sockets:
            one.close()

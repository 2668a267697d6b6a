"""Somebody with a browser: Chromium without a window. What it shows comes out as HTML, what it fetches lies in a folder.

It is steered over two pipes in Chromium's own protocol: pieces of JSON with a zero byte behind each.
"""

import base64
import fcntl
import json
import os
import select
import signal
import subprocess
import time

from stage import Missed, PATIENCE_SECS

# The link whose text begins like this is clicked, as a finger would.
CLICK = "[...document.links].find(link => link.textContent.includes(%s)).click()"


class Chromium:
    """One browser with one page; it trusts exactly the key of the server."""

    def __init__(self, door, folder):
        self.fetched = os.path.join(folder, "fetched")
        self._log = open(os.path.join(folder, "chromium.stderr"), "wb")
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
        key = base64.b64encode(bytes.fromhex(door.key)).decode() if door.is_encrypted else ""
        # Steered by file descriptors 3 and 4: no port that others could use.
        its_input, self._to = os.pipe()
        self._from, its_output = os.pipe()

        def place_pipes():
            # First out of the way, because each may have the other's place.
            ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (its_input, its_output)]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self._process = subprocess.Popen(
            ["chromium", "--headless=new", "--remote-debugging-pipe",
             "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", *as_root,
             f"--user-data-dir={folder}/profile", f"--ignore-certificate-errors-spki-list={key}"],
            close_fds=False, preexec_fn=place_pipes, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log, start_new_session=True,
        )
        for end in (its_input, its_output):
            os.close(end)
        self._asked, self._unread, self._session = 0, b"", None
        # What happened while something else was waited for.
        self._events = []
        self._asks("Browser.setDownloadBehavior", behavior="allowAndName", downloadPath=self.fetched, eventsEnabled=True)
        target = self._asks("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._asks("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._asks("Page.enable")

    def dom(self, url):
        """Opens a page and returns what it has become."""
        self._events.clear()
        self._asks("Page.navigate", url=url)
        self._event("Page.loadEventFired")
        return self._runs("document.documentElement.outerHTML")

    def clicks(self, text):
        """Clicks on a link and returns the path of what that has fetched, under the name that the browser gives it."""
        self._events.clear()
        self._runs(CLICK % json.dumps(text))
        begun = self._event("Browser.downloadWillBegin")
        while (how := self._event("Browser.downloadProgress"))["state"] == "inProgress":
            pass
        if how["state"] != "completed":
            raise Missed(f"the browser should have fetched {text}, but says {how}")
        path = os.path.join(self.fetched, begun["suggestedFilename"])
        os.rename(os.path.join(self.fetched, begun["guid"]), path)
        return path

    def stop(self):
        """Ends it."""
        # It has children; all are of one group, which is its own.
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._log.close()

    def _runs(self, script):
        result = self._asks("Runtime.evaluate", expression=script)
        if "exceptionDetails" in result:
            raise Missed(f"the browser could not do {script}: {result}")
        return result["result"].get("value")

    def _asks(self, method, **parameters):
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        answer = self._waits(lambda message: message.get("id") == self._asked, method)
        if "error" in answer:
            raise Missed(f"the browser refused {method}: {answer['error']}")
        return answer["result"]

    def _event(self, name):
        for number, event in enumerate(self._events):
            if event["method"] == name:
                return self._events.pop(number)["params"]
        return self._waits(lambda message: message.get("method") == name, name)["params"]

    def _waits(self, matches, what):
        deadline = time.monotonic() + PATIENCE_SECS
        while True:
            while b"\0" in self._unread:
                message, self._unread = self._unread.split(b"\0", 1)
                message = json.loads(message)
                if matches(message):
                    return message
                if "method" in message:
                    self._events.append(message)
            readable, _, _ = select.select([self._from], [], [], max(0, deadline - time.monotonic()))
            came = os.read(self._from, 1 << 20) if readable else b""
            if not came:
                raise Missed(f"the browser should have come to {what}; it is {'there' if self._process.poll() is None else 'gone'}")
            self._unread += came

"""A terminal for the programs that want one: keys go in, the screen comes out as text."""

import os
import subprocess

from stage import Missed


class Tmux:
    """A tmux server of our own: no settings of the user, no meeting with their sessions."""

    def __init__(self, folder, columns, rows, command, **environment):
        self._tmux = ["tmux", "-u", "-f", "/dev/null", "-S", os.path.join(folder, "tmux")]
        settings = [f"{name}={value}" for name, value in environment.items()]
        self.call("new-session", "-d", "-x", str(columns), "-y", str(rows), "env", *settings, *command)

    def type(self, text):
        """Types a text as it is."""
        self.call("send-keys", "-l", "--", text)

    def press(self, *keys):
        """Presses keys by their names: Enter, C-a, M-2."""
        self.call("send-keys", *keys)

    def paste(self, text):
        """Pastes a text as terminals do that mark where a paste begins and ends."""
        self.call("set-buffer", text)
        self.call("paste-buffer", "-p", "-r")

    def resize(self, columns, rows):
        """Makes the window another size."""
        self.call("resize-window", "-x", str(columns), "-y", str(rows))

    def rows(self):
        """The rows of the screen, without blanks at their ends; none when the program has ended."""
        shown = self.attempt("capture-pane", "-p")
        return [row.rstrip() for row in shown.stdout.splitlines()] if shown.returncode == 0 else []

    def screen(self, *options):
        """All that is on the screen, wrapped lines joined, without empty lines; `None` when the program has ended."""
        shown = self.attempt("capture-pane", "-p", "-J", *options)
        if shown.returncode != 0:
            return None
        return "\n".join(line.rstrip() for line in shown.stdout.splitlines() if line.strip())

    def cursor(self):
        """Column and row of the cursor, counted from 0."""
        shown = self.call("display-message", "-p", "#{cursor_x} #{cursor_y}")
        return tuple(int(number) for number in shown.split())

    def record(self, path):
        """Writes every byte that the program sends to its terminal from here on into a file."""
        # Made here: tmux starts the other program in its own time.
        with open(path, "ab"):
            self.call("pipe-pane", "-o", f"cat >> {path}")

    def has_ended(self):
        """Whether the program has ended."""
        return self.attempt("has-session").returncode != 0

    def stop(self):
        """Ends everything in it."""
        self.attempt("kill-server")

    def call(self, *arguments):
        """A command of tmux that has to work; returns what it prints."""
        done = self.attempt(*arguments)
        if done.returncode != 0:
            raise Missed(f"tmux {arguments[0]} failed: {done.stderr}")
        return done.stdout

    def attempt(self, *arguments):
        """A command of tmux that may fail."""
        environment = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        return subprocess.run([*self._tmux, *arguments], capture_output=True, encoding="utf-8", env=environment)

"""Somebody with `gzy.exe`, the program for Windows, run by wine; and a server that is one."""

import os
import subprocess

from gzy_client import GzyClient
from server import Server
from stage import PATIENCE_SECS

HERE = os.path.dirname(os.path.abspath(__file__))
# Debian keeps it out of the path when only the 64-bit half is installed.
WINE = "/usr/lib/wine/wine64"


class Wine:
    """A Windows of our own, with one program."""

    def __init__(self, gzy_exe, folder):
        self.command = [WINE, os.path.abspath(gzy_exe)]
        self.environment = {
            "WINEPREFIX": os.path.join(folder, "prefix"),
            # Where the library below is found.
            "WINEPATH": folder,
            "WINEDEBUG": "-all",
            # wine reads arguments in the encoding of a locale that exists.
            "LC_ALL": "C.UTF-8",
        }
        stand_in = os.path.join(HERE, "wine", "bcryptprimitives.c")
        library = os.path.join(folder, "bcryptprimitives.dll")
        subprocess.run(["x86_64-w64-mingw32-gcc", "-shared", "-o", library, stand_in, "-ladvapi32"], check=True)
        # The first start makes the Windows, which takes seconds.
        self.version = self.run("--version").stdout.strip()

    def run(self, *arguments):
        """Runs the program to its end, which has to be 0."""
        return subprocess.run([*self.command, *arguments], env=os.environ | self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, check=True, encoding="utf-8", timeout=2 * PATIENCE_SECS)

    def stop(self):
        """Ends the Windows and what still runs in it."""
        subprocess.run(["/usr/lib/wine/wineserver", "-k", "-w"], env=os.environ | self.environment, timeout=PATIENCE_SECS)


class WindowsClient(GzyClient):
    program = "gzy.exe client"

    def __init__(self, nick, door, folder, wine):
        settings = os.path.join(folder, "gzy")
        os.mkdir(settings)
        with open(os.path.join(settings, "settings"), "w", encoding="utf-8") as file:
            file.write("language = zh\r\n")
        environment = {**wine.environment, "XDG_CONFIG_HOME": "Z:" + folder.replace("/", "\\")}
        super().__init__(nick, door, wine.command, folder, **environment)


class WindowsServer(Server):
    def __init__(self, wine, folder):
        super().__init__(wine.command, folder, **wine.environment)

    def stop(self):
        """Windows has no way to ask a program politely that wine would know."""
        self.stop_hard()
        return 0

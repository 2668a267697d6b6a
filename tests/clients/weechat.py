"""Somebody with WeeChat, without its screen: commands go in through its pipe, its logs are what they see."""

import glob
import os
import re

from person import Person
from stage import Program, read_lines, write_to_fifo

# 2026-11-20 13:29:00<tab>小阳<tab>你好; a mark such as @ may stand before the nick.
SAID = re.compile(r"^[\d-]+ [\d:]+\t[@+%&~]?([^\t\s]+)\t(.*)$")
# What WeeChat puts there for its own notices.
NOTICES = {"-->", "<--", "--", "=!=", "*"}


class Weechat(Person):
    program = "weechat"

    def __init__(self, nick, door, folder, password=None):
        super().__init__(nick, door)
        self._folder = folder
        self._pipe = os.path.join(folder, "pipe")
        orders = [
            "/set logger.file.flush_delay 0",
            "/set logger.file.path ${weechat_config_dir}/logs",
            "/set fifo.file.path ${weechat_config_dir}/pipe",
            f"/server add gzy {door.host}/{door.port} {'-ssl' if door.is_encrypted else '-nossl'} -nicks={nick} -username={nick} -realname={nick}",
            # Nothing but the pinned certificate is trusted.
            f"/set irc.server.gzy.ssl_fingerprint {door.certificate_hash() if door.is_encrypted else ''}",
            "/set irc.server.gzy.autoreconnect off",
            # Else it waits two seconds between lines.
            "/set irc.server.gzy.anti_flood_prio_high 0",
            *([f"/set irc.server.gzy.sasl_username {nick}", f"/set irc.server.gzy.sasl_password {password}"] if password else []),
            "/connect gzy",
        ]
        arguments = [part for order in orders for part in ("--run-command", order)]
        self._run = Program(["weechat-headless", "--dir", folder, *arguments], folder)

    def enter(self):
        self.sees("-->", self.nick, self.room)

    def is_warned(self):
        self.sees("certificate fingerprint does NOT match")

    def say(self, text):
        write_to_fifo(self._pipe, f"irc.gzy.{self.room} *{text}")

    def tell(self, whom, text):
        write_to_fifo(self._pipe, f"irc.server.gzy */msg -server gzy {whom.nick} {text}")

    def room_lines(self):
        return self.lines_in(self.room)

    def lines_in(self, room):
        """What others said in any room, as (nick, text), in the order shown."""
        return self._heard(self._log(room))

    def private_lines(self):
        logs = glob.glob(self._log("*"))
        return [line for log in logs if "#" not in os.path.basename(log) for line in self._heard(log)]

    def screen(self):
        logs = sorted(glob.glob(os.path.join(glob.escape(self._folder), "logs", "*")))
        return "\n".join(line for log in logs for line in [f"== {os.path.basename(log)}", *read_lines(log)])

    def leave(self):
        write_to_fifo(self._pipe, "core.weechat */quit 再见")
        return self._run.exit_code()

    def stop(self):
        self._run.stop()

    def _log(self, conversation):
        return os.path.join(self._folder, "logs", f"irc.gzy.{conversation}.weechatlog")

    def _heard(self, log):
        found = (SAID.match(line) for line in read_lines(log))
        return [match.groups() for match in found if match and match.group(1) not in {self.nick, *NOTICES}]

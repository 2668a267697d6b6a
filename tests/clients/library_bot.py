"""The bot itself: orders come as JSON lines [verb, target, text], events go out as [event, nick, target, text]."""

import json
import os
import sys

import irc.client

# How long the reactor listens to the server before it looks for orders again.
TURN_SECS = 0.02


def tell(connection, event):
    text = event.arguments[0] if event.arguments else ""
    print(json.dumps([event.type, event.source.nick, event.target, text], ensure_ascii=False), flush=True)


def obey(connection, order):
    verb, target, text = json.loads(order)
    if verb == "say":
        connection.privmsg(target, text)
    else:
        connection.quit(text)


def main(host, port, nick):
    reactor = irc.client.Reactor()
    connection = reactor.server().connect(host, int(port), nick)
    for kind in ("join", "pubmsg", "privmsg"):
        connection.add_global_handler(kind, tell)
    os.set_blocking(sys.stdin.fileno(), False)
    unread = b""
    while connection.is_connected():
        unread += sys.stdin.buffer.raw.read() or b""
        *orders, unread = unread.split(b"\n")
        for order in orders:
            obey(connection, order)
        reactor.process_once(TURN_SECS)


main(*sys.argv[1:])

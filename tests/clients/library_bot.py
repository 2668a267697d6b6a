"""The bot itself: orders come as JSON lines [verb, target, text], events go out as [event, nick, target, text]."""

import functools
import json
import os
import ssl
import sys

import irc.client
import irc.connection

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


def encrypted(certificate, name):
    """Sockets for a server that has this certificate and no other."""
    context = ssl.create_default_context(cafile=certificate)
    return irc.connection.Factory(wrapper=functools.partial(context.wrap_socket, server_hostname=name))


def main(host, port, nick, password, *certificate_and_name):
    reactor = irc.client.Reactor()
    factory = encrypted(*certificate_and_name) if certificate_and_name else irc.connection.Factory()
    account = {"sasl_login": nick, "password": password} if password else {}
    connection = reactor.server().connect(host, int(port), nick, connect_factory=factory, **account)
    for kind in ("join", "pubmsg", "privmsg", "pubnotice", "privnotice", "invite"):
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

"""What can somebody do who means harm: requests in disguise, slow heads, names that lead elsewhere, planted links?"""

import os
import re
import time

from cloud_tools import Cloud, KIB, made
from stage import Missed, PATIENCE_SECS, until

# A request that must never be answered: it hides behind, or in, the one before.
HIDDEN = b"GET /cloud/secret.txt HTTP/1.1\r\nHost: x\r\n\r\n"
PUT = b"PUT /cloud/smuggled.txt HTTP/1.1\r\nHost: x\r\n"
# Each as (what it is, the bytes). All of them are read differently by different programs.
SMUGGLED = [
    ("two lengths", PUT + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\n" + HIDDEN),
    ("two lengths in one", PUT + b"Content-Length: 5, 0\r\n\r\n" + HIDDEN),
    ("both framings", PUT + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN),
    ("both framings, the other way round", PUT + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN),
    ("two transfer encodings", PUT + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + HIDDEN),
    ("an encoding nobody knows", PUT + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN),
    ("a bare CR in a value", PUT + b"X-A: a\rContent-Length: 0\r\nContent-Length: 5\r\n\r\n" + HIDDEN),
    ("a bare CR at a line's end", b"GET /cloud/ HTTP/1.1\rHost: x\r\n\r\n" + HIDDEN),
    ("a blank before the colon", PUT + b"Content-Length : 5\r\n\r\n" + HIDDEN),
    ("a folded line", PUT + b"X-A: a\r\n Content-Length: 5\r\n\r\n" + HIDDEN),
    ("a length with a sign", PUT + b"Content-Length: +5\r\n\r\n" + HIDDEN),
    ("a negative length", PUT + b"Content-Length: -1\r\n\r\n" + HIDDEN),
    ("a length in hex", PUT + b"Content-Length: 0x5\r\n\r\n" + HIDDEN),
    ("a length that overflows", PUT + b"Content-Length: 18446744073709551621\r\n\r\n" + HIDDEN),
    ("a chunk with a sign", PUT + b"Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n" + HIDDEN),
    ("a chunk that overflows", PUT + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n" + HIDDEN),
    ("a chunk without an end", PUT + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab0\r\n\r\n" + HIDDEN),
    ("a chunk's line that ends with LF in its extension", PUT + b"Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n0\r\n\r\n" + HIDDEN),
    ("no host", b"GET /cloud/ HTTP/1.1\r\n\r\n" + HIDDEN),
    ("two hosts", b"GET /cloud/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + HIDDEN),
    ("a zero byte", b"GET /cloud/\0 HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN),
]

ANSWER = re.compile(rb"HTTP/1\.\d \d{3} ")


def nothing_hides_behind_a_request_in_disguise(stage):
    cloud = Cloud(stage)
    cloud.curl("-T", "-", cloud.link("secret.txt"), fed=b"TOP-SECRET").wants(201)
    for what, request in SMUGGLED:
        heard = cloud.hears(request)
        status = heard.split(b" ", 2)[1:2]
        if status not in ([b"400"], [b"411"], [b"413"], [b"501"]) or b"TOP-SECRET" in heard or len(ANSWER.findall(heard)) != 1:
            raise Missed(f"{what} should be refused once, and the link closed; but this came: {heard[:600]!r}")
    cloud.is_tidy("secret.txt")
    cloud.works()


def a_head_that_is_too_large_is_refused(stage):
    cloud = Cloud(stage)
    for large in (b"GET /" + b"a" * 20_000, b"GET /cloud/ HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(5000))):
        heard = cloud.hears(large + b"\r\n\r\n")
        if heard.split(b" ", 2)[1:2] not in ([b"400"], [b"414"], [b"431"]):
            raise Missed(f"a head of {len(large)} bytes should be refused, but this came: {heard[:300]!r}")
    cloud.works()


def a_head_that_never_ends_is_given_up(stage):
    cloud = Cloud(stage)
    began = time.monotonic()
    with cloud.socket() as link:
        link.sendall(b"GET /cloud/ HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        # A byte now and then does not help; others are served meanwhile.
        link.settimeout(1)
        while True:
            cloud.works()
            if time.monotonic() - began > PATIENCE_SECS:
                raise Missed("a head that never ends should be given up")
            try:
                link.sendall(b"a")
                if not link.recv(1 << 16):
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return


def no_name_leads_out_of_the_cloud_or_hides_in_it(stage):
    cloud = Cloud(stage)
    longest = "字" * 85
    cloud.curl("-T", "-", cloud.link(longest), fed=b"long").wants(201)
    if cloud.get(longest).wants(200).body != b"long":
        raise Missed("a name of 255 bytes should be served")
    beside = set(os.listdir(os.path.dirname(cloud.disk)))
    for path in ("../out.txt", "%2e%2e/out.txt", "..%2fout.txt", "a/../../out.txt", "a/%2e%2e/%2e%2e/out.txt", "%2Fetc/gzy-out.txt", "/etc/gzy-out.txt",
                 ".hidden", ".part/x", "a/.hidden", "a%0Ab.txt", "a%00b.txt", "a%1bb.txt", "CON", "nul.txt", "a%E2%80%AEtxt.exe",
                 "a%5Cb.txt", "..%5Cout.txt", "C:%5Cout.txt", "a//b.txt", "dot.", "blank%20", "%ff%fe", "%", "%zz", "字" * 86, "a%3Ab.txt"):
        answer = cloud.curl("--path-as-is", "-T", "-", f"{cloud.url}/cloud/{path}", fed=path.encode())
        answer.wants(201, 400, 403, 404, 409, 414)
        if answer.status != 201:
            answer.has_sentence()
    for name in cloud.on_disk():
        parts = name.split("/")
        if any(bad(part) for part in parts):
            raise Missed(f"no file should be called {name!r}")
    if set(os.listdir(os.path.dirname(cloud.disk))) != beside or os.path.exists("/etc/gzy-out.txt"):
        raise Missed("no file should be outside of the cloud")
    cloud.works()


def bad(part):
    """Whether a part of a name is what nobody should have to see or open."""
    return (part.startswith(".") or part.endswith((".", " ")) or len(part.encode()) > 255 or part.split(".")[0].upper() in ("CON", "NUL")
            or any(ord(letter) < 32 or letter in '\u202e\\:' for letter in part))


def a_planted_link_is_not_followed(stage):
    cloud, folder = Cloud(stage), stage.folder()
    victim, digest = made(folder, "victim.txt", 1000)
    outside = os.path.join(folder, "outside")
    os.mkdir(outside)
    made(outside, "inner.txt", 1000)
    os.symlink(victim, os.path.join(cloud.disk, "link.txt"))
    os.symlink(outside, os.path.join(cloud.disk, "door"))
    os.mkfifo(os.path.join(cloud.disk, "pipe.txt"))
    with open(os.path.join(cloud.disk, "plain.txt"), "w", encoding="ascii") as file:
        file.write("put here by hand")
    cloud.shows("plain.txt")
    if list(cloud.listing()) != ["plain.txt"]:
        raise Missed(f"only what is really there should be listed, not {list(cloud.listing())}")
    for name in ("link.txt", "door/inner.txt", "pipe.txt"):
        cloud.get(name).wants(403, 404)
    for name in ("link.txt", "door/new.txt", "door/inner.txt", "pipe.txt"):
        answer = cloud.curl("-T", "-", cloud.link(name), fed=b"overwritten")
        answer.wants(400, 403, 404, 409, 500)
    with open(victim, "rb") as file:
        if file.read() == b"overwritten" or os.listdir(outside) != ["inner.txt"]:
            raise Missed("nothing should be written through a planted link")
    cloud.works()


def what_is_changed_by_hand_is_not_sent_under_the_old_digest(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, _ = made(folder, "changes.bin", 100 * KIB)
    cloud.put(path).wants(201)
    old = cloud.get("changes.bin").wants(200)
    # As an editor does it: another file under the same name.
    other, _ = made(cloud.disk, "new", 90 * KIB)
    os.replace(other, os.path.join(cloud.disk, "changes.bin"))
    with open(os.path.join(cloud.disk, "changes.bin"), "rb") as file:
        content = file.read()

    def is_new():
        answer = cloud.get("changes.bin")
        if answer.status == 200 and (answer.body == content) == (answer.headers["etag"] == old.headers["etag"]):
            raise Missed(f"an etag should stand for one content: {answer.heads}")
        return answer.status == 200 and answer.body == content

    until(is_new, "the changed file should be served", lambda: str(cloud.get("changes.bin").heads))
    os.remove(os.path.join(cloud.disk, "changes.bin"))
    cloud.get("changes.bin").wants(404)
    until(lambda: not cloud.listing(), "what was removed by hand should leave the listing", lambda: str(cloud.listing()))


TESTS = [
    nothing_hides_behind_a_request_in_disguise,
    a_head_that_is_too_large_is_refused,
    no_name_leads_out_of_the_cloud_or_hides_in_it,
]
# What encryption changes nothing about.
CLEAR_TESTS = [
    a_head_that_never_ends_is_given_up,
    a_planted_link_is_not_followed,
    what_is_changed_by_hand_is_not_sent_under_the_old_digest,
]

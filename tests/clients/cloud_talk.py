"""What does somebody with another IRC program hear of files, and who may bring, see and remove what?"""

import hashlib
import re

from cloud_tools import Cloud, KIB, made, repr_digest
from members import PASSWORD
from stage import Missed, until

LINK = re.compile(r'https?://[^\s"]+/cloud/[^\s"]+')  # ii puts quotes around a notice.
NAME = "合影 2026.bin"


def an_irc_program_gets_a_link_that_curl_can_fetch(stage, program="irssi"):
    cloud, folder = Cloud(stage), stage.folder()
    guest = stage.guest(program)
    path, digest = made(folder, NAME, 123 * KIB)
    cloud.put(path).wants(201)
    guest.sees(NAME, digest[:8])
    guest.sees(NAME, "/cloud/")
    line = next(line for line in guest.screen().splitlines() if NAME in line and "/cloud/" in line)
    fetched = cloud.curl(LINK.search(line).group(0)).wants(200)
    if hashlib.sha256(fetched.body).hexdigest() != digest:
        raise Missed(f"the link in {line!r} should bring the file")


def ii_gets_the_link_too(stage):
    an_irc_program_gets_a_link_that_curl_can_fetch(stage, "ii")


def the_files_are_listed_in_talk(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, NAME, 5000)
    cloud.put(path).wants(201)
    for number, words in enumerate(("!ls", "！查看文件", "!ls 合影*")):
        guest = stage.eve() if number == 0 else stage.member("irssi", f"asks{number}")
        guest.say(words)
        until(lambda: shown_in_answer(guest, digest), f"{words} should list {NAME}", guest.screen)


def shown_in_answer(guest, digest):
    """The name stands in an answer, beside what the history has of its arrival."""
    lines = [line for line in guest.screen().splitlines() if NAME in line]
    return [line for line in lines if digest[:8] in line or "4.9" in line or "5.0" in line or "5000" in line]


def an_irc_program_that_can_upload_finds_where(stage):
    cloud, folder = Cloud(stage), stage.folder()
    guest = stage.eve()
    offered = re.compile(r" 005 .*soju\.im/FILEHOST=(\S+)")
    until(lambda: offered.search(guest.screen()), "the welcome should name soju.im/FILEHOST", guest.screen)
    host = offered.search(guest.screen()).group(1)
    allowed = cloud.curl("-X", "OPTIONS", host).wants(204)
    if "POST" not in allowed.headers.get("allow", ""):
        raise Missed(f"OPTIONS should allow POST, but says {allowed.heads}")
    path, digest = made(folder, "f.bin", 50_000)
    named = "Content-Disposition: attachment; filename*=UTF-8''%E5%9B%BE.bin"
    stored = cloud.curl("-X", "POST", "-H", named, "-H", "Content-Type: application/octet-stream", "--data-binary", f"@{path}", host).wants(201)
    place = stored.headers["location"]
    place = place if "://" in place else f"{cloud.url}{place}"
    if hashlib.sha256(cloud.curl(place).wants(200).body).hexdigest() != digest:
        raise Missed(f"{place} should be what was brought")
    cloud.has("图.bin", digest)
    # Another of that name gets one of its own, for nobody is there to ask.
    other, other_digest = made(folder, "g.bin", 50_000)
    cloud.curl("-X", "POST", "-H", named, "--data-binary", f"@{other}", host).wants(201)
    cloud.has("图.bin", digest)
    if other_digest not in [file["sha256"] for file in cloud.listing().values()]:
        raise Missed(f"the second should be there too, but there is {cloud.on_disk()}")


def an_account_owns_what_it_brings(stage):
    cloud, folder = Cloud(stage, "--clear-passwords", "yes"), stage.folder()
    for nick in ("anna", "ben"):
        stage.has_account(nick)
    anna, ben, wrong = ("anna", PASSWORD), ("ben", PASSWORD), ("anna", "a wrong one")
    path, digest = made(folder, "hers.bin", 40_000)
    cloud.put(path, "hers.bin", *basic(wrong)).wants(401)
    cloud.is_tidy()
    cloud.put(path, "hers.bin", *basic(anna)).wants(201).has_header("repr-digest", repr_digest(digest))
    if cloud.listing()["hers.bin"].get("uploader") != "anna":
        raise Missed(f"the listing should say that it is anna's, but says {cloud.listing()}")
    for who in ([], basic(ben)):
        cloud.curl("-X", "DELETE", *who, cloud.link("hers.bin")).wants(401, 403)
        cloud.has("hers.bin", digest)
    cloud.curl("-X", "DELETE", *basic(anna), cloud.link("hers.bin")).wants(200, 204)
    cloud.is_tidy()
    cloud.get("hers.bin").wants(404)


def basic(login):
    """What curl is told of an account."""
    return ["--basic", "-u", ":".join(login)]


def a_server_with_members_only_lets_nobody_else_read(stage):
    cloud, folder = Cloud(stage, "--guests", "no", "--clear-passwords", "yes"), stage.folder()
    stage.has_account("anna")
    path, digest = made(folder, "inner.bin", 40_000)
    cloud.put(path, "inner.bin", *basic(("anna", PASSWORD))).wants(201)
    for refused in (cloud.get("inner.bin"), cloud.curl(f"{cloud.url}/cloud/"), cloud.put(path, "other.bin")):
        refused.wants(401)
        if "basic" not in refused.headers.get("www-authenticate", "").lower():
            raise Missed(f"401 should say how to log in, but says {refused.heads}")
    if hashlib.sha256(cloud.get("inner.bin", *basic(("anna", PASSWORD))).wants(200).body).hexdigest() != digest:
        raise Missed("anna should fetch what she has brought")


def what_is_too_much_is_refused_before_it_comes(stage):
    cloud, folder = Cloud(stage, "--max-file", "1M", "--quota", "3M"), stage.folder()
    large, _ = made(folder, "large.bin", 1_100_000)
    refused = cloud.put(large).wants(413).has_sentence()
    if "100 Continue" in refused.heads:
        raise Missed(f"what is too large should be refused before it is sent, but was answered {refused.heads}")
    with open(large, "rb") as file:
        # Nobody knows before how much comes in chunks.
        cloud.curl("-T", "-", cloud.link("chunks.bin"), fed=file.read()).wants(413)
    cloud.is_tidy()
    names = []
    for number in range(3):
        path, _ = made(folder, f"{number}.bin", 900_000)
        cloud.put(path).wants(201)
        names.append(f"{number}.bin")
    path, _ = made(folder, "more.bin", 900_000)
    cloud.put(path).wants(403, 413, 507).has_sentence()
    cloud.is_tidy(*names)


TESTS = [
    an_irc_program_gets_a_link_that_curl_can_fetch,
    ii_gets_the_link_too,
    the_files_are_listed_in_talk,
    an_irc_program_that_can_upload_finds_where,
    an_account_owns_what_it_brings,
    a_server_with_members_only_lets_nobody_else_read,
    what_is_too_much_is_refused_before_it_comes,
]

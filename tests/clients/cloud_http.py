"""Do curl, wget, aria2 and a browser bring and fetch files, in pieces, again, and with Chinese names?"""

import hashlib
import os
import subprocess

from chromium import Chromium
from cloud_tools import Cloud, KIB, MIB, made, repr_digest, same, sha256
from stage import Missed, PATIENCE_SECS

NAME = "课件 第一周 (final).zip"


def curl_brings_a_file_and_fetches_it_back(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, NAME, 3 * MIB + 7)
    # As people type it: only the folder; curl puts the name behind it.
    stored = cloud.curl("-T", path, f"{cloud.url}/cloud/").wants(201)
    stored.has_header("repr-digest", repr_digest(digest))
    cloud.has(NAME, digest)
    fetched = cloud.get(NAME).wants(200).has_header("content-length", str(3 * MIB + 7)).has_header("repr-digest", repr_digest(digest))
    if hashlib.sha256(fetched.body).hexdigest() != digest:
        raise Missed("curl should fetch what it has brought")
    fetched.has_header("x-content-type-options", "nosniff")
    asked = cloud.curl("-I", cloud.link(NAME)).wants(200).has_header("content-length", str(3 * MIB + 7))
    asked.has_header("etag", fetched.headers.get("etag"))
    # Once more: it is there already, and stays one file.
    cloud.put(path).wants(200, 201, 204)
    cloud.is_tidy(NAME)
    if cloud.listing()[NAME]["size"] != 3 * MIB + 7:
        raise Missed(f"the listing should tell the size, but says {cloud.listing()}")


def a_digest_that_is_sent_along_is_checked(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, "a.bin", 300 * KIB)
    wrong = "0" * 64
    cloud.put(path, "a.bin", "-H", f"Repr-Digest: {repr_digest(wrong)}").wants(400, 422).has_sentence()
    cloud.is_tidy()
    cloud.put(path, "a.bin", "-H", f"Repr-Digest: {repr_digest(digest)}").wants(201)
    cloud.has("a.bin", digest)
    cloud.is_tidy("a.bin")


def a_name_that_is_taken_is_refused_and_what_is_there_stays(stage):
    cloud, folder = Cloud(stage), stage.folder()
    first, digest = made(folder, "taken.bin", 70 * KIB)
    other, _ = made(folder, "other.bin", 2 * MIB)
    cloud.put(first).wants(201)
    refused = cloud.put(other, "taken.bin").wants(409).has_sentence()
    # curl waits for the go-ahead with so much to bring; it was never given.
    if "100 Continue" in refused.heads:
        raise Missed(f"what is refused should be refused before it is sent, but was answered {refused.heads}")
    cloud.has("taken.bin", digest)
    cloud.is_tidy("taken.bin")


def curl_waits_for_the_go_ahead_and_gets_it(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, "expected.bin", 2 * MIB)
    stored = cloud.put(path, "expected.bin", "-H", "Expect: 100-continue", "--expect100-timeout", str(PATIENCE_SECS)).wants(201)
    if "100 Continue" not in stored.heads:
        raise Missed(f"curl should have been told to go on, but was answered {stored.heads}")
    cloud.has("expected.bin", digest)


def what_has_no_known_length_comes_in_chunks(stage):
    cloud = Cloud(stage)
    content = os.urandom(777_777)
    cloud.curl("-T", "-", cloud.link("管道.bin"), fed=content).wants(201)
    cloud.has("管道.bin", hashlib.sha256(content).hexdigest())
    cloud.curl("-T", "-", cloud.link("empty.bin"), fed=b"").wants(201)
    cloud.has("empty.bin", hashlib.sha256(b"").hexdigest())
    cloud.is_tidy("管道.bin", "empty.bin")


def a_broken_download_goes_on_where_it_stopped(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, "long.bin", 5 * MIB + 3)
    cloud.put(path).wants(201)
    for program, command in (("curl", ["curl", *cloud.trust(), "-C", "-", "-o", "curl.part", cloud.link("long.bin")]),
                             ("wget", [*wget(cloud), "-c", "-O", "wget.part", cloud.link("long.bin")])):
        begun = os.path.join(folder, f"{program}.part")
        with open(path, "rb") as whole, open(begun, "wb") as part:
            part.write(whole.read(2 * MIB + 1))
        ends_well(command, folder)
        same(begun, digest, f"what {program} has gone on with")


def wget(cloud):
    """wget, with what it has to know."""
    trust = ["--ca-certificate", cloud.door.certificate] if cloud.door.is_encrypted else []
    return ["wget", "-q", "-4", "--tries=1", f"--timeout={PATIENCE_SECS:.0f}", *trust]


def ends_well(command, folder):
    """Runs a program that must end with 0."""
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace", timeout=2 * PATIENCE_SECS)
    if done.returncode != 0:
        raise Missed(f"{command[0]} should end with 0, but ended with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-1500:]}")


def wget_and_aria2_fetch_a_file_with_a_chinese_name(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, NAME, 9 * MIB + 11)
    cloud.put(path).wants(201)
    into = stage.folder()
    ends_well([*wget(cloud), "--content-disposition", cloud.link(NAME)], into)
    if os.listdir(into) != [NAME]:
        raise Missed(f"wget should call the file {NAME}, but called it {os.listdir(into)}")
    same(os.path.join(into, NAME), digest, "what wget has fetched")
    into = stage.folder()
    trust = ["--ca-certificate", cloud.door.certificate] if cloud.door.is_encrypted else []
    ends_well(["aria2c", "--no-conf", "--disable-ipv6", "-q", *trust, "-x4", "-s4", "-k1M", "-o", "four.bin", cloud.link(NAME)], into)
    same(os.path.join(into, "four.bin"), digest, "what aria2 has fetched in four pieces")


def ranges_are_what_was_asked_for(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, _ = made(folder, "r.bin", 100_000)
    with open(path, "rb") as file:
        whole = file.read()
    etag = cloud.put(path).wants(201) and cloud.get("r.bin").headers["etag"]
    for asked, first, last in (("0-0", 0, 0), ("-5", 99_995, 99_999), ("500-1499", 500, 1499), ("99999-", 99_999, 99_999), ("90000-200000", 90_000, 99_999)):
        part = cloud.get("r.bin", "-r", asked).wants(206).has_header("content-range", f"bytes {first}-{last}/100000")
        if part.body != whole[first:last + 1]:
            raise Missed(f"bytes={asked} should bring those bytes, but brought {len(part.body)} others")
    cloud.get("r.bin", "-r", "100000-").wants(416).has_header("content-range", "bytes */100000")
    # A range that means nothing is as good as none.
    for asked in ("bytes=5-2", "lines=1-2", "bytes=a-b"):
        if cloud.get("r.bin", "-H", f"Range: {asked}").wants(200).body != whole:
            raise Missed(f"Range: {asked} should be ignored")
    cloud.get("r.bin", "-H", f"If-Range: {etag}", "-r", "10-19").wants(206)
    if cloud.get("r.bin", "-H", 'If-Range: "another"', "-r", "10-19").wants(200).body != whole:
        raise Missed("a range of another content should bring the whole file")


def what_is_known_is_not_sent_again(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, _ = made(folder, "known.bin", 20_000)
    cloud.put(path).wants(201)
    etag = cloud.get("known.bin").wants(200).headers["etag"]
    for tags in (etag, f'"another", {etag}', f"W/{etag}", "*"):
        if cloud.get("known.bin", "-H", f"If-None-Match: {tags}").wants(304).body:
            raise Missed("304 should come without a body")
    cloud.get("known.bin", "-H", 'If-None-Match: "another"').wants(200)
    cloud.get("unknown.bin").wants(404).has_sentence()


def a_browser_lists_and_fetches_files(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, NAME, 400 * KIB)
    cloud.put(path).wants(201)
    # What wants to be a page of its own is shown as text or fetched, and never runs.
    cloud.curl("-T", "-", cloud.link("坏 <b>&\"'.html"), fed=b"<script>document.title='ran'</script>")
    browser = stage.watches(Chromium(cloud.door, stage.folder()))
    page = browser.dom(f"{cloud.url}/cloud/")
    if NAME not in page:
        raise Missed(f"the browser should list {NAME}, but shows {page[:2000]}")
    if "<b>" in page:
        raise Missed(f"a name should not be taken for HTML, but the browser shows {page[:2000]}")
    fetched = browser.clicks(NAME)
    same(fetched, digest, "what the browser has fetched")
    if os.path.basename(fetched) != NAME:
        raise Missed(f"the browser should call the file {NAME}, but calls it {os.path.basename(fetched)}")


def a_browser_of_another_site_cannot_write(stage):
    cloud = Cloud(stage)
    for header in ("Origin: http://evil.example", "Sec-Fetch-Site: cross-site"):
        cloud.curl("-X", "PUT", "-H", header, "--data-binary", "x", cloud.link("evil.txt")).wants(403).has_sentence()
    cloud.is_tidy()


def a_folder_is_part_of_the_name(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, "a.zip", 5000)
    cloud.put(path, "作业/第1周/a.zip").wants(201)
    cloud.has("作业/第1周/a.zip", digest)
    cloud.get("作业/第1周/a.zip").wants(200)
    cloud.curl("-H", "Accept: text/html", f"{cloud.url}/cloud/%E4%BD%9C%E4%B8%9A/").wants(200)
    if sha256(os.path.join(cloud.disk, "作业/第1周/a.zip")) != digest:
        raise Missed("the file should be in its folder")


TESTS = [
    curl_brings_a_file_and_fetches_it_back,
    a_digest_that_is_sent_along_is_checked,
    a_name_that_is_taken_is_refused_and_what_is_there_stays,
    curl_waits_for_the_go_ahead_and_gets_it,
    what_has_no_known_length_comes_in_chunks,
    a_broken_download_goes_on_where_it_stopped,
    wget_and_aria2_fetch_a_file_with_a_chinese_name,
    ranges_are_what_was_asked_for,
    what_is_known_is_not_sent_again,
    a_browser_lists_and_fetches_files,
    a_browser_of_another_site_cannot_write,
    a_folder_is_part_of_the_name,
]

"""When links break, servers are killed, disks run full and two come at once: is every name a whole file, and nothing left over?"""

import os
import subprocess
import time

from cloud_tools import Cloud, GIB, KIB, MIB, made, same
from stage import Missed, Program, until

# So slow that something can happen in between, and so fast that the test does not take long.
SLOWLY = "8M"


class Put(Program):
    """`gzy put` in a script."""

    def __init__(self, stage, cloud, home, *paths, verb="put", into=None):
        super().__init__([*stage.gzy, verb, *cloud.door.for_gzy(), *paths], into or home, XDG_CONFIG_HOME=home)

    def ends_well(self):
        """Waits for its end."""
        code = self.exit_code()
        if code != 0:
            raise Missed(f"gzy should end with 0, but ended with {code}:\n" + "\n".join(self.printed.lines()) + self.complaints())


def gzy(stage, cloud, verb, *words, into=None):
    """`gzy put` or `gzy get`, to its good end."""
    run = stage.watches(Put(stage, cloud, stage.folder(), *words, verb=verb, into=into))
    run.ends_well()
    return run.printed.lines()


def a_script_brings_and_fetches(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, "脚本.bin", 3 * MIB + 1)
    gzy(stage, cloud, "put", path)
    cloud.has("脚本.bin", digest)
    into = stage.folder()
    gzy(stage, cloud, "get", "脚本.bin", into=into)
    found = [os.path.join(where, name) for where, _, names in os.walk(into) for name in names if name == "脚本.bin"]
    if len(found) != 1:
        raise Missed(f"gzy get should bring one file, but brought {found}")
    same(found[0], digest, "what gzy get has fetched")
    cloud.is_tidy("脚本.bin")


def begun(cloud, at_least=2 * MIB):
    """Waits until an upload is well under way; returns its bytes."""
    until(lambda: max(cloud.under_way().values(), default=0) >= at_least, "bytes should be under way", lambda: str(cloud.under_way()))
    return max(cloud.under_way().values())


def an_upload_goes_on_when_the_server_was_killed(stage):
    cloud, folder = Cloud(stage, "--rate", SLOWLY), stage.folder()
    path, digest = made(folder, "long.bin", 30 * MIB)
    upload = stage.watches(Put(stage, cloud, stage.folder(), path))
    begun(cloud)
    cloud.server.stop_hard()
    if cloud.on_disk():
        raise Missed(f"no name should stand for half a file, but there is {cloud.on_disk()}")
    cloud.server.start_again()
    upload.ends_well()
    cloud.has("long.bin", digest)
    cloud.is_tidy("long.bin")


def an_upload_goes_on_when_the_client_was_killed(stage):
    cloud, folder, home = Cloud(stage, "--rate", SLOWLY), stage.folder(), stage.folder()
    path, digest = made(folder, "long.bin", 30 * MIB)
    upload = Put(stage, cloud, home, path)
    begun(cloud, 8 * MIB)
    upload.stop()
    # What is written of it stays; the second try needs what is missing only.
    began = time.monotonic()
    stage.watches(Put(stage, cloud, home, path)).ends_well()
    if time.monotonic() - began > 30 / 8:
        raise Missed("the second try should bring what is missing only, but it took as long as all of it")
    cloud.has("long.bin", digest)
    cloud.is_tidy("long.bin")


def what_curl_breaks_off_is_no_file(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, "broken.bin", 20 * MIB)
    upload = Program(["curl", *cloud.trust(), "--limit-rate", SLOWLY, "-T", path, cloud.link("broken.bin")], folder)
    begun(cloud)
    upload.stop()
    cloud.get("broken.bin").wants(404)
    if cloud.on_disk():
        raise Missed(f"no name should stand for half a file, but there is {cloud.on_disk()}")
    cloud.put(path).wants(201)
    cloud.has("broken.bin", digest)


def two_bring_the_same_name_at_once(stage):
    cloud, folder = Cloud(stage), stage.folder()
    files = [made(folder, f"{number}.bin", 6 * MIB) for number in range(2)]
    answers = at_once(stage, cloud, [(path, "same.bin") for path, _ in files])
    if sorted(answers) != ["201", "409"]:
        raise Missed(f"one should be stored and one refused, but they were answered {answers}")
    cloud.has("same.bin", files[answers.index("201")][1])
    cloud.is_tidy("same.bin")


def two_bring_the_same_content_at_once(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, "one.bin", 6 * MIB)
    answers = at_once(stage, cloud, [(path, "one.bin"), (path, "one.bin"), (path, "other.bin")])
    if not set(answers) <= {"200", "201", "204"}:
        raise Missed(f"all should be welcome, but were answered {answers}")
    for name in ("one.bin", "other.bin"):
        cloud.has(name, digest)
    cloud.is_tidy("one.bin", "other.bin")


def at_once(stage, cloud, uploads):
    """Some curls that overlap; returns what each was answered."""
    runs = [Program(["curl", *cloud.trust(), "--limit-rate", SLOWLY, "-o", os.devnull, "-w", "%{http_code}\n", "-T", path, cloud.link(name)],
                    stage.folder()) for path, name in uploads]
    for run in runs:
        stage.watches(run).exit_code()
    return [run.printed.line(lambda line: line.isdigit(), "curl should tell the status") for run in runs]


def a_second_name_costs_no_space_and_no_time(stage):
    cloud, folder = Cloud(stage), stage.folder()
    path, digest = made(folder, "first.bin", 40 * MIB)
    gzy(stage, cloud, "put", path)
    second = os.path.join(folder, "second.bin")
    os.link(path, second)
    gzy(stage, cloud, "put", second)
    for name in ("first.bin", "second.bin"):
        cloud.has(name, digest)
    first, other = (os.stat(os.path.join(cloud.disk, name)) for name in ("first.bin", "second.bin"))
    if first.st_ino != other.st_ino:
        raise Missed("the same content should be one file with two names where the disk can do that")
    os.remove(os.path.join(cloud.disk, "first.bin"))
    cloud.get("second.bin").wants(200)


def a_full_disk_is_said_and_leaves_nothing(stage):
    disk = stage.folder()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
    try:
        cloud, folder = Cloud(stage, disk=disk), stage.folder()
        large, _ = made(folder, "large.bin", 40 * MIB)
        refused = cloud.put(large).wants(507).has_sentence()
        if "100 Continue" in refused.heads:
            raise Missed(f"what has no room should be refused before it is sent, but was answered {refused.heads}")
        with open(large, "rb") as file:
            cloud.curl("-T", "-", cloud.link("chunks.bin"), fed=file.read()).wants(507)
        cloud.is_tidy()
        small, digest = made(folder, "small.bin", 300 * KIB)
        cloud.put(small).wants(201)
        cloud.has("small.bin", digest)
        cloud.is_tidy("small.bin")
        stage.server.stop()
        stage.server.start_again()
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def a_file_of_five_gib_is_sent_from_any_place(stage):
    cloud = Cloud(stage)
    path = os.path.join(stage.folder(), "film.bin")
    size = 5 * GIB
    with open(path, "wb") as file:
        file.truncate(size)
        file.seek(size - 9)
        file.write(b"THE END..")
    os.rename(path, os.path.join(cloud.disk, "film.bin"))
    cloud.shows("film.bin")
    last = cloud.get("film.bin", "-r", "-9").wants(206).has_header("content-range", f"bytes {size - 9}-{size - 1}/{size}")
    if last.body != b"THE END..":
        raise Missed(f"the last bytes of 5 GiB should come, but {last.body} came")
    if cloud.get("film.bin", "-r", f"{4 * GIB - 4}-{4 * GIB + 3}").wants(206).body != bytes(8):
        raise Missed("the bytes around 4 GiB should come")
    cloud.curl("-I", cloud.link("film.bin")).wants(200).has_header("content-length", str(size))


def ten_thousand_small_files_come_and_go(stage):
    cloud, folder, into = Cloud(stage), stage.folder(), stage.folder()
    tree = os.path.join(folder, "作业")
    for number in range(10_000):
        where = os.path.join(tree, f"{number // 1000}")
        os.makedirs(where, exist_ok=True)
        with open(os.path.join(where, f"{number}.txt"), "w", encoding="ascii") as file:
            file.write(f"{number}\n" * 20)
    gzy(stage, cloud, "put", tree)
    if len(cloud.on_disk()) != 10_000:
        raise Missed(f"10 000 files should be there, but {len(cloud.on_disk())} are")
    if len(cloud.listing()) != 10_000:
        raise Missed(f"10 000 files should be listed, but {len(cloud.listing())} are")
    gzy(stage, cloud, "get", "作业", into=into)
    fetched = next(os.path.join(where, "作业") for where, folders, _ in os.walk(into) if "作业" in folders)
    differs = subprocess.run(["diff", "-rq", tree, fetched], capture_output=True, encoding="utf-8")
    if differs.returncode != 0:
        raise Missed(f"all should come back as it went, but {differs.stdout[:1000]}")
    cloud.is_tidy(*cloud.on_disk())


TESTS = [
    a_script_brings_and_fetches,
    an_upload_goes_on_when_the_server_was_killed,
    what_curl_breaks_off_is_no_file,
    two_bring_the_same_name_at_once,
    two_bring_the_same_content_at_once,
]
# What encryption changes nothing about.
CLEAR_TESTS = [
    an_upload_goes_on_when_the_client_was_killed,
    a_second_name_costs_no_space_and_no_time,
    a_file_of_five_gib_is_sent_from_any_place,
    ten_thousand_small_files_come_and_go,
]
# Only root may mount.
ROOT_TESTS = [a_full_disk_is_said_and_leaves_nothing]

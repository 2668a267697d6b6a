"""Files at `gzy client` in a terminal: brought, seen, fetched, while people talk. All in Chinese."""

import hashlib
import os

from stage import Missed, until

# Large enough for a row above the prompt to be seen, small enough for a test.
LARGE = 64 << 20


def file_in(folder, name, size=100_000):
    """A file with content of its own."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        seed = hashlib.sha256(path.encode()).digest()
        for number in range(0, size, 1 << 20):
            block = hashlib.shake_128(seed + number.to_bytes(8, "big")).digest(min(1 << 20, size - number))
            file.write(block)
    return path


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def a_picture_with_a_chinese_name_goes_from_one_to_the_other(stage):
    yang, ming = stage.at_terminal("小阳"), stage.at_terminal("阿明")
    path = file_in(stage.folder(), "我的 照片.png")
    yang.say(f"！上传文件*{path}")
    yang.sees("✓ 我的 照片.png 100.0 kB", f"SHA-256 一致 {digest(path)[:8]}")
    ming.sees("小阳 分享了", "「我的 照片.png」 100.0 kB", digest(path)[:8])
    ming.say("！查看文件")
    ming.sees("我的 照片.png", "1 个文件，共 100.0 kB")
    ming.tmux.type("！下载文件*我")
    ming.tmux.press("Tab", "Enter")
    ming.sees("✓ 我的 照片.png", "一致")
    same_file(path, os.path.join(ming.downloads, "我的 照片.png"))
    yang.shows_once("我的 照片.png")
    yang.say("！删除文件*我的 照片.png")
    yang.sees("我的 照片.png 已删除")
    ming.sees("小阳 删除了文件「我的 照片.png」")


def same_file(one, other):
    until(lambda: os.path.exists(other), f"{other} should be there", lambda: str(os.listdir(os.path.dirname(other))))
    if digest(one) != digest(other):
        raise Missed(f"{other} should have the content of {one}")


def talk_goes_on_under_the_bars(stage):
    yang, guest = stage.at_terminal("小阳"), stage.guest("nc")
    path = file_in(stage.folder(), "很长的名字的录像.mkv", LARGE)
    yang.record()
    yang.tmux.type("我一边说")
    yang.ends_with(lambda last: last.endswith("我一边说"), "the typed line")
    yang.tmux.press("C-u")
    yang.say(f"/put '{path}'")
    yang.tmux.type("我一边说")
    guest.say("我听着")
    yang.hears(guest, "我听着")
    yang.sees("✓ 很长的名字的录像.mkv 67.1 MB")
    yang.ends_with(lambda last: last == "大厅(2)> 我一边说", "the line that was being typed")
    if "↑ 很长的名字的录像.mkv" not in yang.sent():
        raise Missed(f"a row should have told how far the file is, but what was sent is {yang.sent()!r}")
    left = [row for row in yang.tmux.rows() if row.startswith("↑")]
    if left:
        raise Missed(f"nothing should be left of the row, but there is {left}")
    yang.tmux.resize(40, 20)
    yang.ends_with(lambda last: last == "大厅(2)> 我一边说", "the line that was being typed, in a narrow window")


def a_folder_is_one_line_here_and_there(stage):
    yang, ming = stage.at_terminal("小阳"), stage.at_terminal("阿明")
    folder = stage.folder()
    for number in range(200):
        file_in(folder, f"作业/第{number % 5}周/{number}.txt", 1_000)
    yang.say("!ft")
    yang.ends_with(lambda last: last.startswith("要上传的文件"), "a question for the path")
    yang.say(os.path.join(folder, "作业"))
    yang.sees("✓ 200 个文件已上传", "SHA-256 一致 · 200.0 kB")
    ming.sees("小阳 分享了", "个文件「作业")
    ming.say("！查看文件*作业")
    ming.sees("作业/第0周/  40 个文件", "200 个文件，共 200.0 kB")
    ming.say("/get 作业")
    ming.sees("✓ 200 个文件已下载")
    for number in range(200):
        name = f"作业/第{number % 5}周/{number}.txt"
        same_file(os.path.join(folder, name), os.path.join(ming.downloads, name))
    many = [row for row in ming.tmux.rows() if ".txt" in row]
    if many:
        raise Missed(f"no file of the folder should have a line of its own, but there are {many}")


def a_script_moves_files_too(stage):
    yang, script = stage.at_terminal("小阳"), stage.by_script("小雨")
    path = file_in(stage.folder(), "脚本.bin")
    script.say(f"!put {path}")
    yang.sees("小雨 分享了", "「脚本.bin」")
    code = script.leave()
    script.sees("✓ 脚本.bin 100.0 kB", "SHA-256 一致")
    if code != 0:
        raise Missed(f"a script whose file came through should end with 0, but ended with {code}")


def what_cannot_be_done_says_why_and_goes_on(stage):
    yang = stage.at_terminal("小阳")
    yang.say("!get 没有这个.zip")
    yang.sees("✗ 没有这个.zip")
    yang.say("!put /没有/这个.zip")
    yang.sees("✗ /没有/这个.zip")
    yang.say("/cancel")
    yang.sees("现在没有正在传输的文件")
    yang.say("还能说话")
    yang.sees("小阳: 还能说话")


TESTS = [
    a_picture_with_a_chinese_name_goes_from_one_to_the_other,
    talk_goes_on_under_the_bars,
    a_folder_is_one_line_here_and_there,
    a_script_moves_files_too,
    what_cannot_be_done_says_why_and_goes_on,
]

"""Files at `gzy client` in a terminal: brought, seen, fetched, while people talk. All in Chinese."""

import hashlib
import os

from accounts import Member, bottom_is
from server import Server
from stage import Missed, until
from terminal import ROWS, Terminal

# Large enough for a row above the prompt to be seen, small enough for a test.
LARGE = 64 << 20


# The beginning of a picture of 640 by 480 points.
PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big") + b"\x08\x06\0\0\0"


def file_in(folder, name, size=100_000, begins=b""):
    """A file with content of its own."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(begins)
        size -= len(begins)
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
    path = file_in(stage.folder(), "我的 照片.png", begins=PICTURE)
    yang.say(f"！上传文件*{path}")
    yang.sees("✓ 我的 照片.png 100.0 kB", f"SHA-256 一致 {digest(path)[:8]}")
    ming.sees(f"小阳 分享了 图片 640×480「我的 照片.png」 100.0 kB · SHA-256 {digest(path)[:8]} · /get \"我的 照片.png\"")
    ming.say("！查看文件")
    ming.sees("1 个文件，共 100.0 kB")
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


def bars_fit_every_window_and_end_when_they_are_told_to(stage):
    slow = stage.watches(Server(stage.gzy, stage.folder(), "--rate", "2M")).door(stage.door.is_encrypted)
    yang = stage.watches(Terminal("小阳", slow, stage.gzy, stage.folder()))
    yang.enter()
    folder = stage.folder()
    for number in range(6):
        file_in(folder, f"很长很长的名字第{number}集.mkv", LARGE)
    yang.say(f"！上传文件*{folder}/很长*.mkv")
    yang.sees("↑ 很长", "MB/s", "还有")
    typed = "我一边看着它们慢慢地走，一边写一行很长很长的话"
    yang.tmux.type(typed)
    for columns in (40, 20, 60, 80):
        yang.tmux.resize(columns, ROWS)

        # tmux tells of another size up to a quarter of a second late; what is drawn in that time may stay above.
        def is_whole():
            rows = [row for row in yang.tmux.rows() if row]
            at = max((at for at, row in enumerate(rows) if row.startswith("大厅(1)>")), default=0)
            bars = [row[0] for row in rows[max(at - 5, 0):at]]
            return "".join(rows[at:]) == f"大厅(1)> {typed}" and bars == ["↑", "↑", "↑", "↑", "…"]

        until(is_whole, f"the line and five rows should be at the bottom at {columns} columns", yang.screen)
    yang.tmux.press("C-u")
    yang.say("/取消")
    yang.sees("✗ 已停止 6 个文件")
    gone = lambda: [row[0] for row in yang.tmux.rows() if row][-2:] == ["✗", "大"]
    until(gone, "nothing should stand between what was told and the prompt", yang.screen)
    yang.say("/传输")
    yang.sees("现在没有正在传输的文件")


def a_folder_is_one_line_here_and_there(stage):
    yang, ming = stage.at_terminal("小阳"), stage.at_terminal("阿明")
    folder = stage.folder()
    for number in range(200):
        file_in(folder, f"作业/第{number % 5}周/{number}.txt", 1_000)
    yang.say("!ft")
    yang.ends_with(lambda last: last.startswith("要上传的文件"), "a question for the path")
    yang.say(os.path.join(folder, "作业"))
    yang.sees("✓ 200 个文件已上传", "SHA-256 一致 · 200.0 kB")
    until(lambda: "个文件「作业" in ming.screen(), "阿明 should be told of the folder", ming.screen)
    ming.say("！查看文件*作业")
    ming.sees("40.0 kB", "小阳  作业/第0周/  40 个文件")
    ming.sees("200 个文件，共 200.0 kB")
    ming.say("/get 作业")
    ming.sees("✓ 200 个文件已下载")
    for number in range(200):
        name = f"作业/第{number % 5}周/{number}.txt"
        same_file(os.path.join(folder, name), os.path.join(ming.downloads, name))
    # On a busy machine the first ones may come alone.
    many = [row for row in ming.tmux.rows() if "分享了 文件" in row]
    if len(many) > 3:
        raise Missed(f"files of a folder should not have lines of their own, but there are {many}")


def a_pulled_plug_in_the_middle_costs_nothing_but_time(stage):
    yang = stage.at_terminal("小阳")
    path = file_in(stage.folder(), "录像.mkv", 4 * LARGE)
    yang.say(f"/put {path}")
    moving = lambda: any(row.startswith("↑ 录像.mkv") and "MB/s" in row for row in yang.tmux.rows())
    until(moving, "a row should tell that bytes move", yang.screen)
    stage.server.stop_hard()
    yang.sees("连接断开", "重连")
    yang.say("断线时说的话")
    stage.server.start_again()
    yang.sees("✓ 录像.mkv 268.4 MB", f"SHA-256 一致 {digest(path)[:8]}")
    yang.sees("小阳: 断线时说的话")
    yang.say("/get 录像.mkv")
    yang.sees("→", "Recv/录像.mkv")
    same_file(path, os.path.join(yang.downloads, "录像.mkv"))


def a_script_moves_files_too(stage):
    yang, script = stage.at_terminal("小阳"), stage.by_script("小雨")
    path = file_in(stage.folder(), "脚本.bin")
    script.say(f"!put {path}")
    yang.sees("小雨 分享了", "「脚本.bin」")
    code = script.leave()
    script.sees("✓ 脚本.bin 100.0 kB", "SHA-256 一致")
    if code != 0:
        raise Missed(f"a script whose file came through should end with 0, but ended with {code}")


def a_file_for_somebody_away_waits_for_the_login(stage):
    folder = stage.folder()
    path = file_in(folder, "生日 惊喜.png", begins=PICTURE)
    rain = Member(stage, "小雨")
    rain.takes("--downloads", folder + "/Recv")
    rain.registers().leaves()
    yang, eve = Member(stage, "小阳").registers(), stage.at_terminal("eve")
    yang.says(f"！发文件*小雨*{path}")
    yang.sees("✓ 生日 惊喜.png 100.0 kB", "SHA-256 一致")
    phone = rain.logs_in()
    bottom_is(phone, lambda last: last.startswith("[2:小阳 1] 大厅("), "one unread message")
    phone.says("/room 2")
    phone.sees("生日 惊喜.png", "640×480", digest(path)[:8])
    phone.says("！下载文件*生日 惊喜.png")
    phone.sees("✓ 生日 惊喜.png", "SHA-256 一致")
    same_file(path, os.path.join(folder, "Recv", "生日 惊喜.png"))
    yang.says("/query 小雨")
    yang.says(f"!put '{file_in(folder, '第二个.bin')}'")
    phone.sees("小阳 发给你 文件「第二个.bin」")
    eve.say("!ls")
    eve.sees("这里还没有文件")
    if "生日" in eve.screen() or "第二个" in eve.screen():
        raise Missed(f"eve should not see a private file, but she sees:\n{eve.screen()}")


def a_group_has_files_of_its_own(stage):
    folder = stage.folder()
    yang, rain = Member(stage, "小阳").registers(), Member(stage, "小雨").registers()
    yang.says("！创建群*茶馆")
    yang.sees("群 #茶馆 建好了，群号 1000")
    rain.says("/join 1000")
    bottom_is(rain, lambda last: last.startswith("#茶馆(2)"), "the group, with two people")
    yang.says("/room 茶馆")
    yang.says(f"!put {file_in(folder, '茶单.txt', 1_000)}")
    rain.sees("小阳 分享了", "「茶单.txt」 1.0 kB")
    rain.says("/room 1")
    rain.says("!ls")
    rain.sees("这里还没有文件")
    rain.says("!rm 茶单.txt")
    rain.sees("✗ 茶单.txt 没有删除")
    rain.says("/room 茶馆")
    rain.says("!rm 茶单.txt")
    rain.sees("✗ 茶单.txt 没有删除：只有上传者")
    yang.says("!rm 茶单.txt")
    rain.sees("小阳 删除了文件「茶单.txt」")


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
    bars_fit_every_window_and_end_when_they_are_told_to,
    a_folder_is_one_line_here_and_there,
    a_pulled_plug_in_the_middle_costs_nothing_but_time,
    a_script_moves_files_too,
    a_file_for_somebody_away_waits_for_the_login,
    a_group_has_files_of_its_own,
    what_cannot_be_done_says_why_and_goes_on,
]

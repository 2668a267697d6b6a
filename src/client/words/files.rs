//! What a client says about files that are moved, listed and removed.

use super::Language::{self, En, Zh};
use super::amount::{files, size, took};
use super::{list, printable};
use crate::client::transfers::{Job, Way, Why};
use crate::wire::digest::Digest;

/// Something about files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileSaying<'a> {
    /// Asks for the path of what is to be brought.
    AskPath,
    /// What was unfinished the last time is taken up again.
    TakenUp(&'a [Box<str>]),
    /// Files cannot be moved, because the system gives no thread for that.
    NoThread(&'a str),
    /// A file is on its way from here on.
    Began(&'a Job),
    /// A file is there: its SHA-256, the milliseconds that it took.
    Sent(&'a Job, &'a Digest, u64),
    /// A file is there without a byte being moved.
    ThereAlready(&'a Job, &'a Digest),
    /// A file is here: its SHA-256, where it lies, the milliseconds that it took.
    Fetched(&'a Job, &'a Digest, &'a str, u64),
    /// A file is here already: where it lies.
    HereAlready(&'a Job, &'a Digest, &'a str),
    /// Many came through.
    Many(Many),
    /// A file did not come through.
    Failed(&'a Job, &'a Why),
    /// The user stopped so many.
    ManyStopped(usize),
    /// So many more did not come through.
    MoreFailed(usize),
    /// Nothing was done about what was asked for.
    Nothing(&'a str, &'a Why),
    /// A file was removed.
    Removed(&'a str),
    /// A file was not removed.
    NotRemoved(&'a str, &'a Why),
    /// There is no listing.
    NotListed(&'a Why),
    /// There is no file, or none that fits.
    NoFiles(Option<&'a str>),
    /// How many files are in a listing, and their bytes.
    Listed(usize, u64),
    /// So many files are not shown.
    MoreListed(usize),
    /// Nothing is under way.
    NothingUnderWay,
    /// The server keeps no files.
    NoCloud,
    /// The user leaves while so many files are under way.
    Leaving(usize),
}

/// Many files that came through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Many {
    /// Which way.
    pub way: Way,
    /// How many.
    pub count: usize,
    /// How many of them were there already.
    pub at_once: usize,
    /// Bytes of all.
    pub bytes: u64,
    /// Milliseconds for all.
    pub took_ms: u64,
}

pub(super) fn file(language: Language, saying: &FileSaying) -> String {
    use FileSaying::*;
    match (language, saying) {
        (Zh, AskPath) => "要上传的文件（输入路径或拖进来，空行取消）：".to_owned(),
        (En, AskPath) => "The file to bring (type its path or drop it here; an empty line ends it): ".to_owned(),
        (Zh, TakenUp(names)) => format!("接着传上次没传完的：{}", list(names)),
        (En, TakenUp(names)) => format!("going on with what was unfinished the last time: {}", list(names)),
        (Zh, NoThread(why)) => format!("无法为文件传输开一个线程（{}）；请稍后再试", printable(why)),
        (En, NoThread(why)) => format!("cannot start a thread for moving files ({}); try again later", printable(why)),
        (Zh, Began(job)) => format!("{} {} {} 开始传输", arrow(job.way), printable(&job.name), size(job.size)),
        (En, Began(job)) => format!("{} {} {} is on its way", arrow(job.way), printable(&job.name), size(job.size)),
        (Zh, Sent(job, digest, ms)) => format!("{} SHA-256 一致 {} · {}", done(job), digest.short(), took(Zh, *ms)),
        (En, Sent(job, digest, ms)) => format!("{} SHA-256 agrees {} · {}", done(job), digest.short(), took(En, *ms)),
        (Zh, ThereAlready(job, digest)) => format!("{} 服务器上已有，不用再传 · SHA-256 {}", done(job), digest.short()),
        (En, ThereAlready(job, digest)) => {
            format!("{} the server had it already, nothing was moved · SHA-256 {}", done(job), digest.short())
        }
        (Zh, Fetched(job, digest, path, ms)) => {
            format!("{} SHA-256 一致 {} · {} → {}", done(job), digest.short(), took(Zh, *ms), printable(path))
        }
        (En, Fetched(job, digest, path, ms)) => {
            format!("{} SHA-256 agrees {} · {} → {}", done(job), digest.short(), took(En, *ms), printable(path))
        }
        (Zh, HereAlready(job, digest, path)) => {
            format!("{} 这里已有 · SHA-256 一致 {} → {}", done(job), digest.short(), printable(path))
        }
        (En, HereAlready(job, digest, path)) => {
            format!("{} it is here already · SHA-256 agrees {} → {}", done(job), digest.short(), printable(path))
        }
        (_, Many(many)) => many_came(language, many),
        (_, Failed(job, why)) => {
            format!("✗ {} {}", printable(&job.name), failed(language, job.way, &reason(language, why)))
        }
        (Zh, ManyStopped(count)) => format!("✗ 已停止 {}；再传一次会从停下的地方继续", files(Zh, *count)),
        (En, ManyStopped(count)) => format!("✗ {} stopped; the next time they go on from there", files(En, *count)),
        (Zh, MoreFailed(count)) => format!("✗ 另有 {} 没有传成；原因同上或类似", files(Zh, *count)),
        (En, MoreFailed(count)) => format!("✗ {} more did not come through, for such reasons", files(En, *count)),
        (_, Nothing(asked, why)) => format!("✗ {}: {}", printable(asked), reason(language, why)),
        (Zh, Removed(name)) => format!("✓ {} 已删除", printable(name)),
        (En, Removed(name)) => format!("✓ {} is removed", printable(name)),
        (Zh, NotRemoved(name, why)) => {
            let why = match why {
                Why::Refused { code, .. } if **code == *NO_ACCESS => "只有上传者、群主和管理员能删除".to_owned(),
                _ => reason(Zh, why),
            };
            format!("✗ {} 没有删除：{why}", printable(name))
        }
        (En, NotRemoved(name, why)) => format!("✗ {} was not removed: {}", printable(name), reason(En, why)),
        (Zh, NotListed(why)) => format!("无法列出文件：{}", reason(Zh, why)),
        (En, NotListed(why)) => format!("the files cannot be listed: {}", reason(En, why)),
        (Zh, NoFiles(None)) => "这里还没有文件；用 !put 路径 上传".to_owned(),
        (En, NoFiles(None)) => "there are no files here; !put PATH brings one".to_owned(),
        (Zh, NoFiles(Some(pattern))) => format!("没有文件叫 {}；!ls 列出全部", printable(pattern)),
        (En, NoFiles(Some(pattern))) => format!("no file is called {}; !ls lists all", printable(pattern)),
        (Zh, Listed(count, bytes)) => format!("{}，共 {}；!get 名字 下载", files(Zh, *count), size(*bytes)),
        (En, Listed(count, bytes)) => format!("{}, {} in all; !get NAME fetches one", files(En, *count), size(*bytes)),
        (Zh, MoreListed(count)) => format!("… 还有 {count} 行；用 !ls *.png 或 !ls 文件夹 缩小范围"),
        (En, MoreListed(count)) => format!("… and {count} more lines; !ls *.png or !ls FOLDER shows fewer"),
        (Zh, NothingUnderWay) => "现在没有正在传输的文件".to_owned(),
        (En, NothingUnderWay) => "no file is under way".to_owned(),
        (_, NoCloud) => reason(language, &Why::NoCloud),
        (Zh, Leaving(count)) => format!("{} 还没传完；下次进来会接着传", files(Zh, *count)),
        (En, Leaving(count)) => format!("{} on the way; they go on the next time", files(En, *count)),
    }
}

fn arrow(way: Way) -> &'static str {
    match way {
        Way::Up => "↑",
        Way::Down => "↓",
    }
}

fn done(job: &Job) -> String {
    format!("✓ {} {} ·", printable(&job.name), size(job.size))
}

fn many_came(language: Language, many: &Many) -> String {
    let head = format!("✓ {}", files(language, many.count));
    let tail = format!("{} · {}", size(many.bytes), took(language, many.took_ms));
    let known = match (language, many.at_once, many.way) {
        (_, 0, _) => String::new(),
        (Zh, count, Way::Up) => format!("（{count} 个服务器上已有）"),
        (Zh, count, Way::Down) => format!("（{count} 个这里已有）"),
        (En, count, Way::Up) => format!(" ({count} the server had already)"),
        (En, count, Way::Down) => format!(" ({count} were here already)"),
    };
    match (language, many.way) {
        (Zh, Way::Up) => format!("{head}已上传{known} · SHA-256 一致 · {tail}"),
        (Zh, Way::Down) => format!("{head}已下载{known} · SHA-256 一致 · {tail}"),
        (En, Way::Up) => format!("{head} brought{known} · SHA-256 agrees · {tail}"),
        (En, Way::Down) => format!("{head} fetched{known} · SHA-256 agrees · {tail}"),
    }
}

fn failed(language: Language, way: Way, why: &str) -> String {
    match (language, way) {
        (Zh, Way::Up) => format!("没有上传：{why}"),
        (Zh, Way::Down) => format!("没有下载：{why}"),
        (En, Way::Up) => format!("was not brought: {why}"),
        (En, Way::Down) => format!("was not fetched: {why}"),
    }
}

/// Why something was not done, and what can be done about it.
fn reason(language: Language, why: &Why) -> String {
    match (language, why) {
        (_, Why::Refused { code, sentence }) => refusal(language, code, sentence),
        (Zh, Why::NoSuchFile) => "没有这个文件；看看名字，!ls 列出服务器上的".to_owned(),
        (En, Why::NoSuchFile) => "there is no such file; look at the name, !ls lists what the server has".to_owned(),
        (Zh, Why::Mismatch) => "三次收到的内容都与 SHA-256 不符，已丢弃；检查网络后再试".to_owned(),
        (En, Why::Mismatch) => {
            "three times the bytes did not agree with the SHA-256, and were thrown away; look at the network, then try again".to_owned()
        }
        (Zh, Why::Changed) => "传输时文件被改动了；改完后再传一次".to_owned(),
        (En, Why::Changed) => "the file changed while it was on its way; bring it again when it stays as it is".to_owned(),
        (Zh, Why::Here(path, words)) => format!("本机的 {} 无法读写（{}）", printable(&path.to_string_lossy()), printable(words)),
        (En, Why::Here(path, words)) => {
            format!("cannot read or write {} here ({})", printable(&path.to_string_lossy()), printable(words))
        }
        (Zh, Why::NoCloud) => "这个服务器不存文件".to_owned(),
        (En, Why::NoCloud) => "this server keeps no files".to_owned(),
        (Zh, Why::Lost) => "连接断开了；重新连接后再试，已传的部分不会重传".to_owned(),
        (En, Why::Lost) => "the link is broken; try again when it is back, what was moved is kept".to_owned(),
        (Zh, Why::Cancelled) => "已取消；再传一次会从停下的地方继续".to_owned(),
        (En, Why::Cancelled) => "stopped; the next time it goes on from there".to_owned(),
    }
}

/// The code of a refusal because of who somebody is, or where.
const NO_ACCESS: &str = "NO_ACCESS";

/// What the server refused. Its own sentence is in English.
fn refusal(language: Language, code: &str, sentence: &str) -> String {
    let in_chinese = match code {
        _ if language == En => None,
        "NO_SUCH_FILE" => Some("服务器上没有这个文件；!ls 列出有的"),
        "NAME_TAKEN" => Some("已有另一个文件叫这个名字；改名后再传，或先用 !rm 删除那一个"),
        "BAD_NAME" => Some("这个名字不能用；改名后再传"),
        "TOO_LARGE" => Some("文件太大，超过了服务器的上限"),
        "QUOTA" => Some("空间配额用完了；先用 !rm 删除不要的文件"),
        "DISK_FULL" => Some("服务器的磁盘满了；请告诉管理员"),
        NO_ACCESS => Some("普通房间不存文件，大厅、群和私聊可以；私聊传文件，双方都要有账号（/register 注册）"),
        "DIGEST_MISMATCH" => Some("到达的内容与 SHA-256 不符，已丢弃；再试一次"),
        "BUSY" => Some("服务器正忙；稍后再试"),
        _ => None,
    };
    match in_chinese {
        Some(words) => words.to_owned(),
        None if sentence.is_empty() => printable(code).into_owned(),
        None => printable(sentence).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(name: &str) -> Job {
        Job { key: 1, way: Way::Up, scope: "*".into(), name: name.into(), size: 12_300_000 }
    }

    const DIGEST: Digest = Digest([0xab; 32]);

    #[test]
    fn what_came_through_says_so_in_one_line() {
        let job = job("名字.zip");
        let said = file(Zh, &FileSaying::Sent(&job, &DIGEST, 3_200));
        assert_eq!(said, "✓ 名字.zip 12.3 MB · SHA-256 一致 abababab · 3.2 秒");
        let said = file(En, &FileSaying::Fetched(&job, &DIGEST, "Recv/名字.zip", 100));
        assert_eq!(said, "✓ 名字.zip 12.3 MB · SHA-256 agrees abababab · 0.1 s → Recv/名字.zip");
        let many = Many { way: Way::Up, count: 10_000, at_once: 12, bytes: 102_400_000, took_ms: 61_000 };
        assert_eq!(
            file(Zh, &FileSaying::Many(many)),
            "✓ 10000 个文件已上传（12 个服务器上已有） · SHA-256 一致 · 102.4 MB · 1 分 1 秒"
        );
    }

    #[test]
    fn refusals_are_told_in_the_users_language_with_the_next_step() {
        let why = Why::Refused { code: "NAME_TAKEN".into(), sentence: "taken; choose another".into() };
        assert!(file(Zh, &FileSaying::Failed(&job("a"), &why)).contains("!rm"));
        assert_eq!(file(En, &FileSaying::Failed(&job("a"), &why)), "✗ a was not brought: taken; choose another");
        let odd = Why::Refused { code: "ODD".into(), sentence: "".into() };
        assert_eq!(file(Zh, &FileSaying::NotListed(&odd)), "无法列出文件：ODD");
    }

    #[test]
    fn both_languages_speak_in_their_own_letters_and_strangers_print_nothing() {
        let has_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let evil = "\u{1b}[2J\u{202e}x";
        let job = job(evil);
        let names = [Box::from(evil)];
        let refused = Why::Refused { code: evil.into(), sentence: evil.into() };
        let here = Why::Here(evil.into(), evil.into());
        let whys = [&here, &Why::NoSuchFile, &Why::Mismatch, &Why::Changed, &Why::NoCloud, &Why::Lost, &Why::Cancelled];
        let many = Many { way: Way::Down, count: 2, at_once: 1, bytes: 3, took_ms: 4 };
        let mut sayings = vec![
            FileSaying::AskPath,
            FileSaying::TakenUp(&names),
            FileSaying::NoThread(evil),
            FileSaying::Began(&job),
            FileSaying::Sent(&job, &DIGEST, 1),
            FileSaying::ThereAlready(&job, &DIGEST),
            FileSaying::Fetched(&job, &DIGEST, evil, 1),
            FileSaying::HereAlready(&job, &DIGEST, evil),
            FileSaying::Many(many),
            FileSaying::Failed(&job, &refused),
            FileSaying::ManyStopped(2),
            FileSaying::MoreFailed(2),
            FileSaying::Removed(evil),
            FileSaying::NotRemoved(evil, &refused),
            FileSaying::NotListed(&refused),
            FileSaying::NoFiles(None),
            FileSaying::NoFiles(Some(evil)),
            FileSaying::Listed(1, 2),
            FileSaying::MoreListed(3),
            FileSaying::NothingUnderWay,
            FileSaying::NoCloud,
            FileSaying::Leaving(1),
        ];
        sayings.extend(whys.map(|why| FileSaying::Nothing(evil, why)));
        for saying in sayings {
            let (zh, en) = (file(Zh, &saying), file(En, &saying));
            assert!(has_chinese(&zh) && !has_chinese(&en), "{zh} {en}");
            assert!(!zh.contains(['\u{1b}', '\u{202e}']) && !en.contains(['\u{1b}', '\u{202e}']), "{en:?}");
        }
    }
}

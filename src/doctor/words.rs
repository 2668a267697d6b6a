//! What the doctor says, in Chinese and in English.

use super::{FIRST_YEAR, Finding, PORTS, PortState};
use crate::client::words::Language::{self, En, Zh};
use crate::wire::escape::printable;

/// What was found out, in one sentence; with the next step where something is wrong.
pub fn sentence(language: Language, finding: &Finding) -> String {
    match (language, finding) {
        (Zh, Finding::Version(version)) => format!("gzy {version} 版"),
        (En, Finding::Version(version)) => format!("this is gzy {version}"),
        (Zh, Finding::Addresses(addresses)) if addresses.is_empty() => {
            "这台机器没有别人能连接的地址；请检查网线或无线网络".to_owned()
        }
        (En, Finding::Addresses(addresses)) if addresses.is_empty() => {
            "this machine has no address that others can reach; look at the cable or the Wi-Fi".to_owned()
        }
        (Zh, Finding::Addresses(addresses)) => format!("别人可以输入：gzy client {}", addresses.join(" 或 ")),
        (En, Finding::Addresses(addresses)) => format!("others can type: gzy client {}", addresses.join(" or ")),
        (Zh, Finding::Key(key)) => format!("服务器的密钥：{}（{key}）", key.short()),
        (En, Finding::Key(key)) => format!("the server's key: {} ({key})", key.short()),
        (Zh, Finding::NoKey) => "还没有密钥；服务器第一次启动时会生成".to_owned(),
        (En, Finding::NoKey) => "there is no key yet; the server makes it at its first start".to_owned(),
        (_, Finding::Port(port, state)) => port_sentence(language, *port, state),
        (Zh, Finding::NoDatabase) => "还没有数据库；服务器第一次启动时会建立".to_owned(),
        (En, Finding::NoDatabase) => "there is no database yet; the server makes it at its first start".to_owned(),
        (Zh, Finding::Database(form)) => format!("数据库可以读取（格式 {form}）"),
        (En, Finding::Database(form)) => format!("the database can be read (form {form})"),
        (Zh, Finding::BadDatabase(why)) => format!("数据库不能使用：{}", printable(&why.to_string())),
        (En, Finding::BadDatabase(why)) => format!("the database cannot be used: {}", printable(&why.to_string())),
        (Zh, Finding::Clock(year)) => {
            format!("时钟说现在是 {year} 年，不可能早于 {FIRST_YEAR} 年；请校准，例如 timedatectl set-ntp true")
        }
        (En, Finding::Clock(year)) => {
            format!(
                "the clock says {year}, but {FIRST_YEAR} is over; set it, with `timedatectl set-ntp true` for example"
            )
        }
        (Zh, Finding::SaneClock(now)) => format!("时钟：{} {:02}:{:02}（UTC）", now.date(), now.hour(), now.minute()),
        (En, Finding::SaneClock(now)) => {
            format!("the clock says {} {:02}:{:02} UTC", now.date(), now.hour(), now.minute())
        }
        (_, Finding::BadKey(path, _) | Finding::Folder(path, _) | Finding::Full(path, _))
        | (_, Finding::NoFolder(path) | Finding::BadFolder(path, _)) => {
            place(language, &printable(&path.display().to_string()), finding)
        }
    }
}

/// What was found out about a file or a folder.
fn place(language: Language, path: &str, finding: &Finding) -> String {
    match (language, finding) {
        (Zh, Finding::BadKey(_, why)) => {
            format!("证书 {path} 不能使用：{}；请检查权限，或移走它让服务器重新生成", printable(why))
        }
        (En, Finding::BadKey(_, why)) => {
            format!(
                "the certificate {path} cannot be used: {}; look at its rights, or move it away and the server makes another",
                printable(why)
            )
        }
        (Zh, Finding::Folder(_, None)) => format!("数据文件夹 {path} 可以写入"),
        (En, Finding::Folder(_, None)) => format!("the data folder {path} can be written"),
        (Zh, Finding::Folder(_, Some(bytes))) => format!("数据文件夹 {path} 可以写入，剩余 {}", size(*bytes)),
        (En, Finding::Folder(_, Some(bytes))) => {
            format!("the data folder {path} can be written and has {} left", size(*bytes))
        }
        (Zh, Finding::Full(_, bytes)) => {
            format!("数据文件夹 {path} 只剩 {}；请腾出空间，或用 --data 换一个", size(*bytes))
        }
        (En, Finding::Full(_, bytes)) => {
            format!("the data folder {path} has only {} left; make room, or name another with --data", size(*bytes))
        }
        (Zh, Finding::NoFolder(_)) => format!("还没有数据文件夹 {path}；服务器第一次启动时会建立"),
        (En, Finding::NoFolder(_)) => {
            format!("there is no data folder {path} yet; the server makes it at its first start")
        }
        (Zh, Finding::BadFolder(_, why)) => {
            format!("不能写入文件夹 {path}：{}；请给运行 gzy 的用户写入权限，或用 --data 换一个", printable(why))
        }
        (En, Finding::BadFolder(_, why)) => format!(
            "cannot write to the folder {path}: {}; let the user that runs gzy write there, or name another with --data",
            printable(why)
        ),
        _ => path.to_owned(),
    }
}

fn port_sentence(language: Language, port: u16, state: &PortState) -> String {
    let other = PORTS[1];
    match (language, state) {
        (Zh, PortState::Free) => format!("端口 {port} 可以使用"),
        (En, PortState::Free) => format!("port {port} can be had"),
        (Zh, PortState::Gzy) => format!("端口 {port} 上有 gzy 服务器在运行"),
        (En, PortState::Gzy) => format!("a gzy server answers at port {port}"),
        (Zh, PortState::Taken) => format!("端口 {port} 被别的程序占用；用 ss -ltnp 查看是谁，或用 --listen 换一个端口"),
        (En, PortState::Taken) => {
            format!("another program has port {port}; `ss -ltnp` says which, or choose another port with --listen")
        }
        (Zh, PortState::NeedsRights) => format!("端口 {port} 需要权限；用 systemd 服务就有，否则服务器用 {other}"),
        (En, PortState::NeedsRights) => {
            format!("port {port} needs a right, which the systemd unit gives; without it the server takes {other}")
        }
        (Zh, PortState::Failed(why)) => format!("端口 {port} 不能使用：{}", printable(why)),
        (En, PortState::Failed(why)) => format!("port {port} cannot be had: {}", printable(why)),
    }
}

/// The last line.
pub fn verdict(language: Language, is_fine: bool) -> &'static str {
    match (language, is_fine) {
        (Zh, true) => "一切正常",
        (En, true) => "all is fine",
        (Zh, false) => "有问题：见上面标 ✗ 的行",
        (En, false) => "something is wrong: see the lines with ✗",
    }
}

/// `1.5 GiB`, for people.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;
    use crate::wire::fingerprint::Fingerprint;
    use time::OffsetDateTime;

    #[test]
    fn both_languages_speak_in_their_own_letters() {
        let path = || "/x".into();
        let mut all = vec![
            Finding::Version("1"),
            Finding::Addresses(vec![]),
            Finding::Addresses(vec!["192.0.2.1:510".into(), "[2001:db8::1]:510".into()]),
            Finding::Key(Fingerprint([1; 32])),
            Finding::NoKey,
            Finding::BadKey(path(), "x".into()),
            Finding::Folder(path(), Some(5 << 30)),
            Finding::Folder(path(), None),
            Finding::Full(path(), 5),
            Finding::NoFolder(path()),
            Finding::BadFolder(path(), "x".into()),
            Finding::Database(1),
            Finding::NoDatabase,
            Finding::BadDatabase(StoreError::Foreign { path: path() }),
            Finding::Clock(1970),
            Finding::SaneClock(OffsetDateTime::UNIX_EPOCH),
        ];
        let states =
            [PortState::Free, PortState::Gzy, PortState::Taken, PortState::NeedsRights, PortState::Failed("x".into())];
        all.extend(states.into_iter().map(|state| Finding::Port(510, state)));
        let has_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for finding in all {
            assert!(has_chinese(&sentence(Zh, &finding)), "{finding:?}");
            assert!(!has_chinese(&sentence(En, &finding)), "{finding:?}");
        }
        for is_fine in [true, false] {
            assert!(has_chinese(verdict(Zh, is_fine)) && !has_chinese(verdict(En, is_fine)));
        }
    }

    #[test]
    fn sizes_are_told_as_people_say_them() {
        for (bytes, text) in [(0, "0 B"), (1536, "1.5 KiB"), (64 << 20, "64.0 MiB"), (7 << 28, "1.7 GiB")] {
            assert_eq!(size(bytes), text);
        }
    }
}

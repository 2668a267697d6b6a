//! What a client says about the encryption of a link and the key of a server.

use super::Language::{self, En, Zh};
use super::printable;
use crate::client::known_servers::Distrusted;
use crate::client::trust::{Distrust, Fault};
use crate::net::Address;
use crate::wire::fingerprint::Fingerprint;

/// A key was seen for the first time, or accepted in place of another.
pub fn accepted(language: Language, server: &Address, key: &Fingerprint, replaced: bool) -> String {
    let (server, server_key) = (server.to_string(), both(key));
    let server = printable(&server);
    match (language, replaced) {
        (Zh, false) => format!("第一次连接 {server}，已记住它的密钥：{server_key}；要确定没有被冒充，请与主人核对"),
        (En, false) => {
            format!("first time at {server}; its key is remembered: {server_key}; compare it with what the host sees")
        }
        (Zh, true) => format!("{server} 的新密钥已记住：{server_key}"),
        (En, true) => format!("the new key of {server} is remembered: {server_key}"),
    }
}

/// The server does not answer in TLS.
pub fn no_tls(language: Language, said: Option<&str>) -> String {
    match (language, said) {
        (Zh, None) => "服务器没有回应加密（TLS）；如果愿意让路上的人都能看到内容，可以加 --plain".to_owned(),
        (En, None) => {
            "the server does not answer in TLS; if everybody on the way may read what is said, add --plain".to_owned()
        }
        (Zh, Some(said)) => {
            format!("服务器不加密，它说：{}；如果愿意让路上的人都能看到内容，可以加 --plain", printable(said))
        }
        (En, Some(said)) => format!(
            "the server does not encrypt, it says: {}; if everybody on the way may read what is said, add --plain",
            printable(said)
        ),
    }
}

/// The link is in clear, and the server wants TLS.
pub fn only_tls(language: Language) -> &'static str {
    match language {
        Zh => "这个服务器只接受加密连接；请去掉 --plain",
        En => "this server takes encrypted connections only; leave --plain out",
    }
}

/// Encryption failed in the library's words.
pub fn tls(language: Language, words: &str) -> String {
    match language {
        Zh => format!("加密（TLS）失败：{}", printable(words)),
        En => format!("encryption (TLS) failed: {}", printable(words)),
    }
}

/// A server's key is not used.
pub fn distrusted(language: Language, why: &Distrusted) -> String {
    match why {
        Distrusted::Key { server, seen, why } => wrong_key(language, server, seen, why),
        Distrusted::NoMemory => match language {
            Zh => "没有地方记住服务器的密钥；请设置 HOME 或 XDG_CONFIG_HOME，或用主人给的 gzy://主机#sha256=… 地址",
            En => {
                "there is no place to remember the server's key; set HOME or XDG_CONFIG_HOME, or use the host's gzy://HOST#sha256=… address"
            }
        }
        .to_owned(),
        Distrusted::File(path, words) => {
            let (path, words) = (path.display().to_string(), printable(words));
            let path = printable(&path);
            match language {
                Zh => format!("不能使用记住密钥的文件 {path}：{words}；请检查它的权限和磁盘空间"),
                En => format!("cannot use {path}, which remembers the servers' keys: {words}; look at its rights and the disk's space"),
            }
        }
        Distrusted::BadFile(path, bad) => {
            let path = path.display().to_string();
            let (path, number) = (printable(&path), bad.number);
            match language {
                Zh => format!("{path} 第 {number} 行有错（{}）；请改正或删除这一行", fault(bad.fault)),
                En => format!("{path}, line {number}: {}; correct that line or delete it", bad.fault),
            }
        }
    }
}

/// Loud, because it is either a new board or somebody in between.
fn wrong_key(language: Language, server: &Address, seen: &Fingerprint, why: &Distrust) -> String {
    let server = server.to_string();
    let (server, seen) = (printable(&server), both(seen));
    match (language, why) {
        (Zh, Distrust::Changed { known }) => format!(
            "！！！{server} 的密钥变了，可能有人冒充它，没有发送任何内容\n  原来：{}\n  现在：{seen}\n  请当面或打电话问主人是否换过密钥；确认后加 --accept-new-key 再连接",
            both(known)
        ),
        (En, Distrust::Changed { known }) => format!(
            "!!! the key of {server} has CHANGED; somebody may be in its place, and nothing was sent\n  before: {}\n  now:    {seen}\n  ask the host, by voice, whether the key is a new one; if so, connect with --accept-new-key",
            both(known)
        ),
        (Zh, Distrust::NotAsInvited { wanted }) => format!(
            "！！！{server} 的密钥与地址里写的不同，可能有人冒充它，没有发送任何内容\n  地址：{}\n  现在：{seen}\n  请向主人要一个新的 gzy:// 地址",
            both(wanted)
        ),
        (En, Distrust::NotAsInvited { wanted }) => format!(
            "!!! the key of {server} is NOT the one in the address; somebody may be in its place, and nothing was sent\n  address: {}\n  now:     {seen}\n  ask the host for a fresh gzy:// address",
            both(wanted)
        ),
    }
}

/// In Chinese, what is wrong with a line; in English the fault says so itself.
fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Shape => "应为“主机:端口 sha256:十六进制 日期”",
        Fault::Twice => "前面的一行已写过同一个服务器",
        Fault::NotText => "不是 UTF-8 文字",
    }
}

/// The form to read to each other, and the whole.
fn both(key: &Fingerprint) -> String {
    format!("{} (sha256 {})", key.short(), key.hex())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::trust::BadLine;
    use std::path::Path;

    const OLD: Fingerprint = Fingerprint([1; 32]);
    const NEW: Fingerprint = Fingerprint([2; 32]);

    fn every(language: Language) -> Vec<String> {
        let server: Address = "board:510".parse().unwrap();
        let key = |why| Distrusted::Key { server: server.clone(), seen: NEW, why };
        let bad = |fault| Distrusted::BadFile(Path::new("/x").into(), BadLine { number: 7, fault });
        let distrusted = [
            key(Distrust::Changed { known: OLD }),
            key(Distrust::NotAsInvited { wanted: OLD }),
            Distrusted::NoMemory,
            Distrusted::File(Path::new("/x").into(), "full".into()),
            bad(Fault::Shape),
            bad(Fault::Twice),
            bad(Fault::NotText),
        ];
        let mut all: Vec<String> = distrusted.iter().map(|why| super::distrusted(language, why)).collect();
        all.extend([accepted(language, &server, &NEW, false), accepted(language, &server, &NEW, true)]);
        all.extend([no_tls(language, None), no_tls(language, Some("ERROR :full")), tls(language, "x")]);
        all.push(only_tls(language).to_owned());
        all
    }

    #[test]
    fn both_languages_speak_in_their_own_letters() {
        let has_chinese = |text: &String| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert_eq!(every(Zh).iter().find(|text| !has_chinese(text)), None);
        assert_eq!(every(En).iter().find(|text| has_chinese(text)), None);
    }

    #[test]
    fn a_changed_key_is_told_with_both_keys_and_the_way_out() {
        for language in [Zh, En] {
            let why = Distrust::Changed { known: OLD };
            let text = distrusted(language, &Distrusted::Key { server: "board:510".parse().unwrap(), seen: NEW, why });
            for part in [OLD.short(), OLD.hex(), NEW.short(), NEW.hex(), "--accept-new-key".into(), "board:510".into()]
            {
                assert!(text.contains(&part), "{part} is missing in {text}");
            }
        }
    }

    #[test]
    fn what_a_stranger_answers_does_not_reach_the_terminal_as_it_is() {
        for language in [Zh, En] {
            assert!(!no_tls(language, Some("\u{1b}[2J")).contains('\u{1b}'));
        }
    }
}

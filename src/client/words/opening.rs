//! What a client says before it dials.

use super::Language::{self, En, Zh};
use super::{address_fault, printable};
use crate::client::settings::SettingsFault;
use crate::net::BadAddress;
use crate::wire::fingerprint::BadFingerprint;

/// What there is to say before dialing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Opening<'a> {
    /// No server was named, and none is remembered.
    NoServer,
    /// No server was named, and this one is remembered.
    LastServer(&'a str),
    /// The address cannot be understood.
    BadAddress(&'a str, BadAddress),
    /// The `gzy://` address cannot be understood.
    BadInvitation(&'a str, BadFingerprint),
    /// A key was named for a talk in clear, where it cannot be looked at.
    KeyInClear,
    /// Something is wrong with the settings.
    Settings(&'a SettingsFault),
}

/// A sentence before dialing.
pub fn opening(language: Language, what: &Opening) -> String {
    match (language, what) {
        (Zh, Opening::NoServer) => "连接哪个服务器？请写 gzy client 主机（下次可以省略）".to_owned(),
        (En, Opening::NoServer) => "which server? write gzy client HOST (the next time it is remembered)".to_owned(),
        (Zh, Opening::LastServer(server)) => format!("连接上次的服务器 {}", printable(server)),
        (En, Opening::LastServer(server)) => format!("to the server of the last time, {}", printable(server)),
        (Zh, Opening::BadAddress(text, why)) => format!("看不懂地址 {}：{}", printable(text), address_fault(*why)),
        (En, Opening::BadAddress(text, why)) => format!("cannot understand the address {}: {why}", printable(text)),
        (Zh, Opening::BadInvitation(text, why)) => {
            format!("看不懂地址 {}：{}", printable(text), invitation_fault(*why))
        }
        (En, Opening::BadInvitation(text, why)) => format!("cannot understand the address {}: {why}", printable(text)),
        (Zh, Opening::KeyInClear) => "不加密就看不到服务器的密钥；请去掉 --plain，或去掉地址里的 #sha256=…".to_owned(),
        (En, Opening::KeyInClear) => {
            "without encryption the server's key cannot be checked; leave out --plain, or #sha256=… in the address"
                .to_owned()
        }
        (_, Opening::Settings(fault)) => settings(language, fault),
    }
}

fn settings(language: Language, fault: &SettingsFault) -> String {
    match (language, fault) {
        (_, SettingsFault::Lines(path, numbers)) => {
            let path = path.display().to_string();
            let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
            match language {
                Zh => format!("看不懂设置文件 {} 的第 {} 行，已忽略并保留", printable(&path), numbers.join("、")),
                En => format!(
                    "the settings in {} are not understood in line {}; that is ignored, and kept",
                    printable(&path),
                    numbers.join(", ")
                ),
            }
        }
        (Zh, SettingsFault::File(path, why)) => {
            format!(
                "不能使用设置文件 {}：{}；这次的设置不会被记住",
                printable(&path.display().to_string()),
                printable(why)
            )
        }
        (En, SettingsFault::File(path, why)) => format!(
            "cannot use the settings in {}: {}; nothing is remembered this time",
            printable(&path.display().to_string()),
            printable(why)
        ),
    }
}

/// In Chinese, why a text is not an invitation; in English the fault says so itself.
fn invitation_fault(why: BadFingerprint) -> &'static str {
    match why {
        BadFingerprint::NotHex => "指纹不是 64 位十六进制；请从服务器的开头几行完整复制",
        BadFingerprint::NoScheme => "开头不是 gzy://",
        BadFingerprint::NoHost => "里面没有主机；写成 gzy://主机:端口#sha256=…",
        BadFingerprint::NoPort => "端口不是 1 到 65535 的数字",
        BadFingerprint::NoPin => "# 后面不是 sha256=…；请完整复制地址",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_speak_in_their_own_letters() {
        let (lines, file) =
            (SettingsFault::Lines("/x".into(), vec![1, 4]), SettingsFault::File("/x".into(), "full".into()));
        let all = [
            Opening::NoServer,
            Opening::LastServer("board"),
            Opening::BadAddress("x", BadAddress::NoPort),
            Opening::BadInvitation("x", BadFingerprint::NotHex),
            Opening::BadInvitation("x", BadFingerprint::NoScheme),
            Opening::BadInvitation("x", BadFingerprint::NoHost),
            Opening::BadInvitation("x", BadFingerprint::NoPort),
            Opening::BadInvitation("x", BadFingerprint::NoPin),
            Opening::KeyInClear,
            Opening::Settings(&lines),
            Opening::Settings(&file),
        ];
        let has_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for what in all {
            assert!(has_chinese(&opening(Zh, &what)), "{what:?}");
            assert!(!has_chinese(&opening(En, &what)), "{what:?}");
        }
    }
}

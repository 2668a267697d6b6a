//! What may be typed behind `gzy client` and `gzy say`.

use std::io::{self, BufRead, IsTerminal, Read};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use argh::FromArgs;

use super::password;
use crate::client::settings::{Colours, language_named};
use crate::client::start::Wish;
use crate::client::words::Language;
use crate::client_term::{AccountWish, ClientConfig, SayConfig};
use crate::wire::limits::{MULTILINE_BYTES, SASL_BYTES};

/// join a server and talk · 连接服务器聊天
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "client")]
pub struct ClientArgs {
    /// server, as HOST, HOST:PORT (default port: 510, then 5100) or gzy://HOST:PORT#sha256=KEY (default: the last one) · 服务器地址
    #[argh(positional)]
    pub host: Option<String>,

    /// name to go by (asked for when not given) · 昵称
    #[argh(option, arg_name = "name")]
    pub nick: Option<String>,

    /// account to log in to, by name or number; the password is asked for, or the first line of standard input · 登录账号
    #[argh(option, arg_name = "name")]
    pub account: Option<String>,

    /// file whose first line is the password of --account · 账号密码文件
    #[argh(option, arg_name = "file")]
    pub account_password_file: Option<PathBuf>,

    /// room to talk in (default: the lobby) · 房间
    #[argh(option, arg_name = "name")]
    pub room: Option<String>,

    /// file whose first line is the password of the server, where it has one · 入门密码文件
    #[argh(option, arg_name = "file")]
    pub password_file: Option<PathBuf>,

    /// folder that downloads go to, made when needed (default: Recv) · 下载文件夹
    #[argh(option, arg_name = "dir")]
    pub downloads: Option<PathBuf>,

    /// do not encrypt: for test networks and servers without TLS · 不加密
    #[argh(switch)]
    pub plain: bool,

    /// take the server's new key, after asking its host · 接受服务器的新密钥（先问主人）
    #[argh(switch)]
    pub accept_new_key: bool,

    /// silence after which the link counts as broken, as 10 (minutes) or 90s (default: 10) · 多久没有消息算断线
    #[argh(option, arg_name = "minutes|seconds")]
    pub timeout: Option<Timeout>,

    /// zh, en or auto (default: auto, by the locale) · 语言
    #[argh(option, arg_name = "zh|en", from_str_fn(language))]
    pub lang: Option<LanguageChoice>,

    /// auto, on or off (default: auto) · 颜色
    #[argh(option, arg_name = "auto|on|off")]
    pub color: Option<Colours>,
}

/// say one thing and leave, for scripts; exit code 0 once it is kept · 说一句话就走，供脚本使用
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "say")]
pub struct SayArgs {
    /// server, as HOST, HOST:PORT or gzy://HOST:PORT#sha256=KEY · 服务器地址
    #[argh(positional)]
    pub host: String,

    /// what to say (default: what comes on standard input, all of it one message) · 要说的话
    #[argh(positional)]
    pub text: Vec<String>,

    /// name to go by (default: the name of the system's user) · 昵称
    #[argh(option, arg_name = "name")]
    pub nick: Option<String>,

    /// account to log in to, by name or number; the password is asked for, or the first line of standard input · 登录账号
    #[argh(option, arg_name = "name")]
    pub account: Option<String>,

    /// file whose first line is the password of --account · 账号密码文件
    #[argh(option, arg_name = "file")]
    pub account_password_file: Option<PathBuf>,

    /// room to say it in (default: the lobby) · 房间
    #[argh(option, arg_name = "name")]
    pub room: Option<String>,

    /// file whose first line is the password of the server, where it has one · 入门密码文件
    #[argh(option, arg_name = "file")]
    pub password_file: Option<PathBuf>,

    /// do not encrypt: for test networks and servers without TLS · 不加密
    #[argh(switch)]
    pub plain: bool,

    /// take the server's new key, after asking its host · 接受服务器的新密钥（先问主人）
    #[argh(switch)]
    pub accept_new_key: bool,

    /// silence after which the link counts as broken, as 10 (minutes) or 90s (default: 10) · 多久没有消息算断线
    #[argh(option, arg_name = "minutes|seconds")]
    pub timeout: Option<Timeout>,

    /// zh, en or auto (default: auto, by the locale) · 语言
    #[argh(option, arg_name = "zh|en", from_str_fn(language))]
    pub lang: Option<LanguageChoice>,
}

impl ClientArgs {
    /// The client's configuration.
    pub fn into_config(self) -> Result<ClientConfig, String> {
        let password = password(self.password_file.as_deref())?;
        let wish = Wish {
            host: self.host,
            plain: self.plain,
            accept_new_key: self.accept_new_key,
            broken_after_ms: self.timeout.map(|timeout| timeout.0),
            language: self.lang.and_then(|choice| choice.0),
            colours: self.color,
        };
        let account = account(self.account, self.account_password_file.as_deref())?;
        Ok(ClientConfig { wish, nick: self.nick, account, password, room: self.room, downloads: self.downloads })
    }
}

impl SayArgs {
    /// What to say, to whom.
    pub fn into_config(self) -> Result<SayConfig, String> {
        let password = password(self.password_file.as_deref())?;
        let mut account = account(self.account, self.account_password_file.as_deref())?;
        if let Some(account) =
            account.as_mut().filter(|account| account.password.is_none() && !io::stdin().is_terminal())
        {
            account.password = first_line(io::stdin().lock())?;
        }
        let text = match (self.text.is_empty(), io::stdin().is_terminal()) {
            (false, _) => self.text.join(" "),
            (true, true) => String::new(),
            (true, false) => piped(io::stdin().lock())?,
        };
        if text.trim().is_empty() {
            return Err("there is nothing to say: gzy say HOST TEXT, or some command | gzy say HOST".into());
        }
        let wish = Wish {
            host: Some(self.host),
            plain: self.plain,
            accept_new_key: self.accept_new_key,
            broken_after_ms: self.timeout.map(|timeout| timeout.0),
            language: self.lang.and_then(|choice| choice.0),
            colours: None,
        };
        Ok(SayConfig { wish, text, nick: self.nick, account, password, room: self.room })
    }
}

/// The account that was asked for, with its password when that is in a file.
pub(super) fn account(name: Option<String>, file: Option<&Path>) -> Result<Option<AccountWish>, String> {
    match (name, file) {
        (Some(name), file) => Ok(Some(AccountWish { name, password: password(file)? })),
        (None, Some(_)) => Err("--account-password-file goes with --account NAME".into()),
        (None, None) => Ok(None),
    }
}

/// The first line of standard input, without what ends it; `None` when there is none. What follows is left for others.
pub(super) fn first_line(mut input: impl BufRead) -> Result<Option<String>, String> {
    let mut line = String::new();
    input
        .by_ref()
        .take(SASL_BYTES as u64)
        .read_line(&mut line)
        .map_err(|why| format!("cannot read the password from standard input: {why}"))?;
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()).filter(|line| !line.is_empty()))
}

/// What a script pipes in: a text that is said as one message. Bytes that are no UTF-8 are shown as such, for other programs' output is what it is.
fn piped(input: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    let most = MULTILINE_BYTES as u64;
    input
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|why| format!("cannot read what to say from standard input: {why}"))?;
    if bytes.len() > MULTILINE_BYTES {
        return Err(format!("that is more than a message may hold ({} KiB); say less of it", MULTILINE_BYTES >> 10));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Milliseconds of silence: a number of minutes, or of seconds with `s` behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeout(pub u64);

/// Less would break links over Wi-Fi that only has a bad moment; more is as good as none.
const TIMEOUT_SECS: RangeInclusive<u64> = 5..=86_400;

impl std::str::FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Timeout, String> {
        let (number, unit_secs) = match text.strip_suffix('s') {
            Some(number) => (number, 1),
            None => (text.strip_suffix('m').unwrap_or(text), 60),
        };
        let secs = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_secs));
        secs.filter(|secs| TIMEOUT_SECS.contains(secs))
            .map(|secs| Timeout(secs * 1000))
            .ok_or_else(|| "say minutes, or seconds as 90s; from 5s to a day".into())
    }
}

/// `zh` or `en`, or `None` for what the locale says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LanguageChoice(pub Option<Language>);

/// Reads `zh`, `en` or `auto`.
pub fn language(text: &str) -> Result<LanguageChoice, String> {
    language_named(text).map(LanguageChoice).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Command, Parsed, parse};

    fn parsed(line: &str) -> Parsed {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_is_piped_in_is_one_text_as_long_as_a_message_can_be() {
        assert_eq!(piped("床前\n明月\n".as_bytes()).unwrap(), "床前\n明月\n");
        assert_eq!(piped(&b"a\xff"[..]).unwrap(), "a\u{fffd}");
        assert_eq!(piped(&vec![b'x'; MULTILINE_BYTES][..]).unwrap().len(), MULTILINE_BYTES);
        assert!(piped(io::repeat(b'x')).unwrap_err().contains("64 KiB"));
    }

    #[test]
    fn a_password_is_a_line_or_a_file_and_never_an_argument() {
        let mut input = &b"geheim\r\nhello\n"[..];
        assert_eq!(first_line(&mut input).unwrap().as_deref(), Some("geheim"));
        assert_eq!((piped(input).unwrap().as_str(), first_line(&b"\n"[..]).unwrap()), ("hello\n", None));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "geheim\n").unwrap();
        let wish = account(Some("anna".into()), Some(&file)).unwrap().unwrap();
        assert_eq!((wish.name.as_str(), wish.password.as_deref()), ("anna", Some("geheim")));
        assert!(account(None, Some(&file)).unwrap_err().contains("--account NAME"));
    }

    #[test]
    fn a_client_says_how_it_wants_to_talk() {
        let wish = |line: &str| {
            let Parsed::Run(args) = parsed(line) else { panic!("{line}") };
            match args.command {
                Command::Client(client) => client.into_config().unwrap().wish,
                Command::Say(say) => say.into_config().unwrap().wish,
                _ => panic!("{line}"),
            }
        };
        assert_eq!(wish("client"), Wish::default());
        let all = wish("client board --plain --accept-new-key --timeout=90s --lang zh --color off");
        assert_eq!((all.plain, all.accept_new_key, all.broken_after_ms), (true, true, Some(90_000)));
        assert_eq!((all.language, all.colours), (Some(Language::Zh), Some(Colours::Off)));
        assert_eq!(wish("say board hello --timeout 2").broken_after_ms, Some(120_000));
        for wrong in ["client a --timeout 4s", "client a --timeout 0", "client a --timeout 99999999999999999999"] {
            assert!(matches!(parsed(wrong), Parsed::Print(text, false) if text.contains("from 5s")), "{wrong}");
        }
        for wrong in ["client a --lang fr", "client a --color pink", "say a b --timeout -1"] {
            assert!(matches!(parsed(wrong), Parsed::Print(_, false)), "{wrong}");
        }
    }
}

//! The command line: what may be typed, and what it means.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use argh::FromArgs;

use crate::client::settings::{Colours, language_named};
use crate::client::start::Wish;
use crate::client::words::Language;
use crate::client_term::{ClientConfig, SayConfig};
use crate::password_file;
use crate::server::{Config, Limits};
use crate::wire::name::RoomName;

/// A chat room and a file cloud in one small binary · 一个小程序，聊天室加文件云
#[derive(FromArgs, Debug)]
pub struct Args {
    /// what to do
    #[argh(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(FromArgs, Debug)]
#[argh(subcommand)]
pub enum Command {
    /// `gzy server`
    Server(ServerArgs),
    /// `gzy client`
    Client(ClientArgs),
    /// `gzy say`
    Say(SayArgs),
    /// `gzy user`
    User(UserArgs),
}

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

    /// room to talk in (default: the lobby) · 房间
    #[argh(option, arg_name = "name")]
    pub room: Option<String>,

    /// file whose first line is the password of the server, where it has one · 入门口令文件
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

    /// what to say · 要说的话
    #[argh(positional)]
    pub text: Vec<String>,

    /// name to go by (default: the name of the system's user) · 昵称
    #[argh(option, arg_name = "name")]
    pub nick: Option<String>,

    /// room to say it in (default: the lobby) · 房间
    #[argh(option, arg_name = "name")]
    pub room: Option<String>,

    /// file whose first line is the password of the server, where it has one · 入门口令文件
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

/// run the server · 运行服务器
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "server")]
pub struct ServerArgs {
    /// address and port to listen on, may be given several times (default: port 510 everywhere, or 5100 without rights) · 监听地址
    #[argh(option, arg_name = "addr:port")]
    pub listen: Vec<SocketAddr>,

    /// folder of everything that is kept (default: $STATE_DIRECTORY, else the current folder) · 数据文件夹
    #[argh(option, arg_name = "dir")]
    pub data: Option<PathBuf>,

    /// name of this place (default: GZY) · 本服务器的名称
    #[argh(option, default = "String::from(\"GZY\")")]
    pub name: String,

    /// room that everybody enters (default: #lobby; \"\" for none) · 大厅
    #[argh(option, default = "String::from(\"#lobby\")", arg_name = "name")]
    pub lobby: String,

    /// how many of the last messages a newcomer is shown (default: 10) · 新来的人看到的消息条数
    #[argh(option, default = "10", arg_name = "n")]
    pub replay: usize,

    /// connections in all (default: 20000) · 连接总数上限
    #[argh(option, default = "20_000", arg_name = "n")]
    pub max_connections: usize,

    /// connections from one address (default: 64) · 每个地址的连接上限
    #[argh(option, default = "64", arg_name = "n")]
    pub per_ip: usize,

    /// file whose first line is the password that everybody must give (IRC PASS) · 入门口令文件
    #[argh(option, arg_name = "file")]
    pub password_file: Option<PathBuf>,

    /// on or off: slow down whoever sends too many lines (default: on; off is for benchmarks) · 限速
    #[argh(option, default = "Switch(true)", arg_name = "on|off")]
    pub flood: Switch,

    /// file with the message of the day; read again on SIGHUP · 每日消息文件
    #[argh(option, arg_name = "file")]
    pub motd: Option<PathBuf>,

    /// file to log to (default: log.txt in the data folder; standard error under systemd) · 日志文件
    #[argh(option, arg_name = "file")]
    pub log: Option<PathBuf>,

    /// error, warn, info, debug or off (default: info) · 日志级别
    #[argh(option, default = "log::LevelFilter::Info", arg_name = "level")]
    pub log_level: log::LevelFilter,
}

/// manage accounts; passwords are read from standard input · 管理账号，口令从标准输入读取
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "user")]
pub struct UserArgs {
    /// what to do
    #[argh(subcommand)]
    pub action: UserAction,
}

/// What to do with an account.
#[derive(FromArgs, Debug)]
#[argh(subcommand)]
pub enum UserAction {
    /// `gzy user add`
    Add(UserAdd),
    /// `gzy user passwd`
    Passwd(UserPasswd),
    /// `gzy user admin`
    Admin(UserAdmin),
    /// `gzy user remove`
    Remove(UserRemove),
    /// `gzy user list`
    List(UserList),
}

macro_rules! user_actions {
    ($($(#[$doc:meta])* $name:ident = $command:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(FromArgs, Debug)]
            #[argh(subcommand, name = $command)]
            pub struct $name {
                /// the account's name · 账号名
                #[argh(positional)]
                pub name: String,
                /// folder of the server's data (default: $STATE_DIRECTORY, else the current folder) · 数据文件夹
                #[argh(option, arg_name = "dir")]
                pub data: Option<PathBuf>,
            }
        )*
    };
}

user_actions! {
    /// make an account; its password is read from standard input · 添加账号
    UserAdd = "add";
    /// change an account's password; it is read from standard input · 修改口令
    UserPasswd = "passwd";
    /// make an account an operator of the server (OPER) · 设为管理员
    UserAdmin = "admin";
    /// remove an account · 删除账号
    UserRemove = "remove";
}

/// list the accounts · 列出账号
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "list")]
pub struct UserList {
    /// folder of the server's data (default: $STATE_DIRECTORY, else the current folder) · 数据文件夹
    #[argh(option, arg_name = "dir")]
    pub data: Option<PathBuf>,
}

/// `on` or `off`.
#[derive(Clone, Copy, Debug)]
pub struct Switch(pub bool);

impl std::str::FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Switch, String> {
        match text {
            "on" | "yes" => Ok(Switch(true)),
            "off" | "no" => Ok(Switch(false)),
            _ => Err("say on or off".into()),
        }
    }
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

fn language(text: &str) -> Result<LanguageChoice, String> {
    language_named(text).map(LanguageChoice).map_err(Into::into)
}

/// What became of the words on the command line.
#[derive(Debug)]
pub enum Parsed {
    /// Something to do.
    Run(Box<Args>),
    /// Something to print; true when that is what was asked for.
    Print(String, bool),
}

/// Parses the words after the program's name. `--name=value` is the same as `--name value`, `-h` as `--help`.
pub fn parse(words: impl Iterator<Item = String>) -> Parsed {
    let mut plain: Vec<String> = Vec::new();
    let mut only_values = false;
    for word in words {
        only_values |= word == "--";
        match word.split_once('=') {
            _ if only_values => plain.push(word),
            Some((name, value)) if name.starts_with("--") => plain.extend([name.to_owned(), value.to_owned()]),
            _ if word == "-h" => plain.push("--help".into()),
            _ => plain.push(word),
        }
    }
    if matches!(plain.first().map(String::as_str), Some("--version" | "-V")) {
        return Parsed::Print(format!("gzy {}\n", env!("CARGO_PKG_VERSION")), true);
    }
    let words: Vec<&str> = plain.iter().map(String::as_str).collect();
    match Args::from_args(&["gzy"], &words) {
        Ok(args) => Parsed::Run(Box::new(args)),
        Err(exit) => Parsed::Print(exit.output, exit.status.is_ok()),
    }
}

/// The data folder: asked for, or given by systemd, or the current one.
pub fn data_folder(asked: Option<PathBuf>) -> PathBuf {
    asked.or_else(|| std::env::var_os("STATE_DIRECTORY").map(PathBuf::from)).unwrap_or_else(|| ".".into())
}

/// The first line of the password file, if there is one.
fn password(file: Option<&Path>) -> Result<Option<String>, String> {
    file.map(password_file::read)
        .transpose()
        .map(|secret| secret.map(|word| word.0.into()))
        .map_err(|why| why.to_string())
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
        Ok(ClientConfig { wish, nick: self.nick, password, room: self.room })
    }
}

impl SayArgs {
    /// What to say, to whom.
    pub fn into_config(self) -> Result<SayConfig, String> {
        let password = password(self.password_file.as_deref())?;
        if self.text.is_empty() {
            return Err("there is nothing to say: gzy say HOST TEXT".into());
        }
        let wish = Wish {
            host: Some(self.host),
            plain: self.plain,
            accept_new_key: self.accept_new_key,
            broken_after_ms: self.timeout.map(|timeout| timeout.0),
            language: self.lang.and_then(|choice| choice.0),
            colours: None,
        };
        Ok(SayConfig { wish, text: self.text.join(" "), nick: self.nick, password, room: self.room })
    }
}

impl ServerArgs {
    /// The server's configuration; the sentence says what is wrong with the words.
    pub fn into_config(self, utc_offset_secs: i32) -> Result<Config, String> {
        let lobby = match self.lobby.as_str() {
            "" => None,
            name if name.starts_with('#') => Some(RoomName::parse(name)),
            name => Some(RoomName::parse(&format!("#{name}"))),
        };
        let lobby = lobby.transpose().map_err(|why| format!("--lobby: {why}"))?;
        if self.name.is_empty() || self.name.len() > NAME_BYTES || self.name.contains(char::is_control) {
            return Err(format!("--name takes 1 to {NAME_BYTES} bytes without control characters"));
        }
        Ok(Config {
            listen: self.listen,
            data: data_folder(self.data),
            name: self.name,
            lobby,
            replay: self.replay.min(REPLAY_MOST),
            limits: Limits { connections: self.max_connections, per_address: self.per_ip },
            password_file: self.password_file,
            flood_limits: self.flood.0,
            motd: self.motd,
            log: self.log,
            log_level: self.log_level,
            utc_offset_secs,
        })
    }
}

/// A network's name fits beside everything else in a welcome line.
const NAME_BYTES: usize = 64;
/// Each room keeps that many messages in memory.
const REPLAY_MOST: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Parsed {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn an_equals_sign_is_as_good_as_a_space() {
        for line in
            ["server --replay=3 --listen=127.0.0.1:0 --flood=off", "server --replay 3 --listen 127.0.0.1:0 --flood off"]
        {
            let Parsed::Run(args) = parsed(line) else { panic!("{line}") };
            let Command::Server(server) = args.command else { panic!("{line}") };
            let config = server.into_config(0).unwrap();
            assert_eq!((config.replay, config.listen.len(), config.flood_limits), (3, 1, false));
        }
    }

    #[test]
    fn help_and_version_are_printed_and_wrong_words_are_told_apart_from_them() {
        assert!(matches!(parsed("--version"), Parsed::Print(text, true) if text.starts_with("gzy ")));
        assert!(
            matches!(parsed("server -h"), Parsed::Print(text, true) if text.contains("--listen") && text.contains("监听"))
        );
        for wrong in ["", "serve", "server --flood maybe", "server --listen nowhere", "user add"] {
            assert!(matches!(parsed(wrong), Parsed::Print(_, false)), "{wrong}");
        }
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

    #[test]
    fn a_lobby_may_be_named_without_its_sign_or_be_left_out() {
        let lobby = |words: &str| {
            let Parsed::Run(args) = parse(["server", "--lobby", words].into_iter().map(str::to_owned)) else {
                panic!()
            };
            let Command::Server(server) = args.command else { panic!() };
            server.into_config(0).map(|config| config.lobby.map(|name| name.as_str().to_owned()))
        };
        assert_eq!(lobby("大厅"), Ok(Some("#大厅".into())));
        assert_eq!(lobby("#hall"), Ok(Some("#hall".into())));
        assert_eq!(lobby(""), Ok(None));
        assert!(lobby("#a b").is_err());
    }
}

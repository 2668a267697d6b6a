//! The command line: what may be typed, and what it means.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use argh::FromArgs;

use crate::client::words::Language;
use crate::password_file;
use crate::server::{Config, Limits, PlainTalk, Source, Transfers};
use crate::wire::name::RoomName;

mod backup;
mod choices;
mod client;
mod files;
mod user;

pub use backup::{BackupArgs, RestoreArgs};
pub use choices::{Keep, Registration, Size, Switch};
pub use client::{ClientArgs, LanguageChoice, SayArgs, Timeout};
pub use files::{GetArgs, ListArgs, PutArgs};
pub use user::{UserAction, UserArgs};

use client::language;

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
    /// `gzy put`
    Put(PutArgs),
    /// `gzy get`
    Get(GetArgs),
    /// `gzy ls`
    List(ListArgs),
    /// `gzy user`
    User(UserArgs),
    /// `gzy backup`
    Backup(BackupArgs),
    /// `gzy restore`
    Restore(RestoreArgs),
    /// `gzy doctor`
    Doctor(DoctorArgs),
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

    /// yes or no: whether people without an account come in (default: yes) · 是否允许没有账号的人进来
    #[argh(option, default = "Switch(true)", arg_name = "yes|no")]
    pub guests: Switch,

    /// open or closed: whether people may register accounts themselves (default: open); gzy user add always can · 是否开放注册
    #[argh(option, default = "Registration::Open", arg_name = "open|closed")]
    pub registration: Registration,

    /// yes or no: whether passwords are taken over links that are not encrypted, for test networks (default: no) · 是否接受明文密码
    #[argh(option, default = "Switch(false)", arg_name = "yes|no")]
    pub clear_passwords: Switch,

    /// how long messages are kept: all, or a number of days, as 90d (default: all) · 聊天记录保存多久
    #[argh(option, default = "Keep(None)", arg_name = "all|90d")]
    pub keep: Keep,

    /// connections in all (default: 20000) · 连接总数上限
    #[argh(option, default = "20_000", arg_name = "n")]
    pub max_connections: usize,

    /// connections from one address (default: 64) · 每个地址的连接上限
    #[argh(option, default = "64", arg_name = "n")]
    pub per_ip: usize,

    /// certificate to show, in PEM, with --key (default: tls.crt in the data folder, made by the server) · 证书
    #[argh(option, arg_name = "file")]
    pub cert: Option<PathBuf>,

    /// private key of --cert, in PEM, readable by the server alone; both are read again on SIGHUP · 私钥
    #[argh(option, arg_name = "file")]
    pub key: Option<PathBuf>,

    /// who may talk without encryption: yes (everybody), no, or local (this machine) (default: yes) · 是否允许不加密的连接
    #[argh(option, default = "PlainTalk::Yes", arg_name = "yes|no|local")]
    pub plain: PlainTalk,

    /// file whose first line is the password that everybody must give (IRC PASS) · 入门密码文件
    #[argh(option, arg_name = "file")]
    pub password_file: Option<PathBuf>,

    /// on or off: slow down whoever sends too many lines (default: on; off is for benchmarks) · 限速
    #[argh(option, default = "Switch(true)", arg_name = "on|off")]
    pub flood: Switch,

    /// folder of the files that people share (default: Cloud in the data folder) · 共享文件夹
    #[argh(option, arg_name = "dir")]
    pub cloud: Option<PathBuf>,

    /// the largest file that is taken, as 500M or 4G (default: 16G) · 单个文件的大小上限
    #[argh(option, default = "Size(16 << 30)", arg_name = "size")]
    pub max_file: Size,

    /// what one account may have in the cloud; guests share as much (default: no limit) · 每个账号的文件总量上限
    #[argh(option, arg_name = "size")]
    pub quota: Option<Size>,

    /// what all files together may take (default: what the disk has) · 所有文件的总量上限
    #[argh(option, arg_name = "size")]
    pub cloud_size: Option<Size>,

    /// transfers at once; more wait (default: 64) · 同时传输的文件数
    #[argh(option, default = "64", arg_name = "n")]
    pub max_transfers: usize,

    /// bytes per second of each transfer, as 2M (default: no limit) · 每个传输的限速
    #[argh(option, arg_name = "size")]
    pub rate: Option<Size>,

    /// bytes per second of all transfers together (default: no limit) · 全部传输的总限速
    #[argh(option, arg_name = "size")]
    pub rate_all: Option<Size>,

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

/// look whether a server can run here; exit code 0 when all is fine · 检查这台机器能否运行服务器
#[derive(FromArgs, Debug)]
#[argh(subcommand, name = "doctor")]
pub struct DoctorArgs {
    /// folder of the server's data (default: $STATE_DIRECTORY, else the current folder) · 数据文件夹
    #[argh(option, arg_name = "dir")]
    pub data: Option<PathBuf>,

    /// zh, en or auto (default: auto, by the locale) · 语言
    #[argh(option, arg_name = "zh|en", from_str_fn(language))]
    pub lang: Option<LanguageChoice>,
}

impl DoctorArgs {
    /// The language to answer in.
    pub fn language(&self) -> Language {
        let asked = self.lang.and_then(|choice| choice.0);
        asked.unwrap_or_else(|| Language::of_environment(|name| std::env::var(name).ok()))
    }
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
        let data = data_folder(self.data);
        let identity = match (self.cert, self.key) {
            (None, None) => Source::Own(data.clone()),
            (Some(certificate), Some(key)) => Source::Given { certificate, key },
            (Some(_), None) => return Err("--cert needs --key, the file with its private key".into()),
            (None, Some(_)) => return Err("--key needs --cert, the file with its certificate".into()),
        };
        Ok(Config {
            listen: self.listen,
            data,
            identity,
            plain: self.plain,
            name: self.name,
            lobby,
            keep_ms: self.keep.0,
            replay: self.replay.min(REPLAY_MOST),
            limits: Limits { connections: self.max_connections, per_address: self.per_ip },
            password_file: self.password_file,
            flood_limits: self.flood.0,
            guests: self.guests.0,
            registration: self.registration == Registration::Open,
            clear_passwords: self.clear_passwords.0,
            cloud: self.cloud,
            transfers: Transfers {
                max_file: self.max_file.0,
                quota: self.quota.map(|size| size.0),
                total: self.cloud_size.map(|size| size.0),
                at_once: self.max_transfers.max(1),
                rate: self.rate.map(|size| size.0),
                rate_of_all: self.rate_all.map(|size| size.0),
            },
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
    fn a_backup_is_made_to_and_restored_from_a_file() {
        let Parsed::Run(args) = parsed("backup b.gzy --data d") else { panic!() };
        assert!(matches!(args.command, Command::Backup(BackupArgs { data: Some(_), .. })));
        let Parsed::Run(args) = parsed("restore b.gzy --force") else { panic!() };
        assert!(matches!(args.command, Command::Restore(RestoreArgs { force: true, data: None, .. })));
        assert!(
            matches!(parsed("--help"), Parsed::Print(text, true) if text.contains("备份") && text.contains("backup"))
        );
        assert!(matches!(parsed("backup"), Parsed::Print(_, false)));
    }

    #[test]
    fn a_certificate_and_its_key_are_given_together_or_not_at_all() {
        let identity = |line: &str| {
            let Parsed::Run(args) = parsed(line) else { panic!("{line}") };
            let Command::Server(server) = args.command else { panic!("{line}") };
            server.into_config(0).map(|config| config.identity)
        };
        assert_eq!(identity("server --data d"), Ok(Source::Own("d".into())));
        let given = Source::Given { certificate: "c.pem".into(), key: "k.pem".into() };
        assert_eq!(identity("server --cert c.pem --key k.pem"), Ok(given));
        assert!(identity("server --cert c.pem").is_err_and(|why| why.contains("needs --key")));
        assert!(identity("server --key k.pem").is_err_and(|why| why.contains("needs --cert")));
        assert!(matches!(parsed("server --plain maybe"), Parsed::Print(text, false) if text.contains("local")));
    }

    #[test]
    fn messages_are_kept_for_ever_or_for_days() {
        let keep = |line: &str| {
            let Parsed::Run(args) = parsed(line) else { panic!("{line}") };
            let Command::Server(server) = args.command else { panic!("{line}") };
            server.into_config(0).unwrap().keep_ms
        };
        assert_eq!((keep("server"), keep("server --keep all")), (None, None));
        assert_eq!(keep("server --keep 90d"), Some(90 * 24 * 3600 * 1000));
        for wrong in ["90", "0d", "-1d", "d", "99999999999999999999d", "90 d", "forever"] {
            let words = ["server", "--keep", wrong].into_iter().map(str::to_owned);
            assert!(matches!(parse(words), Parsed::Print(text, false) if text.contains("as 90d")), "{wrong}");
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

//! What may be typed behind `gzy put`, `gzy get` and `gzy ls`.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use argh::FromArgs;

use super::client::{LanguageChoice, Timeout, account, first_line, language};
use super::password;
use crate::client::start::Wish;
use crate::client_term::{CarryConfig, Errand};

/// Where files are when nobody says it: the public cloud.
const PUBLIC: &str = "*";

/// A subcommand that moves or lists files: what it takes, and what all of them take.
macro_rules! subcommand {
    ($(#[$about:meta])* $name:ident = $word:literal { $($own:tt)* }) => {
        $(#[$about])*
        #[derive(FromArgs, Debug)]
        #[argh(subcommand, name = $word)]
        pub struct $name {
            /// server, as HOST, HOST:PORT or gzy://HOST:PORT#sha256=KEY · 服务器地址
            #[argh(positional)]
            pub host: String,

            $($own)*

            /// name to go by (default: the name of the system's user) · 昵称
            #[argh(option, arg_name = "name")]
            pub nick: Option<String>,

            /// account to log in to, by name or number; the password is asked for, or the first line of standard input · 登录账号
            #[argh(option, arg_name = "name")]
            pub account: Option<String>,

            /// file whose first line is the password of --account · 账号密码文件
            #[argh(option, arg_name = "file")]
            pub account_password_file: Option<PathBuf>,

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

        impl $name {
            fn with(self, errand: Errand) -> Result<CarryConfig, String> {
                let mut account = account(self.account, self.account_password_file.as_deref())?;
                if let Some(account) =
                    account.as_mut().filter(|account| account.password.is_none() && !io::stdin().is_terminal())
                {
                    account.password = first_line(io::stdin().lock())?;
                }
                let wish = Wish {
                    host: Some(self.host),
                    plain: self.plain,
                    accept_new_key: self.accept_new_key,
                    broken_after_ms: self.timeout.map(|timeout| timeout.0),
                    language: self.lang.and_then(|choice| choice.0),
                    colours: None,
                };
                let password = password(self.password_file.as_deref())?;
                Ok(CarryConfig { wish, nick: self.nick, account, password, errand })
            }
        }
    };
}

subcommand! {
    /// bring files and folders to the server; exit code 0 once all are kept, with the same SHA-256 · 上传文件和文件夹
    PutArgs = "put" {
        /// files and folders; a folder keeps its tree, without what is hidden · 文件和文件夹
        #[argh(positional)]
        pub paths: Vec<PathBuf>,

        /// who may see them: a person, or a group as #NAME (default: everybody) · 给谁
        #[argh(option, arg_name = "who", default = "PUBLIC.into()")]
        pub to: String,

        /// replace a file of the same name that is yours · 替换自己的同名文件
        #[argh(switch)]
        pub replace: bool,
    }
}

subcommand! {
    /// fetch files; exit code 0 once all are here, with the same SHA-256 · 下载文件
    GetArgs = "get" {
        /// names, folders, or patterns with * and ? · 名字、文件夹或通配符
        #[argh(positional)]
        pub names: Vec<String>,

        /// where they are: with a person, or a group as #NAME (default: the public cloud) · 从哪里
        #[argh(option, arg_name = "who", default = "PUBLIC.into()")]
        pub from: String,

        /// folder that they go to, made when needed (default: Recv) · 下载文件夹
        #[argh(option, arg_name = "dir")]
        pub downloads: Option<PathBuf>,
    }
}

subcommand! {
    /// list the files on the server: bytes, time (UTC), SHA-256, name · 列出文件
    ListArgs = "ls" {
        /// a folder, or a pattern with * and ? (default: all) · 文件夹或通配符
        #[argh(positional)]
        pub pattern: Option<String>,

        /// where: with a person, or in a group as #NAME (default: the public cloud) · 在哪里
        #[argh(option, arg_name = "who", default = "PUBLIC.into()")]
        pub from: String,

        /// as JSON, with all that is known of them · 输出 JSON
        #[argh(switch)]
        pub json: bool,
    }
}

impl PutArgs {
    /// What to bring, and where to.
    pub fn into_config(mut self) -> Result<CarryConfig, String> {
        if self.paths.is_empty() {
            return Err("there is nothing to bring: gzy put HOST PATH…".into());
        }
        let errand = Errand::Put {
            paths: std::mem::take(&mut self.paths),
            scope: std::mem::take(&mut self.to).into(),
            replace: self.replace,
        };
        self.with(errand)
    }
}

impl GetArgs {
    /// What to fetch, and where from.
    pub fn into_config(mut self) -> Result<CarryConfig, String> {
        if self.names.is_empty() {
            return Err("there is nothing to fetch: gzy get HOST NAME…; gzy ls HOST lists the names".into());
        }
        let errand = Errand::Get {
            names: std::mem::take(&mut self.names).into_iter().map(Into::into).collect(),
            scope: std::mem::take(&mut self.from).into(),
            downloads: self.downloads.take(),
        };
        self.with(errand)
    }
}

impl ListArgs {
    /// What to list.
    pub fn into_config(mut self) -> Result<CarryConfig, String> {
        let errand = Errand::List {
            pattern: self.pattern.take().map(Into::into),
            scope: std::mem::take(&mut self.from).into(),
            is_json: self.json,
        };
        self.with(errand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Command, Parsed, parse};

    fn config(line: &str) -> Result<CarryConfig, String> {
        let Parsed::Run(args) = parse(line.split_whitespace().map(str::to_owned)) else { panic!("{line}") };
        match args.command {
            Command::Put(put) => put.into_config(),
            Command::Get(get) => get.into_config(),
            Command::List(list) => list.into_config(),
            _ => panic!("{line}"),
        }
    }

    #[test]
    fn files_go_to_everybody_unless_somebody_is_named() {
        let put = config("put board a.zip 作业 --to ben --replace --plain").unwrap();
        let paths = vec!["a.zip".into(), "作业".into()];
        assert_eq!(put.errand, Errand::Put { paths, scope: "ben".into(), replace: true });
        assert!(put.wish.plain && put.wish.host.as_deref() == Some("board"));
        let get = config("get board *.png --downloads d").unwrap().errand;
        let names = vec!["*.png".into()];
        assert_eq!(get, Errand::Get { names, scope: "*".into(), downloads: Some("d".into()) });
        let list = config("ls board --json --from=#小组").unwrap().errand;
        assert_eq!(list, Errand::List { pattern: None, scope: "#小组".into(), is_json: true });
    }

    #[test]
    fn nothing_to_move_is_said_with_what_to_type() {
        assert!(config("put board").unwrap_err().contains("gzy put HOST PATH"));
        assert!(config("get board").unwrap_err().contains("gzy ls HOST"));
        for wrong in ["put", "ls", "ls a b c", "put board a --to"] {
            let parsed = parse(wrong.split_whitespace().map(str::to_owned));
            assert!(matches!(parsed, Parsed::Print(_, false)), "{wrong}");
        }
    }
}

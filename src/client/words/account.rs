//! What a client says about accounts: passwords, logging in, registering, and what is kept of it.

use super::Language::{self, En, Zh};
use super::printable;
use crate::client::account::{LoginFault, Wanted};
use crate::client::logins::LoginsFault;
use crate::wire::limits::PASSWORD_CHARS_MIN;

/// A question, or what a client tells about an account by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountSaying<'a> {
    /// Asks for the password of an account.
    AskPassword(&'a str),
    /// Asks for a password for a new account, at least so long.
    AskNewPassword(&'a str),
    /// Asks for the same once more.
    AskAgain,
    /// Asks whether to make an account of this name.
    AskRegister(&'a str),
    /// Asks whether to log in to this account by itself the next time.
    AskRemember(&'a str),
    /// The two passwords differ.
    NotTheSame,
    /// No account, so as a guest.
    AsGuest,
    /// The login is kept in this file.
    Remembered(&'a str),
    /// The login is not kept any more.
    Forgotten,
    /// There was none.
    NothingToForget,
    /// Something is wrong with the file of the logins.
    Fault(&'a LoginsFault),
    /// No password was given where one was waited for.
    NoPassword,
}

/// A sentence about an account.
pub fn account(language: Language, saying: &AccountSaying) -> String {
    use AccountSaying::*;
    let text = match (language, saying) {
        (Zh, AskPassword(name)) => return format!("{} 的密码：", printable(name)),
        (En, AskPassword(name)) => return format!("Password of {}: ", printable(name)),
        (Zh, AskNewPassword(name)) => {
            return format!("给 {} 设一个密码（至少 {PASSWORD_CHARS_MIN} 个字符）：", printable(name));
        }
        (En, AskNewPassword(name)) => {
            return format!("A password for {} (at least {PASSWORD_CHARS_MIN} characters): ", printable(name));
        }
        (Zh, AskRegister(name)) => return format!("还没有账号 {}，现在注册吗？(y/n) ", printable(name)),
        (En, AskRegister(name)) => return format!("There is no account {} yet; make it? (y/n) ", printable(name)),
        (Zh, AskRemember(name)) => return format!("下次自动登录 {} 吗？(y/n) ", printable(name)),
        (En, AskRemember(name)) => return format!("Log in as {} by itself the next time? (y/n) ", printable(name)),
        (Zh, AskAgain) => "再输入一遍：",
        (En, AskAgain) => "Once more: ",
        (Zh, NotTheSame) => "两次输入的密码不一样",
        (En, NotTheSame) => "the two passwords are not the same",
        (Zh, AsGuest) => "没有登录，以游客身份进入；随时可以 /login 名字 密码",
        (En, AsGuest) => "not logged in, so as a guest; /login NAME PASSWORD works at any time",
        (Zh, Remembered(path)) => {
            return format!("已记住，下次自动登录（密码在 {}，只有你能读；/forget 删除）", printable(path));
        }
        (En, Remembered(path)) => {
            return format!(
                "remembered; the next login is by itself (the password is in {}, for you alone to read; /forget removes it)",
                printable(path)
            );
        }
        (Zh, Forgotten) => "已删除这个服务器的登录；下次要输入密码",
        (En, Forgotten) => "the login for this server is removed; the next time asks for the password",
        (Zh, NothingToForget) => "没有记住这个服务器的登录",
        (En, NothingToForget) => "no login is remembered for this server",
        (Zh, NoPassword) => "没有密码；把它写在标准输入的第一行，或用 --account-password-file 文件",
        (En, NoPassword) => {
            "there is no password; give it as the first line of standard input, or with --account-password-file FILE"
        }
        (_, Fault(fault)) => return logins(language, fault),
    };
    text.to_owned()
}

fn logins(language: Language, fault: &LoginsFault) -> String {
    let shown = |path: &std::path::Path| printable(&path.display().to_string()).into_owned();
    match (language, fault) {
        (Zh, LoginsFault::OpenToOthers(path)) => {
            let path = shown(path);
            format!("别人也能读 {path}，里面的密码没有使用；请先运行 chmod 600 {path}")
        }
        (En, LoginsFault::OpenToOthers(path)) => {
            let path = shown(path);
            format!("others can read {path}, so the passwords in it are not used; run this first: chmod 600 {path}")
        }
        (Zh, LoginsFault::File(path, why)) => {
            format!("不能使用记住登录的文件 {}：{}", shown(path), printable(why))
        }
        (En, LoginsFault::File(path, why)) => {
            format!("cannot use {}, which remembers logins: {}", shown(path), printable(why))
        }
        (Zh, LoginsFault::NoPlace) => "没有地方记住登录；请设置 HOME 或 XDG_CONFIG_HOME".to_owned(),
        (En, LoginsFault::NoPlace) => "there is no place to remember logins; set HOME or XDG_CONFIG_HOME".to_owned(),
    }
}

/// The client is logged in, perhaps to an account that was just made.
pub fn logged_in(language: Language, name: &str, number: Option<&str>) -> String {
    let name = printable(name);
    match (language, number.map(printable)) {
        (Zh, None) => format!("已登录：{name}"),
        (En, None) => format!("logged in as {name}"),
        (Zh, Some(number)) => format!("注册成功：{name}，编号 {number}；名字和编号都可以用来登录"),
        (En, Some(number)) => format!("registered: {name}, account {number}; both work as a name to log in with"),
    }
}

/// The client is not logged in.
pub fn not_logged_in(language: Language, wanted: Wanted, name: &str, fault: &LoginFault) -> String {
    let (name, why) = (printable(name), fault_of(language, name, fault));
    match (language, wanted) {
        (Zh, Wanted::LogIn) => format!("没有登录 {name}：{why}"),
        (En, Wanted::LogIn) => format!("not logged in as {name}: {why}"),
        (Zh, Wanted::Register) => format!("没有注册 {name}：{why}"),
        (En, Wanted::Register) => format!("{name} is not registered: {why}"),
    }
}

/// Why not, as a part of a sentence.
pub fn fault_of(language: Language, name: &str, fault: &LoginFault) -> String {
    let name = printable(name);
    let text = match (language, fault) {
        (Zh, LoginFault::NotPrivate) => "这条连接没有加密，路上的人能看到密码，所以没有发送；请去掉 --plain 再连接",
        (En, LoginFault::NotPrivate) => {
            "this link is not encrypted and others could read the password, so it was not sent; connect without --plain"
        }
        (Zh, LoginFault::NoAccounts) => "这个服务器没有账号；请用 --nick 以游客身份进入",
        (En, LoginFault::NoAccounts) => "this server has no accounts; come in as a guest with --nick",
        (Zh, LoginFault::WrongPassword) => "密码不对",
        (En, LoginFault::WrongPassword) => "wrong password",
        (Zh, LoginFault::NoSuchAccount) => {
            return format!("没有账号 {name}；/register {name} 密码 可以注册");
        }
        (En, LoginFault::NoSuchAccount) => {
            return format!("there is no account {name}; /register {name} PASSWORD makes it");
        }
        (Zh, LoginFault::Paused(secs)) => return format!("密码错得太多，{secs} 秒后再试"),
        (En, LoginFault::Paused(secs)) => return format!("too many wrong passwords; try again in {secs} seconds"),
        (Zh, LoginFault::Taken) => "这个名字有人用了（或者太像别人的名字），换一个",
        (En, LoginFault::Taken) => "that name is taken, or looks like one that is; choose another",
        (Zh, LoginFault::TooShort) => return format!("密码太短，至少 {PASSWORD_CHARS_MIN} 个字符"),
        (En, LoginFault::TooShort) => {
            return format!("that password is too short; take at least {PASSWORD_CHARS_MIN} characters");
        }
        (Zh, LoginFault::Closed) => "这里的账号由主人添加，请向主人要一个",
        (En, LoginFault::Closed) => "the host makes the accounts here; ask them for one",
        (Zh, LoginFault::NotNow(words) | LoginFault::Other(words)) => return format!("服务器说：{}", printable(words)),
        (En, LoginFault::NotNow(words) | LoginFault::Other(words)) => {
            return format!("the server says: {}", printable(words));
        }
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_speak_in_their_own_letters() {
        let has_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let faults = [
            LoginsFault::OpenToOthers("/x".into()),
            LoginsFault::File("/x".into(), "full".into()),
            LoginsFault::NoPlace,
        ];
        let mut sayings = vec![
            AccountSaying::AskPassword("a"),
            AccountSaying::AskNewPassword("a"),
            AccountSaying::AskAgain,
            AccountSaying::AskRegister("a"),
            AccountSaying::AskRemember("a"),
            AccountSaying::NotTheSame,
            AccountSaying::AsGuest,
            AccountSaying::Remembered("/x"),
            AccountSaying::Forgotten,
            AccountSaying::NothingToForget,
            AccountSaying::NoPassword,
        ];
        sayings.extend(faults.iter().map(AccountSaying::Fault));
        for saying in sayings {
            assert!(has_chinese(&account(Zh, &saying)), "{saying:?}");
            assert!(!has_chinese(&account(En, &saying)), "{saying:?}");
        }
        for fault in every_fault() {
            for wanted in [Wanted::LogIn, Wanted::Register] {
                assert!(has_chinese(&not_logged_in(Zh, wanted, "a", &fault)), "{fault:?}");
                assert!(!has_chinese(&not_logged_in(En, wanted, "a", &fault)), "{fault:?}");
            }
        }
        for number in [None, Some("1000")] {
            assert!(has_chinese(&logged_in(Zh, "a", number)) && !has_chinese(&logged_in(En, "a", number)));
        }
    }

    fn every_fault() -> Vec<LoginFault> {
        vec![
            LoginFault::NotPrivate,
            LoginFault::NoAccounts,
            LoginFault::WrongPassword,
            LoginFault::NoSuchAccount,
            LoginFault::Paused(7),
            LoginFault::Taken,
            LoginFault::TooShort,
            LoginFault::Closed,
            LoginFault::NotNow("x".into()),
            LoginFault::Other("x".into()),
        ]
    }

    #[test]
    fn what_a_server_says_does_not_reach_the_terminal_as_it_is() {
        for fault in [LoginFault::Other("\u{1b}[2J".into()), LoginFault::NotNow("\u{1b}[2J".into())] {
            assert!(!not_logged_in(En, Wanted::LogIn, "\u{1b}a", &fault).contains('\u{1b}'));
        }
    }
}

//! What is told to whoever logs in or registers: why not, or that it is done; by each door, in its language.

use std::fmt::Write;
use std::rc::Rc;

use crate::wire::limits::PASSWORD_CHARS_MIN;
use crate::wire::name::BadName;
use crate::wire::reply::*;

use super::SERVER_NAME;
use super::bang::Tongue;
use super::login::Door;
use super::session::Login;
use super::turn::Turn;

/// Why somebody is not logged in or not registered.
#[derive(Debug)]
pub enum Refused {
    /// Others could read the password.
    NotPrivate,
    /// The account's password is another one.
    WrongPassword,
    /// Nobody has registered that name or number.
    NoAccount,
    /// There were too many wrong passwords.
    Paused {
        /// When to try again.
        secs: u64,
    },
    /// Too many accounts were made from there.
    TooMany {
        /// When to try again.
        secs: u64,
    },
    /// Too many passwords wait to be checked.
    Busy,
    /// The store or the check did not answer.
    Failed,
    /// The session is logged in already.
    LoggedIn {
        /// As whom.
        name: Rc<str>,
    },
    /// The host makes the accounts.
    Closed,
    /// The name is no legal nick.
    BadName(BadName),
    /// The name is the server's.
    Reserved,
    /// Somebody has the name, or one that looks like it.
    Taken,
    /// The password has too few characters.
    TooShort,
    /// Something that is needed was not said.
    Incomplete,
}

impl Refused {
    /// The code of a standard reply (draft/account-registration has most of them).
    fn code(&self) -> &'static str {
        match self {
            Refused::NotPrivate => "NOT_PRIVATE",
            Refused::WrongPassword => "WRONG_PASSWORD",
            Refused::NoAccount => "ACCOUNT_UNKNOWN",
            Refused::Paused { .. } | Refused::TooMany { .. } | Refused::Busy | Refused::Failed => {
                "TEMPORARILY_UNAVAILABLE"
            }
            Refused::LoggedIn { .. } => "ALREADY_AUTHENTICATED",
            Refused::Closed => "REGISTRATION_CLOSED",
            Refused::BadName(_) | Refused::Reserved => "BAD_ACCOUNT_NAME",
            Refused::Taken => "ACCOUNT_EXISTS",
            Refused::TooShort => "WEAK_PASSWORD",
            Refused::Incomplete => "NEED_MORE_PARAMS",
        }
    }

    /// The sentence, in one language.
    pub fn sentence(&self, tongue: Tongue) -> String {
        if tongue == Tongue::Chinese { self.chinese() } else { self.english() }
    }

    fn english(&self) -> String {
        match self {
            Refused::NotPrivate => "no password over a link that others can read: connect with TLS (the port is the same), then try again, and choose a new password: this one was sent in the clear".into(),
            Refused::WrongPassword => "wrong password".into(),
            Refused::NoAccount => "there is no such account; !register NAME PASSWORD makes one".into(),
            Refused::Paused { secs } => format!("too many wrong passwords; try again in {secs} seconds"),
            Refused::TooMany { secs } => format!("many accounts were made from your network; try again in {secs} seconds"),
            Refused::Busy => "too many people are logging in at this moment; try again in a few seconds".into(),
            Refused::Failed => "the server could not look that up; try again in a moment".into(),
            Refused::LoggedIn { name } => format!("you are logged in as {name} already; connect again to be somebody else"),
            Refused::Closed => "the host makes the accounts here; ask them for one".into(),
            Refused::BadName(why) => why.to_string(),
            Refused::Reserved => "that name is the server's; choose another".into(),
            Refused::Taken => "that name is taken, or looks like one that is; choose another".into(),
            Refused::TooShort => format!("that password is too short; take at least {PASSWORD_CHARS_MIN} characters"),
            Refused::Incomplete => "a name and a password are needed".into(),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Refused::NotPrivate => "这条连接别人看得到，不能在上面说密码：先用 TLS 连接（端口不变）再试；刚才的密码已经明文发出，请换一个新的".into(),
            Refused::WrongPassword => "密码不对".into(),
            Refused::NoAccount => "没有这个账号；！注册*名字*密码 可以注册一个".into(),
            Refused::Paused { secs } => format!("密码错得太多；{secs} 秒后再试"),
            Refused::TooMany { secs } => format!("从你的网络注册的账号太多；{secs} 秒后再试"),
            Refused::Busy => "现在登录的人太多；过几秒再试".into(),
            Refused::Failed => "服务器暂时查不到；过一会儿再试".into(),
            Refused::LoggedIn { name } => format!("你已经以 {name} 登录；想换账号请重新连接"),
            Refused::Closed => "这里的账号由主人添加，请向主人要一个".into(),
            Refused::BadName(why) => super::bang::bad_name(Tongue::Chinese, *why),
            Refused::Reserved => "这个名字是服务器用的，换一个".into(),
            Refused::Taken => "这个名字有人用了（或者太像别人的名字），换一个".into(),
            Refused::TooShort => format!("密码太短，至少 {PASSWORD_CHARS_MIN} 个字符"),
            Refused::Incomplete => "要写名字和密码".into(),
        }
    }
}

impl Turn<'_> {
    /// Says no, through the door that was knocked at. `name` is what was asked for.
    pub(super) fn tell_refused(&mut self, door: Door, name: &str, why: Refused) {
        match door {
            Door::Sasl if matches!(why, Refused::LoggedIn { .. }) => {
                self.numeric(ERR_SASLALREADY, &[], &why.english());
            }
            Door::Sasl => self.numeric(ERR_SASLFAIL, &[], &why.english()),
            Door::Register => {
                self.fail("REGISTER", why.code(), &[super::join::clip_word(name)], &why.english());
            }
            Door::Service => self.service_says(&both(&why.chinese(), &why.english())),
            Door::Bang(asked) => self.bang_refused(asked, |tongue| why.sentence(tongue)),
        }
    }

    /// Says who they are from here on.
    pub(super) fn tell_logged_in(&mut self, door: Door, login: &Login) {
        let (name, id) = (&login.name, login.id.0);
        let (chinese, english) =
            (format!("{name}，你好（账号 {id}）"), format!("hello {name}, you are logged in (account {id})"));
        match door {
            Door::Sasl => self.numeric(RPL_SASLSUCCESS, &[], "SASL authentication successful"),
            Door::Register => {}
            Door::Service => self.service_says(&both(&chinese, &english)),
            Door::Bang(asked) => self.bang_answered(asked, &chinese, &english),
        }
    }

    /// Says that the password is another one from here on.
    pub(super) fn tell_password_set(&mut self, door: Door) {
        let (chinese, english) =
            ("密码改好了，下次登录用新的", "your password is changed; use the new one from here on");
        match door {
            Door::Bang(asked) => self.bang_answered(asked, chinese, english),
            _ => self.service_says(&both(chinese, english)),
        }
    }

    /// Says that there is an account from here on, and its number.
    pub(super) fn tell_registered(&mut self, door: Door, login: &Login) {
        let (name, id) = (&login.name, login.id.0);
        let chinese = format!("注册成功：{name}，编号 {id}。以后登录：！登录*{name}*密码（名字也可以写成 {id}）");
        let english =
            format!("registered: {name}, account {id}. To log in later: !login {name} PASSWORD (or {id} as the name)");
        match door {
            Door::Sasl => {}
            Door::Register => {
                let _ = write!(self.replies.lines(), ":{SERVER_NAME} REGISTER SUCCESS {name} :account {id}\r\n");
            }
            Door::Service => self.service_says(&both(&chinese, &english)),
            Door::Bang(asked) => self.bang_answered(asked, &chinese, &english),
        }
    }
}

/// A sentence for somebody whose language nobody knows.
fn both(chinese: &str, english: &str) -> String {
    format!("{chinese} · {english}")
}

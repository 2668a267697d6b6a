//! Why something was not done, as a sentence in the language of the command.

use crate::wire::escape::printable;
use crate::wire::mask::BadMask;
use crate::wire::name::{BadName, NAME_BYTES};
use crate::wire::reply::*;

use super::phrase;
use super::words::Tongue;

/// Numerics from here on refuse something; those below tell facts (RFC 2812, 5.2).
const FIRST_REFUSAL: u16 = 400;

/// Whether a numeric refuses something.
pub fn is_refusal(code: Numeric) -> bool {
    code.0 >= FIRST_REFUSAL && code != RPL_WHOISSECURE && code.0 < RPL_HELPSTART.0
}

/// A numeric that is no refusal and yet has to be said in words.
pub fn fact(tongue: Tongue, code: Numeric, params: &[&str], sentence: &str) -> Option<String> {
    let who = params.first().copied().unwrap_or("*");
    let reason = printable(sentence);
    (code == RPL_AWAY).then(|| phrase!(tongue, "{who} 离开了：{reason}", "{who} is away: {reason}"))
}

/// A numeric that refuses something, in words. What has no words of its own keeps the rules' sentence.
pub fn of_numeric(tongue: Tongue, code: Numeric, params: &[&str], sentence: &str) -> String {
    let first = printable(params.first().copied().unwrap_or("*"));
    let second = printable(params.get(1).copied().unwrap_or("*"));
    match code {
        ERR_NOSUCHNICK => phrase!(tongue, "这里没有叫 {first} 的人", "nobody called {first} is here"),
        ERR_NOSUCHCHANNEL => phrase!(tongue, "没有 {first} 这个房间", "there is no room {first}"),
        ERR_NOTONCHANNEL => phrase!(tongue, "你不在 {first} 里，先进去", "you are not in {first}; JOIN it first"),
        ERR_USERNOTINCHANNEL => phrase!(tongue, "{first} 不在 {second} 里", "{first} is not in {second}"),
        ERR_CHANOPRIVSNEEDED => phrase!(
            tongue,
            "只有 {first} 的管理员能这样做；！用户 里名字前有 @ 的就是",
            "only operators of {first} may do that; !users marks them with @"
        ),
        ERR_CANNOTSENDTOCHAN => {
            phrase!(tongue, "你在 {first} 里不能说话，问问管理员", "you may not speak in {first}; ask an operator")
        }
        ERR_BANNEDFROMCHAN => {
            phrase!(tongue, "你被 {first} 封了；问问管理员", "you are banned from {first}; ask an operator")
        }
        ERR_INVITEONLYCHAN => {
            phrase!(tongue, "{first} 受邀才能进；请里面的人邀请你", "{first} is by invitation only; ask somebody in it")
        }
        ERR_BADCHANNELKEY => {
            phrase!(tongue, "{first} 有暗号：！加群*{first}*暗号", "{first} has a key: !join {first} KEY")
        }
        ERR_CHANNELISFULL => {
            phrase!(tongue, "{first} 满了；有人离开再试", "{first} is full; try again when somebody has left")
        }
        ERR_USERONCHANNEL => phrase!(tongue, "{first} 已经在 {second} 里了", "{first} is in {second} already"),
        ERR_NOPRIVILEGES => phrase!(tongue, "只有服务器的管理员能这样做", "only operators of the server may do that"),
        ERR_BANLISTFULL => phrase!(
            tongue,
            "{first} 的名单满了；先用 ！解封 或 ！解禁言 去掉一些",
            "the list of {first} is full; take some off with !unban or !unmute first"
        ),
        _ => {
            let sentence = printable(sentence);
            phrase!(tongue, "没有做成：{sentence}", "{sentence}")
        }
    }
}

/// A refusal that has a word instead of a number.
pub fn of_standard_reply(tongue: Tongue, code: &str, sentence: &str) -> String {
    let sentence = printable(sentence);
    match code {
        "TRY_AGAIN" => phrase!(tongue, "服务器太忙，没有做成；过一会儿再试", "{sentence}"),
        _ => phrase!(tongue, "没有做成：{sentence}", "{sentence}"),
    }
}

/// Why a text cannot be a nick.
pub fn of_name(tongue: Tongue, why: BadName) -> String {
    if tongue == Tongue::English {
        return why.to_string();
    }
    match why {
        BadName::Empty => "名字是空的；至少写一个字".to_owned(),
        BadName::TooLong => format!("名字超过 {NAME_BYTES} 个字节（一个汉字算 3 个）；取短一点"),
        BadName::Control | BadName::Invisible => "名字里有看不见的字符；用汉字、字母和数字".to_owned(),
        BadName::Space => "名字里有空格；可以换成 _ 或 -".to_owned(),
        BadName::Special(c) => format!("名字里有 {c}，它在命令里有别的意思；去掉它"),
        BadName::StartsWith(c) => format!("名字以 {c} 开头，它在名字前面有别的意思；用汉字或字母开头"),
        BadName::Marks => "名字里的附加符号太多或没有字母可依附；少用一些".to_owned(),
        BadName::OnlyDigits => "名字全是数字，会和账号的编号混淆；加一个字".to_owned(),
        BadName::NotARoom => "这不是房间；房间的名字以 # 开头".to_owned(),
    }
}

/// Why a text cannot be a mask.
pub fn of_mask(tongue: Tongue, why: BadMask) -> String {
    if tongue == Tongue::English {
        return why.to_string();
    }
    match why {
        BadMask::Empty => "没有写是谁；写名字，或 名字!用户@主机（可以用 * 和 ?）".to_owned(),
        BadMask::TooLong => "写得太长；用 * 代替一部分".to_owned(),
        BadMask::Unseen => "里面有名字里不会有的字符；用 ? 代替它".to_owned(),
        BadMask::UnknownKind => "里面有冒号，名字里不会有；禁言用 ！禁言".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::Tongue::*;
    use super::*;

    #[test]
    fn a_refusal_names_the_thing_in_both_languages() {
        let both = |code, params: &[&str]| {
            (of_numeric(Chinese, code, params, "server words"), of_numeric(English, code, params, "server words"))
        };
        assert_eq!(
            both(ERR_USERNOTINCHANNEL, &["ben", "#tea"]),
            ("ben 不在 #tea 里".to_owned(), "ben is not in #tea".to_owned())
        );
        assert_eq!(both(ERR_UNKNOWNMODE, &["x"]), ("没有做成：server words".to_owned(), "server words".to_owned()));
        assert_eq!(of_standard_reply(Chinese, "TRY_AGAIN", "busy"), "服务器太忙，没有做成；过一会儿再试");
        assert_eq!(of_standard_reply(English, "TRY_AGAIN", "busy"), "busy");
    }

    #[test]
    fn facts_are_no_refusals() {
        for code in [RPL_TOPIC, RPL_AWAY, RPL_CHANNELMODEIS, RPL_HELPTXT, RPL_WHOISSECURE, RPL_MONONLINE] {
            assert!(!is_refusal(code), "{code:?}");
        }
        for code in [ERR_NOSUCHNICK, ERR_CHANOPRIVSNEEDED, ERR_INVALIDMODEPARAM] {
            assert!(is_refusal(code), "{code:?}");
        }
        assert_eq!(fact(Chinese, RPL_AWAY, &["ben"], "吃饭\u{1b}").as_deref(), Some("ben 离开了：吃饭␛"));
        assert_eq!(fact(English, RPL_TOPIC, &["#a"], "t"), None);
    }
}

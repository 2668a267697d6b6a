//! What a client says about pages of earlier talk and about searches.

use super::Language::{self, En, Zh};
use super::printable;
use crate::client::asked::NoAnswer as Why;

/// What stands below a page, or in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadSaying<'a> {
    /// A page of a conversation.
    Talk(&'a str),
    /// Its first page.
    Start,
    /// More is on its way.
    Fetching,
    /// So many messages were found with these words.
    Found(&'a str, usize),
    /// There is no answer.
    NoAnswer(&'a Why),
}

pub(super) fn reading(language: Language, saying: &ReadSaying) -> String {
    use ReadSaying::*;
    let text = match (language, saying) {
        (Zh, Talk(title)) => return format!("{} 的较早消息；PageUp/PageDown 翻页，Esc 返回", printable(title)),
        (En, Talk(title)) => {
            return format!(
                "what was said earlier in {}; PageUp and PageDown turn pages, Esc goes back",
                printable(title)
            );
        }
        (Zh, Start) => "这是能看到的最早的消息；PageDown 往后翻，Esc 返回",
        (En, Start) => "this is as far back as you can read; PageDown turns pages, Esc goes back",
        (Zh, Fetching) => "正在读取…",
        (En, Fetching) => "reading…",
        (Zh, Found(words, count)) => {
            return format!("搜索“{}”：{count} 条；PageUp/PageDown 翻页，Esc 返回", printable(words));
        }
        (En, Found(words, count)) => {
            return format!("{count} found for '{}'; PageUp and PageDown turn pages, Esc goes back", printable(words));
        }
        (Zh, NoAnswer(Why::Cannot)) => "这个服务器不能这样查找",
        (En, NoAnswer(Why::Cannot)) => "this server cannot be searched like that",
        (Zh, NoAnswer(Why::Lost)) => "服务器没有回答；请再试一次",
        (En, NoAnswer(Why::Lost)) => "the server did not answer; try again",
        (Zh, NoAnswer(Why::Refused(why))) => return format!("服务器说：{}", printable(why)),
        (En, NoAnswer(Why::Refused(why))) => return format!("the server says: {}", printable(why)),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_speak_in_their_own_letters() {
        let has_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let refused = Why::Refused("x".into());
        for saying in [
            ReadSaying::Talk("#a"),
            ReadSaying::Start,
            ReadSaying::Fetching,
            ReadSaying::Found("x", 3),
            ReadSaying::NoAnswer(&Why::Cannot),
            ReadSaying::NoAnswer(&Why::Lost),
            ReadSaying::NoAnswer(&refused),
        ] {
            assert!(has_chinese(&reading(Zh, &saying)), "{saying:?}");
            assert!(!has_chinese(&reading(En, &saying)), "{saying:?}");
        }
    }
}

//! ISUPPORT: what the server supports and where its limits are, in the words that clients know.

use std::rc::Rc;

use crate::wire::limits::*;
use crate::wire::name::NAME_BYTES;
use crate::wire::reply::*;

use super::Chat;
use super::shelf::filehost_token;
use super::turn::Turn;

/// Tokens per ISUPPORT line: thirteen and the nick and the sentence make fifteen parameters.
const TOKENS_PER_LINE: usize = 13;

impl Turn<'_> {
    /// The lines of `RPL_ISUPPORT`.
    pub(super) fn isupport(&mut self) {
        let lines = self.chat.isupport.clone();
        for tokens in lines.iter() {
            self.numeric(RPL_ISUPPORT, &[tokens], "are supported by this server");
        }
    }
}

impl Chat {
    /// The tokens of each ISUPPORT line. They are the same for everybody, so they are put together once.
    pub(super) fn isupport_lines(&self) -> Rc<[String]> {
        self.isupport_tokens().chunks(TOKENS_PER_LINE).map(|tokens| tokens.join(" ")).collect()
    }

    /// What the server supports, as ISUPPORT says it. Nothing is listed that is not so.
    fn isupport_tokens(&self) -> Vec<String> {
        let network = self.settings.network.replace('\\', "\\x5C").replace(' ', "\\x20").replace('=', "\\x3D");
        let mut tokens = vec![
            format!("AWAYLEN={AWAY_BYTES}"),
            "BOT=B".into(),
            // Letter case is folded for all of Unicode; "ascii" is the closest word that clients know, and UTF8MAPPING says the rest.
            "CASEMAPPING=ascii".into(),
            format!("CHANLIMIT=#:{ROOMS_PER_SESSION}"),
            "CHANMODES=beI,k,l,imnst".into(),
            format!("CHANNELLEN={NAME_BYTES}"),
            "CHANTYPES=#".into(),
            format!("CHATHISTORY={HISTORY_MESSAGES}"),
            "ELIST=MNU".into(),
            "EXCEPTS=e".into(),
            "EXTBAN=,m".into(),
            "INVEX=I".into(),
            format!("KEYLEN={ROOM_KEY_BYTES}"),
            format!("KICKLEN={REASON_BYTES}"),
            format!("LINELEN={LINE_BYTES}"),
            format!("MAXLIST=b:{MASKS_PER_LIST},e:{MASKS_PER_LIST},I:{MASKS_PER_LIST}"),
            format!("MAXTARGETS={TARGETS}"),
            format!("MODES={MODES_PER_LINE}"),
            format!("MONITOR={MONITOR_NAMES}"),
            "MSGREFTYPES=msgid,timestamp".into(),
            format!("NAMELEN={REALNAME_BYTES}"),
            format!("NETWORK={network}"),
            format!("NICKLEN={NAME_BYTES}"),
            "PREFIX=(qov)~@+".into(),
            "SAFELIST".into(),
            format!(
                "TARGMAX=JOIN:,KICK:{TARGETS},NAMES:,NOTICE:{TARGETS},PART:,PRIVMSG:{TARGETS},TAGMSG:{TARGETS},WHOIS:1"
            ),
            format!("TOPICLEN={TOPIC_BYTES}"),
            format!("USERLEN={USER_BYTES}"),
            "UTF8MAPPING=casefold".into(),
            "UTF8ONLY".into(),
            "WHOX".into(),
        ];
        let lobby = self.lobby.and_then(|id| self.rooms.get(&id));
        tokens.extend(lobby.map(|room| format!("gzy/LOBBY={}", room.name.as_str())));
        tokens.extend(self.shelf.reachable().map(filehost_token));
        tokens
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Settings;
    use super::super::testing::{World, settings};

    /// The tokens as a client reads them, and the lines of the welcome.
    fn welcome(settings: Settings) -> (BTreeMap<String, String>, Vec<String>) {
        let mut w = World::with(settings);
        let 小阳 = w.connect();
        w.line(小阳, "NICK 小阳");
        let lines = w.ask(小阳, "USER x 0 * :小阳");
        let mut tokens = BTreeMap::new();
        for line in lines.iter().filter_map(|line| line.strip_prefix(":gzy.local 005 小阳 ")) {
            let words = line.strip_suffix(" :are supported by this server").unwrap();
            assert!(words.split(' ').count() <= 13, "{line}");
            for word in words.split(' ') {
                let (name, value) = word.split_once('=').unwrap_or((word, ""));
                assert_eq!(tokens.insert(name.to_owned(), value.to_owned()), None, "{name} is said twice");
            }
        }
        (tokens, lines)
    }

    #[test]
    fn the_modes_of_the_welcome_are_those_of_isupport() {
        let (tokens, lines) = welcome(settings());
        let info = lines.iter().find_map(|line| line.strip_prefix(":gzy.local 004 小阳 gzy.local ")).unwrap();
        let words: Vec<&str> = info.split(' ').collect();
        assert_eq!(words[1..], ["Biow", "beIiklmnoqstv", "beIkloqv"]);
        let (list_and_key, flags) = tokens["CHANMODES"].rsplit_once(',').unwrap();
        let status = tokens["PREFIX"].strip_prefix('(').and_then(|rest| rest.split_once(')')).unwrap().0;
        let sorted = |text: String| {
            let mut letters: Vec<char> = text.replace(',', "").chars().collect();
            letters.sort_unstable();
            letters
        };
        assert_eq!(sorted(words[2].to_owned()), sorted(format!("{list_and_key}{flags}{status}")));
        assert_eq!(sorted(words[3].to_owned()), sorted(format!("{list_and_key}{status}")));
        assert!(words[1].contains(&tokens["BOT"]));
    }

    #[test]
    fn a_name_with_spaces_and_signs_can_be_read_back() {
        let (tokens, lines) = welcome(Settings { network: "大 家 a=b \\o/".into(), ..settings() });
        assert_eq!(tokens["NETWORK"], "大\\x20家\\x20a\\x3Db\\x20\\x5Co/");
        assert!(lines[0].starts_with(":gzy.local 001 小阳 :Welcome to 大 家 a=b \\o/, 小阳!~x@"), "{}", lines[0]);
    }

    #[test]
    fn the_lobby_is_told_where_there_is_one() {
        assert_eq!(welcome(settings()).0["gzy/LOBBY"], "#lobby");
        assert!(!welcome(Settings { lobby: None, ..settings() }).0.contains_key("gzy/LOBBY"));
    }
}

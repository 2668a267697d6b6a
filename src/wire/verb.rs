//! The commands that a client may send, and how many parameters each needs.

macro_rules! verbs {
    ($($name:ident = $text:literal, $needs:literal;)*) => {
        /// A command of a client. What each does is matched arm by arm in `chat`.
        #[allow(missing_docs)] // The names are the commands of RFC 2812 and IRCv3; the table below is their list.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Verb { $($name),* }

        /// Every command: how it is written, and the least number of parameters it makes sense with.
        pub const VERBS: &[(Verb, &str, usize)] = &[$((Verb::$name, $text, $needs)),*];
    };
}

verbs! {
    Admin = "ADMIN", 0;
    Authenticate = "AUTHENTICATE", 1;
    Away = "AWAY", 0;
    Batch = "BATCH", 1;
    Cap = "CAP", 1;
    ChatHistory = "CHATHISTORY", 0;
    File = "FILE", 1;
    Help = "HELP", 0;
    Info = "INFO", 0;
    Invite = "INVITE", 0;
    Ison = "ISON", 1;
    Join = "JOIN", 1;
    Kick = "KICK", 2;
    Kill = "KILL", 1;
    Links = "LINKS", 0;
    List = "LIST", 0;
    Lusers = "LUSERS", 0;
    MarkRead = "MARKREAD", 0;
    Mode = "MODE", 1;
    Monitor = "MONITOR", 1;
    Motd = "MOTD", 0;
    Names = "NAMES", 0;
    Nick = "NICK", 0;
    NickServ = "NICKSERV", 0;
    Notice = "NOTICE", 2;
    Oper = "OPER", 2;
    Part = "PART", 1;
    Pass = "PASS", 1;
    Ping = "PING", 1;
    Pong = "PONG", 0;
    Privmsg = "PRIVMSG", 0;
    Quit = "QUIT", 0;
    Redact = "REDACT", 2;
    Search = "SEARCH", 0;
    Register = "REGISTER", 3;
    Setname = "SETNAME", 1;
    Tagmsg = "TAGMSG", 1;
    Time = "TIME", 0;
    Topic = "TOPIC", 1;
    User = "USER", 4;
    Userhost = "USERHOST", 1;
    Version = "VERSION", 0;
    Wallops = "WALLOPS", 1;
    Who = "WHO", 1;
    Whois = "WHOIS", 0;
    Whowas = "WHOWAS", 0;
}

impl Verb {
    /// The command with this name, in any letter case.
    pub fn named(name: &str) -> Option<Verb> {
        if name.eq_ignore_ascii_case("HELPOP") {
            return Some(Verb::Help);
        }
        if name.eq_ignore_ascii_case("NS") {
            return Some(Verb::NickServ);
        }
        VERBS.iter().find(|(_, text, _)| text.eq_ignore_ascii_case(name)).map(|(verb, ..)| *verb)
    }

    /// How it is written.
    pub fn text(self) -> &'static str {
        VERBS[self as usize].1
    }

    /// The least number of parameters it makes sense with; commands with a refusal of their own need 0.
    pub fn needs(self) -> usize {
        VERBS[self as usize].2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_found_by_its_own_name() {
        for (verb, text, needs) in VERBS {
            assert_eq!(Verb::named(&text.to_lowercase()), Some(*verb));
            assert_eq!((verb.text(), verb.needs()), (*text, *needs));
        }
        assert_eq!(Verb::named("FROBNICATE"), None);
    }
}

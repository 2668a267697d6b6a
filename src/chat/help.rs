//! HELP: what each command does, in a line.

use crate::wire::line::Line;
use crate::wire::reply::*;
use crate::wire::verb::{VERBS, Verb};

use super::join::clip_word;
use super::turn::Turn;

/// How each command is written, and what it does.
const HELP: &[(Verb, &str, &str)] = &[
    (Verb::Admin, "ADMIN", "who runs this server"),
    (Verb::Authenticate, "AUTHENTICATE PLAIN", "logs in (SASL); your program knows how"),
    (Verb::Away, "AWAY [reason]", "says that you are away; without a reason, that you are back"),
    (
        Verb::Batch,
        "BATCH +<name> draft/multiline <room or nick> | -<name>",
        "begins and ends a message of several lines, for programs",
    ),
    (Verb::Cap, "CAP LS [302] | LIST | REQ :names | END", "capabilities, between your program and the server"),
    (
        Verb::ChatHistory,
        "CHATHISTORY LATEST|BEFORE|AFTER|AROUND|BETWEEN <room or nick> *|msgid=<id>|timestamp=<time> [another] <count>",
        "what was said; CHATHISTORY TARGETS <time> <time> <count> tells where",
    ),
    (
        Verb::File,
        "FILE LIST <scope> [pattern] | PUT <scope> <size> <sha256> :<name> | GET <scope> :<name> | DEL <scope> :<name>",
        "the files of the cloud, for programs; !ls lists them for people",
    ),
    (Verb::Help, "HELP [command]", "this; !help lists the commands that everybody can type as a line of text"),
    (Verb::Info, "INFO", "what this server is"),
    (
        Verb::Invite,
        "INVITE <nick> <room>",
        "asks somebody into a room; a group's invitation waits for who is away; alone it lists yours",
    ),
    (Verb::Ison, "ISON <nick> ...", "which of these are here"),
    (
        Verb::Join,
        "JOIN <room>,<room> [key],[key]",
        "goes into rooms or groups, or makes them; JOIN 0 leaves all rooms, but no group",
    ),
    (Verb::Kick, "KICK <room> <nick> [reason]", "puts somebody out of a room, for its operators"),
    (Verb::Kill, "KILL <nick> [reason]", "closes somebody's connection, for server operators"),
    (Verb::Links, "LINKS", "the servers of this network: this one"),
    (Verb::List, "LIST [room or condition]", "which rooms there are"),
    (Verb::Lusers, "LUSERS", "how many people and rooms there are"),
    (Verb::MarkRead, "MARKREAD <room or nick> [timestamp=<time>]", "up to where you have read, on all your devices"),
    (Verb::Mode, "MODE <room or nick> [modes] [parameters]", "shows or changes modes"),
    (Verb::Monitor, "MONITOR + <nick>,<nick> | - <nick>,<nick> | C | L | S", "tells you when people come and go"),
    (Verb::Motd, "MOTD", "the message of the day"),
    (Verb::Names, "NAMES [room]", "who is in a room"),
    (Verb::Nick, "NICK <nick>", "changes your nick"),
    (
        Verb::NickServ,
        "NICKSERV REGISTER <password> | IDENTIFY [name] <password>",
        "makes an account of your nick, or logs in",
    ),
    (Verb::Notice, "NOTICE <room or nick> <text>", "says something that nobody's program answers"),
    (Verb::Oper, "OPER <account> <password>", "makes you a server operator"),
    (Verb::Part, "PART <room>,<room> [reason]", "leaves rooms; groups for good"),
    (Verb::Pass, "PASS <password>", "the server's password, before NICK and USER"),
    (Verb::Ping, "PING <token>", "asks whether the server is there"),
    (Verb::Pong, "PONG <token>", "answers the server's PING"),
    (Verb::Privmsg, "PRIVMSG <room or nick> <text>", "says something"),
    (Verb::Quit, "QUIT [reason]", "leaves the server"),
    (
        Verb::Redact,
        "REDACT <room or nick> <msgid> [reason]",
        "takes back what you said, or what others said in your room",
    ),
    (
        Verb::Search,
        "SEARCH text=<words>;in=<room or nick>;from=<nick>;after=<time>;before=<time>;limit=<count>",
        "finds what was said; !search is for people",
    ),
    (Verb::Register, "REGISTER <account|*> * <password>", "makes an account"),
    (Verb::Setname, "SETNAME <realname>", "changes your realname"),
    (Verb::Tagmsg, "TAGMSG <room or nick>", "sends tags without a text, such as a reaction"),
    (Verb::Time, "TIME", "the server's time"),
    (Verb::Topic, "TOPIC <room> [text]", "shows or sets what a room is about"),
    (Verb::User, "USER <name> 0 * <realname>", "says who you are, once, when you connect"),
    (Verb::Userhost, "USERHOST <nick> ...", "user name and host part of up to five people"),
    (Verb::Version, "VERSION", "what this server runs and supports"),
    (Verb::Wallops, "WALLOPS <text>", "tells all with user mode w, for server operators"),
    (Verb::Who, "WHO <room, nick or mask> [o][%fields[,token]]", "who is there"),
    (Verb::Whois, "WHOIS <nick>", "all about somebody"),
    (Verb::Whowas, "WHOWAS <nick> [count]", "about somebody who was here"),
];

/// What the list of commands is called, where a subject has to be named.
const INDEX: &str = "index";

impl Turn<'_> {
    /// `HELP [<command>]`
    pub(super) fn help(&mut self, line: &Line) {
        let subject = line.param(0).unwrap_or(INDEX);
        if subject.eq_ignore_ascii_case(INDEX) {
            return self.list_commands();
        }
        let entry = Verb::named(subject).and_then(|verb| HELP.iter().find(|(other, ..)| *other == verb));
        let Some((verb, form, sentence)) = entry else {
            let sentence = "no such command; HELP lists those there are, !help those for everybody";
            return self.numeric(ERR_HELPNOTFOUND, &[clip_word(subject)], sentence);
        };
        self.numeric(RPL_HELPSTART, &[verb.text()], form);
        self.numeric(RPL_HELPTXT, &[verb.text()], sentence);
        self.numeric(RPL_ENDOFHELP, &[verb.text()], "End of HELP");
    }

    fn list_commands(&mut self) {
        self.numeric(RPL_HELPSTART, &[INDEX], "The IRC commands of this server; HELP <command> explains one:");
        let names: Vec<String> = VERBS.iter().map(|(_, name, _)| (*name).to_owned()).collect();
        for names in names.chunks(10) {
            self.numeric(RPL_HELPTXT, &[INDEX], &names.join(" "));
        }
        self.numeric(RPL_HELPTXT, &[INDEX], "What everybody can type as a line of text: !help (in Chinese: ！帮助)");
        self.numeric(RPL_ENDOFHELP, &[INDEX], "End of HELP");
    }
}

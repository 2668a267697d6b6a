//! Scripts of lines, and exactly what they show.

use super::*;
use crate::client::Trouble;

const NOON_MS: u64 = 1_795_180_761_007;

fn view(tokens: &str) -> View {
    let mut view = View::default();
    let mut features = Box::new(Features::default());
    tokens.split(' ').for_each(|token| features.learn(token));
    view.take(NOON_MS, &Event::In { nick: "anna".into(), features, home: "#lobby".into(), again: false });
    view
}

fn hear(view: &mut View, text: &str) -> Vec<(Option<String>, What)> {
    let shown = view.take(NOON_MS, &Event::Line { text: text.into(), history: false });
    shown.into_iter().map(|shown| (shown.room.map(Into::into), shown.what)).collect()
}

fn in_room(view: &mut View, room: &str, names: &str) -> Vec<(Option<String>, What)> {
    hear(view, &format!(":anna!u@h JOIN {room}"));
    hear(view, &format!(":s 353 anna = {room} :{names}"));
    hear(view, &format!(":s 366 anna {room} :End"))
}

fn at(room: &str, what: What) -> Vec<(Option<String>, What)> {
    vec![(Some(room.to_owned()), what)]
}

fn nicks(view: &View, room: &str) -> Vec<(String, String)> {
    view.room(room).unwrap().members().map(|m| (m.nick.to_string(), m.marks.to_string())).collect()
}

#[test]
fn who_comes_and_goes_is_shown_with_the_number_of_people() {
    let mut view = view("");
    let entered = in_room(&mut view, "#a", "@ben anna");
    assert_eq!(entered, at("#a", What::Entered { names: vec!["anna".into(), "ben".into()] }));
    assert_eq!(hear(&mut view, ":小阳!u@h JOIN #a"), at("#a", What::Joined { who: "小阳".into(), count: 3 }));
    assert_eq!(
        hear(&mut view, ":小阳!u@h PART #a :lunch"),
        at("#a", What::Left { who: "小阳".into(), why: "lunch".into(), count: 2 })
    );
    assert_eq!(hear(&mut view, ":eve!u@h QUIT :never was here"), []);
    assert_eq!(
        hear(&mut view, ":ben!u@h QUIT :bye"),
        at("#a", What::Left { who: "ben".into(), why: "bye".into(), count: 1 })
    );
}

#[test]
fn in_the_lobby_the_server_announces_and_the_view_only_counts() {
    let mut view = view("gzy/LOBBY=#Lobby");
    assert_eq!(in_room(&mut view, "#lobby", "anna ben"), []);
    assert_eq!(hear(&mut view, ":小阳!u@h JOIN #lobby"), []);
    assert_eq!(
        hear(&mut view, ":gzy NOTICE #lobby :欢迎 小阳 加入大厅 · Welcome 小阳"),
        at("#lobby", What::Notice("欢迎 小阳 加入大厅 · Welcome 小阳".into()))
    );
    assert_eq!(view.room("#lobby").unwrap().count(), 3);
    assert_eq!(hear(&mut view, ":小阳!u@h QUIT :bye"), []);
    assert_eq!(view.room("#lobby").unwrap().count(), 2);
    assert!(!view.is_here("小阳"));
    // Other rooms are as everywhere, also for somebody who is in both.
    in_room(&mut view, "#b", "anna ben");
    assert_eq!(
        hear(&mut view, ":ben!u@h QUIT :bye"),
        at("#b", What::Left { who: "ben".into(), why: "bye".into(), count: 1 })
    );
}

#[test]
fn names_marks_and_modes_are_followed() {
    let mut view = view("PREFIX=(ov)@+");
    hear(&mut view, ":anna!u@h JOIN #a");
    hear(&mut view, ":s 353 anna = #a :@+ben!u@h +小阳");
    hear(&mut view, ":s 353 anna = #a :anna");
    hear(&mut view, ":s 366 anna #a :End");
    let pairs =
        |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
    assert_eq!(nicks(&view, "#a"), pairs(&[("anna", ""), ("ben", "@+"), ("小阳", "+")]));
    let shown = hear(&mut view, ":ben!u@h MODE #a +kob-v+l-l key anna eve!*@* 小阳 9");
    let change = "+kob-v+l-l key anna eve!*@* 小阳 9".into();
    assert_eq!(shown, at("#a", What::Mode { by: "ben".into(), change }));
    assert_eq!(nicks(&view, "#a"), pairs(&[("anna", "@"), ("ben", "@+"), ("小阳", "")]));
}

#[test]
fn a_nick_is_followed_through_rooms_and_private_talk() {
    let mut view = view("");
    in_room(&mut view, "#a", "anna ben");
    hear(&mut view, ":eve!u@h PRIVMSG anna :hi");
    let renamed = |from: &str, to: &str, own| vec![(None, What::Renamed { from: from.into(), to: to.into(), own })];
    assert_eq!(hear(&mut view, ":ben!u@h NICK Benno"), renamed("ben", "Benno", false));
    assert_eq!(hear(&mut view, ":eve!u@h NICK mallory"), renamed("eve", "mallory", false));
    assert_eq!(hear(&mut view, ":anna!u@h NICK 小阳"), renamed("anna", "小阳", true));
    assert_eq!(hear(&mut view, ":stranger!u@h NICK other"), []);
    assert_eq!((view.nick(), &*view.partners()[0]), ("小阳", "mallory"));
    assert!(view.is_here("BENNO") && view.is_here("mallory") && !view.is_here("ben"));
}

#[test]
fn being_thrown_out_ends_the_room() {
    let mut view = view("");
    in_room(&mut view, "#a", "anna ben");
    let kicked = |who: &str, count| What::Kicked { who: who.into(), by: "ben".into(), why: "go".into(), count };
    assert_eq!(hear(&mut view, ":ben!u@h KICK #a anna :go"), at("#a", kicked("anna", 1)));
    assert!(view.room("#a").is_none());
    assert_eq!(hear(&mut view, ":ben!u@h KICK #a eve :go"), []);
}

#[test]
fn messages_know_their_room_their_time_and_their_kind() {
    let mut view = view("STATUSMSG=@ PREFIX=(ov)@+");
    in_room(&mut view, "#a", "anna ben");
    let event = Event::Line { text: "@time=2026-11-20T12:00:00.500Z :ben!u@h PRIVMSG @#a :ops".into(), history: true };
    let shown = view.take(NOON_MS, &event);
    assert_eq!((shown[0].at_ms, shown[0].room.as_deref()), (1_795_176_000_500, Some("#a")));
    assert!(matches!(&shown[0].what, What::Said(said) if said.history && !said.own && said.with.is_none()));
    let said = |text: &str| Said { who: "ben".into(), text: text.into(), ..Said::default() };
    let shown = hear(&mut view, ":ben!u@h PRIVMSG #a :\u{1}ACTION waves\u{1}");
    assert_eq!(shown, at("#a", What::Said(Said { is_action: true, ..said("waves") })));
    let shown = hear(&mut view, ":ben!u@h NOTICE anna :note");
    let note = Said { is_notice: true, with: Some("ben".into()), ..said("note") };
    assert_eq!(shown, [(None, What::Said(note))]);
    let shown = hear(&mut view, ":anna!u@h PRIVMSG ben :psst");
    let psst = Said { who: "anna".into(), own: true, with: Some("ben".into()), ..said("psst") };
    assert_eq!(shown, [(None, What::Said(psst))]);
}

#[test]
fn coming_back_tells_nothing_twice() {
    let mut view = view("");
    in_room(&mut view, "#a", "anna ben");
    hear(&mut view, ":s 332 anna #a :tea");
    hear(&mut view, "@msgid=1 :ben!u@h PRIVMSG #a :one");
    view.take(NOON_MS, &Event::Lost(Trouble::Silent));
    // Who is meant by a name is known also while the link is broken.
    assert!(view.is_here("ben"));
    assert_eq!(hear(&mut view, ":s 372 anna :- be nice"), []);
    assert_eq!(in_room(&mut view, "#a", "anna 小阳"), []);
    assert_eq!(hear(&mut view, ":s 332 anna #a :tea"), []);
    assert_eq!(hear(&mut view, "@msgid=1 :ben!u@h PRIVMSG #a :one"), []);
    assert!(view.is_here("小阳") && !view.is_here("ben"));
}

#[test]
fn answers_are_shown_and_the_noise_of_a_welcome_is_not() {
    let mut view = view("");
    for noise in [
        ":s 002 anna :Your host",
        ":s 251 anna :There are 3 users",
        ":s 333 anna #a ben 1700000000",
        ":s 375 anna :- motd",
        ":s 396 anna cloak :is your host",
        ":s 366 anna #never :End",
    ] {
        assert_eq!(hear(&mut view, noise), [], "{noise}");
    }
    assert_eq!(hear(&mut view, ":s 401 anna eve :No such nick"), [(None, What::Notice("eve No such nick".into()))]);
    assert_eq!(hear(&mut view, ":s 311 anna ben u h * :Ben"), [(None, What::Notice("ben u h * Ben".into()))]);
    assert_eq!(hear(&mut view, ":s FAIL JOIN X #a :no"), [(None, What::Notice("no".into()))]);
    assert_eq!(hear(&mut view, ":ben!u@h INVITE anna #b"), at("#b", What::Invited { by: "ben".into() }));
}

#[test]
fn no_line_makes_the_view_panic_and_no_flood_makes_it_grow() {
    let mut view = view("");
    for command in
        ["JOIN", "PART", "QUIT", "KICK", "NICK", "TOPIC", "MODE", "INVITE", "332", "353", "366", "372", "401"]
    {
        for params in ["", " #a", " #a #b", " #a #b #c #d", " :"] {
            for source in ["", ":anna!u@h ", ":ben ", ":! "] {
                hear(&mut view, &format!("{source}{command}{params}"));
            }
        }
    }
    for number in 0..2 * ROOMS {
        hear(&mut view, &format!(":anna!u@h JOIN #{number}"));
        hear(&mut view, &format!(":p{number}!u@h PRIVMSG anna :hi"));
    }
    assert!(view.rooms().count() <= ROOMS);
    assert_eq!(view.partners().len(), PARTNERS);
}

#[test]
fn an_invitation_to_a_group_is_shown_once_with_its_number() {
    let mut view = view("");
    let invited = hear(&mut view, ":ben!1001@account.gzy INVITE anna #茶");
    assert_eq!(invited, at("#茶", What::Invited { by: "ben".into() }));
    let chinese = ":gzy.local NOTICE anna :ben 邀请你加入群 #茶：！加群*1000 加入，！拒绝*1000 谢绝";
    let english =
        ":gzy.local NOTICE anna :ben invites you to the group #茶: !join 1000 accepts, !decline 1000 declines";
    assert_eq!(hear(&mut view, chinese), []);
    assert_eq!(hear(&mut view, english), at("#茶", What::InvitedTo { number: 1000 }));
    // Whoever says the like later is not the server, or was not asked.
    assert_eq!(hear(&mut view, english).len(), 1);
    assert!(matches!(hear(&mut view, english)[0].1, What::Notice(_)));
    assert_eq!(hear(&mut view, ":ben!u@h INVITE 小阳 #茶"), [], "somebody else is invited");
}

#[test]
fn a_message_that_was_taken_back_is_told_in_its_conversation() {
    let mut view = view("");
    let removed = |with: Option<&str>| What::Removed { id: "7".into(), by: "ben".into(), with: with.map(Into::into) };
    assert_eq!(hear(&mut view, ":ben!u@h REDACT #a 7 :oops"), at("#a", removed(None)));
    assert_eq!(hear(&mut view, ":ben!u@h REDACT anna 7"), [(None, removed(Some("ben")))]);
}

#[test]
fn what_is_read_again_changes_nothing() {
    let mut view = view("");
    let line = |id: u32| format!("@msgid={id};time=2026-11-20T12:00:00.000Z :ben!u@h PRIVMSG anna :{id}").into();
    let read = view.read(&[line(1), line(2), ":gzy BATCH -x".into(), "".into()]);
    assert_eq!(read.iter().map(|shown| shown.id()).collect::<Vec<_>>(), [Some("1"), Some("2")]);
    assert_eq!(read[0].conversation(), Some("ben"));
    assert!(view.partners().is_empty());
    let text = line(1);
    assert_eq!(view.take(NOON_MS, &Event::Line { text, history: false }).len(), 1, "it is new all the same");
}

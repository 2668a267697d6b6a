//! Several devices of one person, tried.

use super::super::testing::World;
use crate::chat::ConnId;

/// Somebody who is logged in, and what they and others heard of it is forgotten.
fn device(w: &mut World, account: &str, caps: &str) -> ConnId {
    let conn = w.join_with_caps(&format!("guest{}", w.chat.session_count()), caps);
    w.log_in(conn, account);
    w.drain();
    conn
}

#[test]
fn somebody_who_logs_in_is_told_to_those_who_want_to_know() {
    let mut w = World::new();
    let guest = w.join("阳光");
    let ben = w.join_with_caps("ben", "account-notify chghost account-tag message-tags");
    let old = w.join("old");
    w.drain();
    let source = w.source(guest);
    let (user, host) = source.split_once('!').unwrap().1.split_once('@').unwrap();
    w.log_in(guest, "小阳");
    assert_eq!(
        w.said_to(ben),
        [
            format!(":{source} NICK 小阳"),
            format!(":小阳!{user}@{host} CHGHOST 1000 account.gzy"),
            "@account=小阳 :小阳!1000@account.gzy ACCOUNT 小阳".into(),
        ]
    );
    assert_eq!(w.said_to(old), [format!(":{source} NICK 小阳")], "who does not ask hears of the nick only");
    w.line(guest, "PRIVMSG #lobby :hi");
    assert!(w.said_to(ben)[0].starts_with("@account=小阳;msgid="));
}

#[test]
fn a_further_device_comes_and_goes_silently_and_has_all_rooms() {
    let mut w = World::new();
    let ben = w.join("ben");
    let phone = device(&mut w, "小阳", "");
    w.line(phone, "JOIN #茶");
    w.line(ben, "JOIN #茶");
    let laptop = w.join("x");
    w.drain();
    w.log_in(laptop, "小阳");
    let heard = w.said_to(ben);
    assert!(heard[0].contains(" QUIT :logged in as 小阳"), "the guest goes: {heard:?}");
    assert!(heard.iter().all(|line| !line.contains("JOIN")), "{heard:?}");
    let told = w.said_to(laptop);
    assert!(told.iter().any(|line| line.ends_with(" NICK 小阳")) && told.iter().any(|line| line.contains("JOIN #茶")));
    assert_eq!(w.ask(ben, "NAMES #茶")[0], ":gzy.local 353 ben = #茶 :~小阳 ben");
    assert!(w.ask(ben, "PRIVMSG #lobby :!howmany")[0].ends_with("2 people here"));
    w.line(laptop, "JOIN #酒");
    assert!(w.said_to(phone).iter().any(|line| line.contains("JOIN #酒")), "what one device enters all enter");
    w.drain();
    w.lose(phone);
    assert_eq!(w.said_to(ben), [""; 0], "the person is still here");
    assert!(w.ask(ben, "NAMES #茶")[0].ends_with(":ben ~小阳"), "and shown by the other device");
    w.lose(laptop);
    assert!(!w.said_to(ben).is_empty());
}

#[test]
fn private_words_reach_all_devices_of_both() {
    let mut w = World::new();
    let (phone, laptop) = (device(&mut w, "小阳", "echo-message"), device(&mut w, "小阳", "echo-message"));
    let ben = device(&mut w, "ben", "");
    w.line(ben, "PRIVMSG 小阳 :一");
    w.line(ben, "PRIVMSG 1000 :二");
    for conn in [phone, laptop] {
        let heard = w.said_to(conn);
        assert!(heard[0].ends_with("PRIVMSG 小阳 :一") && heard[1].ends_with("PRIVMSG 小阳 :二"), "{heard:?}");
    }
    w.line(phone, "PRIVMSG 1001 :三");
    assert_eq!(w.said_to(laptop), [":小阳!1000@account.gzy PRIVMSG ben :三"], "what one device says the other sees");
    assert_eq!(w.said_to(ben), [":小阳!1000@account.gzy PRIVMSG ben :三"]);
}

#[test]
fn a_guest_can_leave_no_message_for_somebody_who_is_away() {
    let mut w = World::new();
    w.add_account("小阳", "开门开门开门", false);
    let eve = w.join("eve");
    w.drain();
    let told = w.ask(eve, "PRIVMSG 小阳 :hi");
    assert!(told[0].contains(" 401 eve 小阳 :they are not here"), "{told:?}");
    assert!(w.unsaved.is_empty());
    let ben = device(&mut w, "ben", "");
    assert!(w.ask(ben, "PRIVMSG 小阳 :hi")[0].contains(" 301 ben 小阳 :"), "who has an account leaves it there");
    assert_eq!(w.unsaved.len(), 1);
    w.line(eve, "NOTICE 小阳 :hi");
    assert_eq!(w.said_to(eve), [""; 0], "a notice is never answered");
}

#[test]
fn who_is_logged_in_keeps_the_name_and_may_show_another_beside_it() {
    let mut w = World::new();
    let phone = device(&mut w, "小阳", "");
    let laptop = device(&mut w, "小阳", "");
    let told = w.ask(phone, "NICK 阳光");
    assert!(told[0].contains(" 447 小阳 阳光 :you are logged in as 小阳"), "{told:?}");
    assert_eq!(w.ask(phone, "NICK 小阳"), [""; 0]);
    w.line(phone, "SETNAME :阳光 灿烂");
    w.save();
    assert_eq!(&*w.session(laptop).realname, "阳光 灿烂");
    w.line(phone, "AWAY :吃饭");
    assert_eq!(w.session(laptop).away.as_deref(), Some("吃饭"), "a person is away on all devices or on none");
    w.lose(phone);
    w.lose(laptop);
    let again = device(&mut w, "小阳", "");
    assert_eq!(&*w.session(again).realname, "阳光 灿烂");
}

#[test]
fn a_guest_who_wears_the_name_of_a_new_account_makes_room_for_its_owner() {
    let mut w = World::new();
    let eve = w.join("小阳");
    w.add_account("小阳", "开门开门开门", false);
    let owner = w.join("x");
    w.drain();
    w.log_in(owner, "小阳");
    assert_eq!(w.session(eve).nick.as_str(), "小阳2");
    assert!(w.said_to(eve).iter().any(|line| line.contains("your nick belongs to an account")));
    assert_eq!(w.session(owner).nick.as_str(), "小阳");
}

#[test]
fn nobody_is_two_people() {
    let mut w = World::new();
    let anna = device(&mut w, "anna", "");
    w.add_account("ben", "secret", false);
    w.handle(crate::chat::Input::Secured { conn: anna });
    let told = w.ask(anna, "PRIVMSG #lobby :!login ben secret");
    assert!(told[0].contains("logged in as anna already"), "{told:?}");
}

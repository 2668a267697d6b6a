//! Coming back to private messages.

use super::super::testing::World;

/// Somebody logs in with these capabilities, and hears what follows the login.
fn come_back(w: &mut World, account: &str, caps: &str) -> (super::ConnId, Vec<String>) {
    let nick = format!("guest{}", w.chat.session_count());
    let conn = w.join_with_caps(&nick, caps);
    w.log_in(conn, account);
    let lines = w.said_to(conn);
    let private =
        |line: &&String| line.contains(" PRIVMSG ") || line.contains(" BATCH ") || line.contains(" NOTICE anna ");
    (conn, lines.iter().filter(private).cloned().collect())
}

/// Anna has an account and is away; ben is here.
fn away() -> (World, super::ConnId) {
    let mut w = World::new();
    w.add_account("anna", "secret", false);
    let ben = w.join("ben");
    w.log_in(ben, "ben");
    w.drain();
    (w, ben)
}

#[test]
fn what_was_said_to_somebody_who_was_away_is_shown_once_oldest_first() {
    let (mut w, ben) = away();
    w.line(ben, "PRIVMSG anna :在吗");
    w.now.wall_ms += 1000;
    w.line(ben, "PRIVMSG anna :回来说");
    w.save();
    let b = w.source(ben);
    let (anna, shown) = come_back(&mut w, "anna", "server-time");
    assert_eq!(
        shown,
        [
            format!("@time=2026-11-20T13:19:21.000Z :{b} PRIVMSG anna :在吗"),
            format!("@time=2026-11-20T13:19:22.000Z :{b} PRIVMSG anna :回来说"),
        ]
    );
    w.save();
    w.lose(anna);
    assert_eq!(come_back(&mut w, "anna", "").1, [""; 0], "and not again");
}

#[test]
fn each_conversation_is_a_batch_where_batches_are_taken() {
    let (mut w, ben) = away();
    let eve = w.join("eve");
    w.log_in(eve, "eve");
    w.line(ben, "PRIVMSG anna :1");
    w.line(eve, "PRIVMSG anna :2");
    w.line(ben, "PRIVMSG anna :3");
    let (b, e) = (w.source(ben), w.source(eve));
    let (anna, shown) = come_back(&mut w, "anna", "batch");
    let n = anna.serial;
    assert_eq!(
        shown,
        [
            format!(":gzy.local BATCH +q{n}n1 chathistory ben"),
            format!("@batch=q{n}n1 :{b} PRIVMSG anna :1"),
            format!("@batch=q{n}n1 :{b} PRIVMSG anna :3"),
            format!(":gzy.local BATCH -q{n}n1"),
            format!(":gzy.local BATCH +q{n}n2 chathistory eve"),
            format!("@batch=q{n}n2 :{e} PRIVMSG anna :2"),
            format!(":gzy.local BATCH -q{n}n2"),
        ]
    );
}

#[test]
fn who_can_ask_for_history_is_shown_nothing_and_leaves_it_for_those_who_cannot() {
    let (mut w, ben) = away();
    w.line(ben, "PRIVMSG anna :在吗");
    let (phone, shown) = come_back(&mut w, "anna", "batch draft/chathistory");
    assert_eq!(shown, [""; 0]);
    w.line(ben, "PRIVMSG anna :还在吗");
    assert_eq!(w.said_to(phone).len(), 1);
    let (_, shown) = come_back(&mut w, "anna", "");
    let b = w.source(ben);
    assert_eq!(shown, [format!(":{b} PRIVMSG anna :在吗"), format!(":{b} PRIVMSG anna :还在吗")]);
    assert_eq!(come_back(&mut w, "anna", "").1, [""; 0], "the next device of that kind has been spared");
}

#[test]
fn what_was_read_on_another_device_is_no_news() {
    let (mut w, ben) = away();
    let (phone, _) = come_back(&mut w, "anna", "batch draft/chathistory draft/read-marker");
    w.line(ben, "PRIVMSG anna :1");
    w.now.wall_ms += 1000;
    w.line(phone, "MARKREAD ben timestamp=2026-11-20T13:19:21.000Z");
    w.line(ben, "PRIVMSG anna :2");
    assert_eq!(come_back(&mut w, "anna", "").1, [format!(":{} PRIVMSG anna :2", w.source(ben))]);
}

#[test]
fn what_one_said_oneself_elsewhere_is_shown_to_those_who_take_their_own_words_back() {
    let (mut w, ben) = away();
    let (phone, _) = come_back(&mut w, "anna", "batch draft/chathistory");
    w.line(phone, "PRIVMSG ben :我先走了");
    w.line(ben, "PRIVMSG anna :好");
    let (a, b) = (w.source(phone), w.source(ben));
    w.lose(phone);
    let both = [format!(":{a} PRIVMSG ben :我先走了"), format!(":{b} PRIVMSG anna :好")];
    w.asks_by_hand = true;
    let (_, _) = come_back(&mut w, "anna", "echo-message");
    let (_, _) = come_back(&mut w, "anna", "");
    w.asks_by_hand = false;
    w.drain();
    let conns: Vec<_> = w.chat.accounts.devices(super::AccountId(1000)).to_vec();
    while !w.questions.is_empty() {
        w.answer_from_memory();
    }
    assert_eq!(w.said_to(conns[0]), both);
    assert_eq!(w.said_to(conns[1]), both[1..]);
}

#[test]
fn what_is_said_while_the_store_looks_is_heard_live_and_once() {
    let (mut w, ben) = away();
    w.line(ben, "PRIVMSG anna :1");
    w.asks_by_hand = true;
    let (anna, _) = come_back(&mut w, "anna", "");
    w.line(ben, "PRIVMSG anna :2");
    let b = w.source(ben);
    assert_eq!(w.said_to(anna), [format!(":{b} PRIVMSG anna :2")]);
    w.answer_from_memory();
    w.answer_from_memory();
    assert_eq!(w.said_to(anna), [format!(":{b} PRIVMSG anna :1")]);
    w.save();
    w.lose(anna);
    w.asks_by_hand = false;
    assert_eq!(come_back(&mut w, "anna", "").1, [""; 0]);
}

#[test]
fn a_link_that_broke_before_the_answer_has_delivered_nothing() {
    let (mut w, ben) = away();
    w.line(ben, "PRIVMSG anna :1");
    w.asks_by_hand = true;
    let (anna, _) = come_back(&mut w, "anna", "");
    w.answer_from_memory();
    w.lose(anna);
    w.answer_from_memory();
    w.asks_by_hand = false;
    assert_eq!(come_back(&mut w, "anna", "").1, [format!(":{} PRIVMSG anna :1", w.source(ben))]);
}

#[test]
fn a_store_that_fails_is_told_and_the_next_login_shows_what_was_missed() {
    let (mut w, ben) = away();
    w.line(ben, "PRIVMSG anna :1");
    let b = w.source(ben);
    for failing in [0, 1] {
        w.asks_by_hand = true;
        let (anna, _) = come_back(&mut w, "anna", "");
        (0..failing).for_each(|_| w.answer_from_memory());
        w.answer(super::Found::Failed("disk on fire".into()));
        let told = w.said_to(anna);
        assert!(told.len() == 1 && told[0].contains(" NOTICE anna :") && told[0].contains("!history NAME"), "{told:?}");
        w.line(ben, "PRIVMSG anna :live");
        assert_eq!(w.said_to(anna).len(), 1);
        assert!(w.log.last().unwrap().ends_with("disk on fire"));
        w.lose(anna);
        w.asks_by_hand = false;
    }
    let shown = come_back(&mut w, "anna", "").1;
    let texts = ["1", "live", "live"].map(|text| format!(":{b} PRIVMSG anna :{text}"));
    assert_eq!(shown, texts, "twice is better than never");
}

#[test]
fn a_flood_of_messages_is_cut_and_the_notice_says_where_the_rest_is() {
    let (mut w, ben) = away();
    for n in 0..=super::MISSED_MESSAGES {
        w.line(ben, &format!("PRIVMSG anna :{n}"));
    }
    let (_, shown) = come_back(&mut w, "anna", "");
    assert_eq!(shown.len(), super::MISSED_MESSAGES + 1);
    assert!(
        shown[0].contains("the newest 100 of what you were told") && shown[0].contains("!history NAME"),
        "{}",
        shown[0]
    );
    assert!(shown[1].ends_with(":1") && shown.last().unwrap().ends_with(":100"));
}

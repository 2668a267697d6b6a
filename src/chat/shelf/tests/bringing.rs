//! Bringing files: offers, tickets, what is there already, who is told.

use crate::chat::shelf::order::{Fault, ShelfFact, ShelfOrder};
use crate::chat::shelf::web::WebReply;
use crate::chat::testing::World;
use crate::chat::testing::cloud::{FILES, digest};
use crate::wire::media::Media;

/// The ticket in `FILE TICKET PUT <token> …`.
pub fn token(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.iter().position(|word| *word == "TICKET").unwrap_or_else(|| panic!("no ticket: {line}"));
    words[at + 2].to_owned()
}

#[test]
fn a_file_is_offered_brought_kept_and_then_told() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", &format!("{FILES} labeled-response message-tags"));
    let ben = w.join_with_caps("ben", FILES);
    let old = w.join("old");
    w.drain();
    let a = digest('a');
    assert_eq!(w.ask(anna, &format!("@label=f1 FILE PUT * 5 {a} :周/a b.png")), [""; 0], "the disk looks first");
    let intake = w.prepares().remove(0);
    assert_eq!((intake.to.name.as_str(), intake.size, intake.at_most), ("周/a b.png", Some(5), 5));
    assert!(intake.part.starts_with(&format!("{a}.g")) && intake.resumable);
    w.disk(ShelfFact::Prepared { upload: intake.upload, offset: 2 });
    let told = w.said_to(anna);
    let ticket = token(&told[0]);
    assert_eq!(told, [format!("@label=f1 :gzy.local FILE TICKET PUT {ticket} 2 5 {a} :周/a b.png")]);

    let (web, replies) = w.redeem(&ticket);
    assert_eq!(replies, [WebReply::Receive(Box::new(intake.clone()))]);
    w.bytes_are(&intake, a, 5, Media::Picture("image/png", Some((640, 480))));
    assert_eq!(
        (w.web_said(web), w.said_to(anna), w.said_to(ben)),
        (vec![], vec![], vec![]),
        "the store does not have it"
    );
    w.save();
    let stored = WebReply::Stored { file: intake.to.clone(), digest: a, is_new: true };
    assert_eq!(w.web_said(web), [stored]);
    let source = w.source(anna);
    let line = format!(":{source} FILE STORED * 5 {a} :周/a b.png");
    assert_eq!(w.said_to(ben), [line.clone()]);
    let own = w.said_to(anna);
    assert!(
        own[0].ends_with(&line) && own[0].starts_with("@msgid=") && own[0].contains(";gzy/media=image/png,640x480 "),
        "{own:?}"
    );
    let words = "[文件 file] 周/a b.png · 图片 picture 640×480 · 5 B · SHA-256 00000061 · !get 周/a b.png";
    assert_eq!(w.said_to(old), [format!(":{source} NOTICE #lobby :{words}")]);
    w.save();
    assert_eq!(&*w.stored.last().unwrap().text, words, "it is kept for those who come later");
    assert_eq!(w.redeem(&ticket).1.len(), 1);
    assert!(w.chat.shelf.is_at_rest());
}

#[test]
fn what_is_there_already_takes_no_bytes() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", FILES);
    let ben = w.join_with_caps("ben", FILES);
    w.brings(anna, "*", "a", 'a');
    w.drain();
    let a = digest('a');
    assert_eq!(w.ask(anna, &format!("FILE PUT * 5 {a} :a")), [format!(":gzy.local FILE STORED * 5 {a} :a")]);
    assert_eq!(w.said_to(ben), [""; 0], "that is no news");
    assert_eq!(w.ask(ben, &format!("FILE PUT * 5 {a} :b")), [""; 0]);
    let orders = w.orders();
    let [ShelfOrder::Prepare { intake, same }] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!((same.len(), same[0].0.name.as_str()), (1, "a"));
    w.bytes_are_there(intake, 5);
    w.save();
    assert_eq!(w.said_to(ben), [format!(":gzy.local FILE STORED * 5 {a} :b")]);
    assert_eq!(w.said_to(anna), [format!(":{} FILE STORED * 5 {a} :b", w.source(ben))]);
}

#[test]
fn a_refusal_names_the_thing_the_reason_and_the_next_step() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", FILES);
    let old = w.join("old");
    w.brings(anna, "*", "作业/a", 'a');
    w.drain();
    let b = digest('b');
    for (line, code) in [
        (format!("FILE PUT * 5 {b} :作业/a"), "NAME_TAKEN PUT * %E4%BD%9C%E4%B8%9A/a"),
        (format!("FILE PUT * 5 {b} :作业"), "NAME_TAKEN PUT * %E4%BD%9C%E4%B8%9A"),
        (format!("FILE PUT * 5 {b} :作业/a/x"), "NAME_TAKEN PUT *"),
        (format!("FILE PUT * 5 {b} :../x"), "BAD_NAME PUT * ../x"),
        (format!("FILE PUT * 5 {b} :CON"), "BAD_NAME PUT * CON"),
        (format!("FILE PUT * 99999999999999 {b} :x"), "TOO_LARGE PUT * x"),
        (format!("FILE PUT ben 5 {b} :x"), "NO_ACCESS PUT ben x"),
        (format!("FILE PUT #nowhere 5 {b} :x"), "NO_ACCESS PUT #nowhere x"),
        ("FILE GET * :x".into(), "NO_SUCH_FILE GET * x"),
        ("FILE DEL * :x".into(), "NO_SUCH_FILE DEL * x"),
        (format!("FILE PUT * -5 {b} :x"), "INVALID_PARAMS PUT *"),
        ("FILE PUT * 5 xyz :x".into(), "INVALID_PARAMS PUT *"),
        ("FILE DANCE".into(), "INVALID_PARAMS DANCE"),
    ] {
        let told = w.ask(anna, &line);
        assert!(told.len() == 1 && told[0].starts_with(&format!(":gzy.local FAIL FILE {code}")), "{line}: {told:?}");
    }
    assert!(w.ask(old, "FILE LIST *")[0].contains("ask for gzy/files"));
    assert_eq!(w.orders(), []);
}

#[test]
fn the_longest_name_fits_every_line() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", &format!("{FILES} message-tags"));
    let old = w.join("old");
    let part = "阳".repeat(84);
    let long = [&*part; 4].join("/");
    w.brings(anna, "*", &long, 'a');
    assert!(w.said_to(old).len() > 1, "people read it in pieces");
    let too_long = format!("{long}/{part}");
    for line in [
        format!("FILE PUT * 5 {} :{long}", digest('b')),
        format!("FILE PUT * 5 {} :{too_long}", digest('b')),
        format!("FILE GET * :{too_long}"),
        format!("FILE GET * :{long}"),
        format!("FILE LIST * :{long}"),
        format!("PRIVMSG #lobby :!get {long}"),
        format!("PRIVMSG #lobby :!ls {long}"),
        format!("FILE DEL * :{long}"),
    ] {
        // What is too long for a client is found where the world hands it over.
        w.line(anna, &line);
        w.save();
        assert!(!w.said_to(anna).is_empty(), "{line}");
    }
}

#[test]
fn a_broken_transfer_goes_on_with_the_same_ticket_and_after_a_lost_link_with_another() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    let a = digest('a');
    let put = format!("FILE PUT * 5 {a} :a");
    w.line(anna, &put);
    let intake = w.prepares().remove(0);
    assert_eq!(*intake.part, *format!("{a}.1000"));
    w.disk(ShelfFact::Prepared { upload: intake.upload, offset: 0 });
    let ticket = token(&w.said_to(anna)[0]);
    for offset in [1, 2] {
        let (web, replies) = w.redeem(&ticket);
        assert!(matches!(replies[..], [WebReply::Receive(_)]));
        w.disk(ShelfFact::Paused { upload: intake.upload, offset });
        w.handle(crate::chat::Input::WebGone { web });
    }
    w.lose(anna);
    assert!(
        matches!(w.redeem(&ticket).1[..], [WebReply::Refused { status: 404, .. }]),
        "the ticket ended with the session"
    );
    assert_eq!(w.orders(), [], "the bytes stay");
    assert!(w.chat.shelf.is_at_rest());
    let anna = w.member_with_caps("anna", FILES);
    w.line(anna, &put);
    let again = w.prepares().remove(0);
    assert_eq!(again.part, intake.part, "they are found again");
    w.disk(ShelfFact::Prepared { upload: again.upload, offset: 2 });
    assert!(w.said_to(anna)[0].contains(" 2 5 "));
}

#[test]
fn whoever_offers_again_while_bytes_move_takes_the_upload_over() {
    let mut w = World::new();
    let laptop = w.member_with_caps("anna", FILES);
    let phone = w.member_with_caps("anna", FILES);
    let put = format!("FILE PUT * 5 {} :a", digest('a'));
    w.line(laptop, &put);
    w.disk_works();
    let first = token(&w.said_to(laptop)[0]);
    let (web, _) = w.redeem(&first);
    w.line(phone, &put);
    let intake = w.prepares().remove(0);
    assert!(matches!(w.redeem(&first).1[..], [WebReply::Refused { status: 404, .. }]));
    w.disk(ShelfFact::Prepared { upload: intake.upload, offset: 3 });
    let second = token(&w.said_to(phone)[0]);
    let (new_web, replies) = w.redeem(&second);
    assert!(matches!(replies[..], [WebReply::Receive(_)]));
    w.disk(ShelfFact::Failed { upload: intake.upload, fault: Fault::Superseded });
    w.handle(crate::chat::Input::WebGone { web });
    w.bytes_are_there(&intake, 5);
    w.save();
    assert!(matches!(w.web_said(new_web)[..], [WebReply::Stored { is_new: true, .. }]));
    assert!(w.chat.shelf.is_at_rest());
}

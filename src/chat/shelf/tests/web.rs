//! Those who come by HTTP: who may, what they are answered, and how passwords are looked at.

use crate::chat::Settings;
use crate::chat::shelf::order::{Fault, ShelfFact, ShelfOrder};
use crate::chat::shelf::web::{WebReply, WebWish};
use crate::chat::testing::cloud::{FILES, digest};
use crate::chat::testing::{World, settings};
use crate::chat::{Input, Secret};
use crate::wire::digest::Digest;
use crate::wire::limits::{PASSWORD_ANSWER_MS, WEB_LOGIN_MS};
use crate::wire::media::Media;

fn put(name: &str, size: Option<u64>, digest: Option<Digest>) -> WebWish {
    WebWish::Put { name: name.into(), size, digest, replaces: None, may_rename: false }
}

fn list() -> WebWish {
    WebWish::List { folder: "".into() }
}

fn remove(name: &str) -> WebWish {
    WebWish::Remove { name: name.into() }
}

fn status(replies: &[WebReply]) -> u16 {
    match replies {
        [WebReply::Refused { status, .. }] => *status,
        [
            WebReply::Listing(_)
            | WebReply::Send(_)
            | WebReply::Stored { .. }
            | WebReply::Receive(_)
            | WebReply::Folder
            | WebReply::Removed,
        ] => 200,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_guest_brings_lists_and_fetches_by_http() {
    let mut w = World::new();
    let ben = w.join_with_caps("ben", FILES);
    let (web, replies) = w.web(put("周/a b.txt", Some(3), None));
    assert_eq!(replies, [], "the disk looks whether there is room");
    let intake = w.prepares().remove(0);
    assert!(intake.part.starts_with("put.") && !intake.resumable && intake.digest.is_none());
    w.disk(ShelfFact::Prepared { upload: intake.upload, offset: 0 });
    assert_eq!(w.web_said(web), [WebReply::Receive(Box::new(intake.clone()))]);
    w.bytes_are_there(&intake, 3);
    assert_eq!(w.web_said(web), []);
    w.save();
    let stored = WebReply::Stored { file: intake.to.clone(), digest: digest('?'), is_new: true };
    assert_eq!(w.web_said(web), [stored]);
    let told = w.said_to(ben).remove(0);
    let behind = format!(".gzy FILE STORED * 3 {} :周/a b.txt", digest('?'));
    assert!(told.starts_with(":web-guest!http@") && told.ends_with(&behind), "{told}");

    let (_, replies) = w.web(WebWish::List { folder: "周".into() });
    let [WebReply::Listing(listed)] = &replies[..] else { panic!("{replies:?}") };
    assert_eq!((&*listed[0].name, listed[0].size, listed[0].uploader.as_deref()), ("周/a b.txt", 3, Some("web-guest")));
    let (_, replies) = w.web(WebWish::Get { name: "周/a b.txt".into() });
    assert!(matches!(&replies[..], [WebReply::Send(file)] if file.digest == digest('?') && file.stamp.size == 3));
    assert_eq!(w.web(WebWish::Get { name: "周".into() }).1, [WebReply::Folder]);
    for missing in [
        WebWish::Get { name: "周/a".into() },
        WebWish::Get { name: "../x".into() },
        WebWish::List { folder: "x".into() },
    ] {
        assert_eq!(status(&w.web(missing).1), 404);
    }
    assert_eq!(status(&w.web(list()).1), 200);
    assert_eq!(status(&w.web(remove("周/a b.txt")).1), 403, "a guest cannot be told from another");
}

#[test]
fn what_came_without_a_digest_shares_the_space_of_the_same_content() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    w.brings(anna, "*", "first.zip", '?');
    w.orders();
    w.web(put("second.zip", Some(3), None));
    let intake = w.prepares().remove(0);
    w.disk(ShelfFact::Prepared { upload: intake.upload, offset: 0 });
    w.bytes_are_there(&intake, 3);
    let orders = w.orders();
    let [ShelfOrder::Share { file, digest: same_digest, same, .. }] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!((file.name.as_str(), same.0.name.as_str()), ("second.zip", "first.zip"));
    assert_eq!(*same_digest, digest('?'));
}

#[test]
fn the_same_name_again_is_refused_renamed_or_there_already() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    w.brings(anna, "*", "a.zip", 'a');
    assert_eq!(status(&w.web(put("a.zip", Some(6), None)).1), 409, "another size is another content");
    assert_eq!(status(&w.web(put("a.zip", None, None)).1), 409);
    assert_eq!(status(&w.web(put("a.zip", Some(5), Some(digest('b')))).1), 409);
    let (_, replies) = w.web(put("a.zip", Some(5), Some(digest('a'))));
    assert!(matches!(replies[..], [WebReply::Stored { is_new: false, .. }]));
    let renamed = || WebWish::Put { name: "a.zip".into(), size: None, digest: None, replaces: None, may_rename: true };
    w.web(renamed());
    w.web(renamed());
    let names: Vec<String> = w.prepares().iter().map(|intake| intake.to.name.as_str().to_owned()).collect();
    assert_eq!(names, ["a (2).zip", "a (3).zip"], "two at once get two names");
    let other = || WebWish::Put {
        name: "a.zip".into(),
        size: Some(1),
        digest: None,
        replaces: Some(digest('a')),
        may_rename: false,
    };
    assert_eq!(status(&w.web(other()).1), 403, "a guest replaces nothing of anna's");
    let (_, replies) = w.web_as(Some(("anna", "secret")), other());
    assert_eq!(replies, []);
    assert_eq!(w.prepares()[0].replaces, Some(digest('a')));
}

#[test]
fn what_has_no_digest_yet_may_turn_out_to_be_what_is_there() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    w.brings(anna, "*", "a.zip", 'a');
    w.said_to(anna);
    let (web, replies) = w.web(put("a.zip", Some(5), None));
    assert_eq!(replies, []);
    let intake = w.prepares().remove(0);
    w.disk(ShelfFact::Prepared { upload: intake.upload, offset: 0 });
    assert_eq!(w.web_said(web), [WebReply::Receive(Box::new(intake.clone()))]);
    w.bytes_are(&intake, digest('a'), 5, Media::Unknown);
    assert!(matches!(w.web_said(web)[..], [WebReply::Stored { is_new: false, .. }]));
    assert_eq!(w.said_to(anna), [""; 0], "nobody is told twice of one file");
    let (_, replies) = w.web(list());
    assert!(matches!(&replies[..], [WebReply::Listing(files)] if files[0].uploader.as_deref() == Some("anna")));
    assert!(w.chat.shelf.is_at_rest());
}

#[test]
fn two_who_bring_the_same_at_once_without_a_digest_are_both_welcome() {
    let mut w = World::new();
    let webs: Vec<_> = (0..2).map(|_| w.web(put("a.zip", Some(5), None)).0).collect();
    let intakes = w.prepares();
    for intake in &intakes {
        w.disk(ShelfFact::Prepared { upload: intake.upload, offset: 0 });
    }
    for (web, intake) in webs.into_iter().zip(&intakes) {
        w.web_said(web);
        w.bytes_are(intake, digest('a'), 5, Media::Unknown);
        w.save();
        assert!(matches!(w.web_said(web)[..], [WebReply::Stored { .. }]));
    }
    assert!(w.chat.shelf.is_at_rest());
}

#[test]
fn a_strange_name_is_cleaned_and_one_that_points_elsewhere_refused() {
    let mut w = World::new();
    for (name, cleaned) in [("a:b.txt", "a_b.txt"), (".bashrc", "bashrc"), ("x\n", "x_")] {
        assert_eq!(w.web(put(name, Some(1), None)).1, []);
        assert_eq!(w.prepares()[0].to.name.as_str(), cleaned);
    }
    for name in ["../etc/passwd", "/etc/passwd", ""] {
        assert_eq!(status(&w.web(put(name, Some(1), None)).1), 400, "{name}");
    }
}

#[test]
fn every_fault_of_the_disk_has_its_status() {
    for (fault, expected) in [
        (Fault::DigestMismatch, 422),
        (Fault::TooLarge, 413),
        (Fault::DiskFull, 507),
        (Fault::NameTaken, 409),
        (Fault::Io("no such luck".into()), 503),
        (Fault::WrongOffset(7), 409),
    ] {
        let mut w = World::new();
        let (web, _) = w.web(put("a", Some(1), None));
        let intake = w.prepares().remove(0);
        w.disk(ShelfFact::Prepared { upload: intake.upload, offset: 0 });
        w.web_said(web);
        w.disk(ShelfFact::Failed { upload: intake.upload, fault: fault.clone() });
        let replies = w.web_said(web);
        assert_eq!(status(&replies), expected, "{fault:?}");
        let is_told = matches!(&replies[..], [WebReply::Refused { offset: Some(7), .. }]);
        assert_eq!(is_told, fault == Fault::WrongOffset(7));
        assert!(fault == Fault::WrongOffset(7) || w.chat.shelf.is_at_rest());
        let is_logged = w.log.iter().any(|text| text.contains("no such luck"));
        assert_eq!(is_logged, expected == 503, "what the system says is for the host");
    }
}

#[test]
fn who_goes_before_the_disk_is_ready_leaves_nothing() {
    let mut w = World::new();
    let (web, _) = w.web(put("a", Some(1), None));
    let intake = w.prepares().remove(0);
    w.handle(Input::WebGone { web });
    w.disk(ShelfFact::Prepared { upload: intake.upload, offset: 0 });
    assert_eq!(w.orders(), [ShelfOrder::Discard { part: intake.part }]);
    assert!(w.chat.shelf.is_at_rest());
    let (web, _) = w.web(put("a", Some(1), None));
    let intake = w.prepares().remove(0);
    w.disk(ShelfFact::Prepared { upload: intake.upload, offset: 0 });
    w.handle(Input::WebGone { web });
    w.disk(ShelfFact::Paused { upload: intake.upload, offset: 0 });
    assert!(w.chat.shelf.is_at_rest());
}

#[test]
fn a_password_is_checked_once_for_many_requests_and_remembered_for_a_while() {
    let mut w = World::new();
    w.add_account("anna", "right", false);
    (w.asks_by_hand, w.passwords_by_hand) = (true, true);
    let login = Some(("Anna", "right"));
    let webs: Vec<_> = (0..3).map(|_| w.web_as(login, list())).collect();
    assert!(webs.iter().all(|(_, replies)| replies.is_empty()));
    assert_eq!(w.questions.len(), 1, "one look for all three");
    w.answer_from_memory();
    assert_eq!(w.password_checks.len(), 1);
    w.password_checked(true);
    for (web, _) in webs {
        assert_eq!(status(&w.web_said(web)), 200);
    }
    assert_eq!(status(&w.web_as(login, list()).1), 200, "it is remembered");
    assert_eq!(w.web_as(Some(("Anna", "wrong")), list()).1, [], "another password is another");
    w.answer_from_memory();
    w.password_checked(false);
    w.pass_ms(WEB_LOGIN_MS);
    assert_eq!(w.web_as(login, list()).1, [], "not for ever");
    assert_eq!(w.questions.len(), 1);
    w.pass_ms(PASSWORD_ANSWER_MS);
    assert!(w.chat.shelf.is_at_rest(), "who is not answered is told");
    assert!(w.chat.askers.is_empty());
}

#[test]
fn a_password_that_was_changed_is_wrong_at_once() {
    let mut w = World::new();
    let anna = w.member("anna");
    w.handle(Input::Secured { conn: anna });
    assert_eq!(status(&w.web_as(Some(("anna", "secret")), list()).1), 200);
    w.line(anna, "PRIVMSG #lobby :!password something-else");
    assert_eq!(status(&w.web_as(Some(("anna", "secret")), list()).1), 401);
    assert_eq!(status(&w.web_as(Some(("anna", "something-else")), list()).1), 200);
}

#[test]
fn wrong_passwords_by_http_are_paused_like_all_others() {
    let mut w = World::new();
    w.add_account("anna", "right", false);
    for _ in 0..6 {
        assert_eq!(status(&w.web_as(Some(("anna", "wrong")), list()).1), 401);
    }
    assert_eq!(status(&w.web_as(Some(("anna", "right")), list()).1), 429, "who guesses waits");
    w.pass_ms(3_600_000);
    assert_eq!(status(&w.web_as(Some(("anna", "right")), list()).1), 200);
    assert_eq!(status(&w.web_as(Some(("nobody", "x")), list()).1), 401);
    assert!(!w.log.iter().any(|text| text.contains("wrong\"") || text.contains("right")), "{:?}", w.log);
}

#[test]
fn guests_come_in_where_guests_may_and_no_password_is_asked_for() {
    for closed in
        [Settings { guests: false, ..settings() }, Settings { password: Some(Secret("芝麻".into())), ..settings() }]
    {
        let mut w = World::with(closed);
        w.add_account("anna", "right", false);
        for wish in [list(), WebWish::Get { name: "a".into() }, put("a", Some(1), None), remove("a")] {
            assert_eq!(status(&w.web(wish).1), 401);
        }
        assert_eq!(status(&w.web_as(Some(("1000", "right")), list()).1), 200);
    }
}

#[test]
fn what_somebody_brought_by_http_they_remove_by_http() {
    let mut w = World::new();
    w.add_account("anna", "right", false);
    w.add_account("eve", "right", false);
    w.add_account("admin", "right", true);
    let ben = w.join_with_caps("ben", FILES);
    for remover in ["anna", "admin"] {
        let (web, _) = w.web_as(Some(("anna", "right")), put("a", Some(5), Some(digest('a'))));
        w.disk_works();
        let intake = match &w.web_said(web)[..] {
            [WebReply::Receive(intake)] => intake.clone(),
            other => panic!("{other:?}"),
        };
        w.bytes_are_there(&intake, 5);
        w.save();
        assert!(w.said_to(ben)[0].starts_with(":anna!1000@account.gzy FILE STORED * 5 "));
        assert_eq!(status(&w.web_as(Some(("eve", "right")), remove("a")).1), 403);
        let (web, replies) = w.web_as(Some((remover, "right")), remove("a"));
        assert_eq!(replies, [], "the store has to know");
        assert!(matches!(w.orders()[..], [ShelfOrder::Remove { .. }]));
        w.save();
        assert_eq!(w.web_said(web), [WebReply::Removed]);
        assert!(w.said_to(ben)[0].ends_with(" FILE GONE * :a"));
    }
}

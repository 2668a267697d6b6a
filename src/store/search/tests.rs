//! Searches: what is found, by whom, where, and when they give up.

use super::*;
use crate::store::fixture::{Desk, at, place, said, search_for, texts_of};
use crate::store::index::SLICE;
use crate::store::record::{Query, Target};

const SLICE_LONG: u64 = SLICE as u64;

fn found(desk: &mut Desk, search: Search) -> Vec<String> {
    texts_of(desk.ask(Query::Search(search)))
}

/// Enough talk that everything before it is in the index afterwards.
fn get_indexed(desk: &mut Desk) {
    desk.save((9000..9000 + SLICE_LONG).map(|minute| said(minute, "…")).collect()).unwrap();
    desk.search(&["nothing"]);
    assert!(desk.keeper.index.upto() >= SLICE);
}

#[test]
fn chinese_is_found_by_two_characters_and_by_one_with_the_index_and_without() {
    let mut desk = Desk::new();
    desk.save(vec![said(1, "我在上海"), said(2, "海上生明月"), said(3, "上班"), said(4, "Meet in SHANGHAI, 上海")])
        .unwrap();
    for is_indexed in [false, true] {
        if is_indexed {
            get_indexed(&mut desk);
        }
        assert_eq!(desk.search(&["上海"]), ["我在上海", "Meet in SHANGHAI, 上海"]);
        assert_eq!(desk.search(&["海"]), ["我在上海", "海上生明月", "Meet in SHANGHAI, 上海"]);
        assert_eq!(desk.search(&["我在上海"]), ["我在上海"]);
        assert_eq!(desk.search(&["shang", "上海"]), ["Meet in SHANGHAI, 上海"]);
        assert_eq!(desk.search(&["hai"]), [""; 0]);
        assert_eq!(desk.search(&["生上"]), [""; 0]);
    }
}

#[test]
fn a_search_sees_the_asker_s_places_only() {
    let mut desk = Desk::new();
    let in_room = |minute, room: &str, closed_in, text: &str| Message {
        target: Target::room(room),
        closed_in,
        ..said(minute, text)
    };
    desk.save(vec![
        in_room(1, "#lobby", 0, "秘密 one"),
        in_room(2, "#board", 0, "秘密 two"),
        in_room(3, "#lobby", 5, "秘密 three"),
        in_room(4, "#lobby", 6, "秘密 four"),
        in_room(5, "#board", 5, "秘密 five"),
    ])
    .unwrap();
    for is_indexed in [false, true] {
        if is_indexed {
            get_indexed(&mut desk);
        }
        let mut search = search_for(&["秘密"]);
        assert_eq!(found(&mut desk, search.clone()), ["秘密 one"]);
        search.places = vec![Place { target: Target::room("#lobby"), instance: 5, since: MsgId(0) }, place("#board")];
        assert_eq!(found(&mut desk, search.clone()), ["秘密 one", "秘密 two", "秘密 three"]);
        // So many places that the index is not asked for them.
        search.places = (0..100).map(|i| place(&format!("#r{i}"))).chain([place("#board")]).collect();
        assert_eq!(found(&mut desk, search.clone()), ["秘密 two"]);
        search.places = vec![place("#nowhere")];
        assert_eq!(found(&mut desk, search.clone()), [""; 0]);
    }
}

#[test]
fn what_is_said_elsewhere_neither_hides_hits_nor_doubles_them() {
    let mut desk = Desk::new();
    let lines = 3 * CANDIDATES_FIRST as u64;
    let room = |i: u64| if i.is_multiple_of(50) { format!("#r{}", i / 50 % 10) } else { "#elsewhere".to_owned() };
    let line = |i: u64| Message { target: Target::room(&room(i)), ..said(i, &format!("tea {i}")) };
    desk.save((1..=lines).map(line).collect()).unwrap();
    get_indexed(&mut desk);
    let expected: Vec<_> = (1..=lines).filter(|i| i.is_multiple_of(50)).map(|i| format!("tea {i}")).collect();
    for limit in [1, 15, 25, 1000] {
        let places = (0..10).map(|i| place(&format!("#r{i}"))).collect();
        let hits = found(&mut desk, Search { places, limit, ..search_for(&["tea"]) });
        assert_eq!(hits, expected[expected.len().saturating_sub(limit)..], "{limit}");
    }
}

#[test]
fn a_search_finds_nothing_from_before_a_membership() {
    let mut desk = Desk::new();
    let in_room = |minute, room: &str| Message { target: Target::room(room), ..said(minute, &format!("tea {minute}")) };
    desk.save(vec![in_room(1, "#a"), in_room(2, "#b"), in_room(3, "#a"), in_room(4, "#b")]).unwrap();
    for is_indexed in [false, true] {
        if is_indexed {
            get_indexed(&mut desk);
        }
        let seen = |room, minute| Place { since: at(minute), ..place(room) };
        let search = Search { places: vec![seen("#a", 2), seen("#b", 1)], ..search_for(&["tea"]) };
        assert_eq!(found(&mut desk, search), ["tea 2", "tea 3", "tea 4"]);
        let search = Search { places: vec![seen("#a", 3), seen("#b", 5)], ..search_for(&["tea"]) };
        assert_eq!(found(&mut desk, search), ["tea 3"]);
    }
}

#[test]
fn a_search_keeps_to_sender_time_and_limit() {
    let mut desk = Desk::new();
    let by = |minute, source: &str, account: Option<&str>| Message {
        source: source.into(),
        account: account.map(Box::from),
        ..said(minute, &format!("tea {minute}"))
    };
    desk.save(vec![
        by(1, "Anna!a@h", None),
        by(2, "ben!b@h", Some("Anna")),
        by(3, "小阳!y@h", Some("小阳")),
        by(4, "annabel!a@h", None),
        by(5, "ANNA!a@h", Some("ben")),
    ])
    .unwrap();
    for is_indexed in [false, true] {
        if is_indexed {
            get_indexed(&mut desk);
        }
        let from = |name: &str, words: &[&str]| Search { from: Some(name.into()), ..search_for(words) };
        assert_eq!(found(&mut desk, from("anna", &["tea"])), ["tea 1", "tea 2", "tea 5"]);
        assert_eq!(found(&mut desk, from("小阳", &[])), ["tea 3"]);
        assert_eq!(found(&mut desk, from("eve", &["tea"])), [""; 0]);
        assert_eq!(found(&mut desk, from("a \" b", &["tea"])), [""; 0]);
        let between = Search { since: Some(at(2)), before: Some(at(5)), ..search_for(&["tea"]) };
        assert_eq!(found(&mut desk, between.clone()), ["tea 2", "tea 3", "tea 4"]);
        assert_eq!(found(&mut desk, Search { limit: 2, ..between }), ["tea 3", "tea 4"]);
        let never = Search { since: Some(at(5)), before: Some(at(2)), ..search_for(&["tea"]) };
        assert_eq!(found(&mut desk, never), [""; 0]);
        assert_eq!(found(&mut desk, Search { limit: 0, ..search_for(&["tea"]) }), [""; 0]);
    }
}

#[test]
fn odd_words_neither_fail_nor_match_everything() {
    let mut desk = Desk::new();
    desk.save(vec![said(1, "100% \"sure\" 😀❤️ c++ a*b @1 ~anna"), said(2, "plain")]).unwrap();
    get_indexed(&mut desk);
    let long = "很".repeat(900);
    let words = [
        "%",
        "\"sure\"",
        "\"",
        "😀",
        "❤",
        "c++",
        "a*",
        "@1",
        "~anna",
        "100% \"sure",
        "'",
        "NOT",
        "a OR b",
        long.as_str(),
    ];
    for word in words {
        let expected = usize::from(!["'", "NOT", "a OR b", &long].contains(&word));
        assert_eq!(desk.search(&[word]).len(), expected, "{word}");
    }
}

#[test]
fn a_hundred_thousand_messages_are_searched_right() {
    let mut desk = Desk::new();
    let (lines, cities) = (100_000_u64, ["北京", "上海", "广州", "深圳", "成都", "杭州", "武汉"]);
    let line = |i: u64| format!("{} 我在{}等你 word{} 吃了吗", i, cities[i as usize % 7], i % 1000);
    for start in (0..lines).step_by(5000) {
        let batch = (start..start + 5000).map(|i| Message {
            target: Target::room(if i % 10 == 3 { "#tea" } else { "#lobby" }),
            ..said(i, &line(i))
        });
        desk.save(batch.collect()).unwrap();
    }
    while desk.keeper.lag() >= SLICE {
        desk.keeper.take_slice();
    }
    let expected = |matches: &dyn Fn(u64) -> bool, limit: usize| {
        let mut hits: Vec<_> = (0..lines).rev().filter(|i| i % 10 != 3 && matches(*i)).take(limit).map(line).collect();
        hits.reverse();
        hits
    };
    let upto = desk.keeper.index.upto();
    assert_eq!(
        desk.search(&["在上海等", "word17"]),
        expected(&|i| i % 7 == 1 && matches!(i % 1000, 17 | 170..180), 1000)
    );
    assert_eq!(desk.search(&["杭州", "word123 吃"]), expected(&|i| i % 7 == 5 && i % 1000 == 123, 1000));
    let newest = Search { limit: 20, ..search_for(&["圳"]) };
    assert_eq!(found(&mut desk, newest), expected(&|i| i % 7 == 3, 20));
    let old = Search { before: Some(at(5000)), since: Some(at(4000)), ..search_for(&["海"]) };
    assert_eq!(found(&mut desk, old), expected(&|i| i % 7 == 1 && (4000..5000).contains(&i), 1000));
    assert_eq!(desk.keeper.index.upto(), upto, "less than a slice is missing, so the index is left alone");
}

#[test]
fn a_search_that_costs_too_much_tells_the_newest_hits() {
    let mut desk = Desk::new();
    desk.save((1..=300).map(|minute| said(minute, if minute % 10 == 0 { "tea" } else { "milk" })).collect()).unwrap();
    let mut names = Names::new(desk.db).unwrap();
    let mut history = History::new(desk.db).unwrap();
    let mut searcher = Searcher::new(desk.db).unwrap();
    let mut within = |rows, time| {
        let found = searcher.search(&mut names, &mut history, &search_for(&["tea"]), 0, 300, Budget { rows, time });
        found.unwrap().iter().map(|message| message.id).collect::<Vec<_>>()
    };
    assert_eq!(within(25, TIME_MAX), [at(280), at(290), at(300)]);
    assert_eq!(within(1000, Duration::ZERO), []);
    assert_eq!(within(1000, Duration::from_secs(60)).len(), 30);
}

#[test]
fn the_index_keeps_every_piece_as_one_term() {
    let desk = Desk::new();
    desk.db.execute_batch("CREATE VIRTUAL TABLE terms USING fts5vocab (pieces, row); BEGIN").unwrap();
    let mut insert = desk.db.prepare("INSERT INTO pieces (rowid, text) VALUES (?1, ?2)").unwrap();
    let (mut pieces_cut, mut piece) = (0, String::new());
    for c in '\u{1}'..='\u{2ffff}' {
        piece.clear();
        pieces::cut(&pieces::fold(&c.to_string()), &mut piece);
        pieces_cut += piece.split_whitespace().count() as i64;
        insert.execute((i64::from(u32::from(c)), &piece)).unwrap();
    }
    desk.db.execute_batch("COMMIT").unwrap();
    let terms: i64 = desk.db.query_row("SELECT sum(doc) FROM terms", [], |row| row.get(0)).unwrap();
    assert!(pieces_cut > 100_000);
    assert_eq!(terms, pieces_cut, "a piece that SQLite divides or drops could not be asked for");
}

//! A search in the language of the index: which pieces a hit must have.

use rusqlite::{Connection, OptionalExtension, Statement};

use super::index::{push_place, sender_piece};
use super::pieces::{self, Wanted};
use super::record::Place;
use super::search::Wish;

/// So many pieces are asked of the index. Longer questions are narrowed down enough by them, and SQLite's expressions have a limit.
const PIECES_MAX: usize = 24;

/// Who sits in more rooms than this gets candidates from all rooms; the check sorts them out.
const PLACES_MAX: usize = 50;

/// A beginning that so many words share at most is asked for as these words. For a beginning SQLite gathers all its messages before it
/// tells the first (11 ms for a word of 200 000); for words it tells the newest first (0.3 ms). Finding a word takes 50 µs.
const WORDS_MAX: usize = 32;

/// Comes before everything that a word can go on with.
const WORD_END: char = '!';

/// The words that the index holds. Belongs to the store thread.
pub struct Vocabulary<'c> {
    next: Statement<'c>,
}

impl<'c> Vocabulary<'c> {
    /// Prepares the look-up.
    pub fn new(db: &'c Connection) -> rusqlite::Result<Vocabulary<'c>> {
        Ok(Vocabulary { next: db.prepare("SELECT term FROM words WHERE term >= ?1 LIMIT 1")? })
    }

    /// All words that begin so, unless there are more than [`WORDS_MAX`].
    fn words(&mut self, beginning: &str) -> rusqlite::Result<Option<Vec<String>>> {
        let (mut words, mut from) = (Vec::new(), beginning.to_owned());
        while words.len() <= WORDS_MAX {
            let next: Option<String> = self.next.query_row([&from], |row| row.get(0)).optional()?;
            match next.filter(|word| word.starts_with(beginning)) {
                Some(word) => {
                    from = format!("{word}{WORD_END}");
                    words.push(word);
                }
                None => return Ok(Some(words)),
            }
        }
        Ok(None)
    }
}

/// What a hit has in it and from whom it is, if the index can narrow that down.
pub fn of_words(wish: &Wish<'_>, vocabulary: &mut Vocabulary<'_>) -> rusqlite::Result<Option<String>> {
    let mut all = Vec::new();
    // The pieces of words come first: SQLite asks them in this order, and the rarest should lead.
    for wanted in wish.words.iter().flat_map(|word| pieces::wanted(word)).take(PIECES_MAX) {
        all.push(piece(&wanted, vocabulary)?);
    }
    all.extend(wish.from.as_deref().map(|from| quoted(&sender_piece(from))));
    Ok((!all.is_empty()).then(|| all.join(" AND ")))
}

/// Where a hit was said; `None` when there are too many places to ask for.
pub fn of_places(wish: &Wish<'_>) -> Option<String> {
    let is_asked = wish.places.len() <= PLACES_MAX;
    is_asked.then(|| format!("({})", wish.places.iter().flat_map(place_pieces).collect::<Vec<_>>().join(" OR ")))
}

fn piece(wanted: &Wanted, vocabulary: &mut Vocabulary<'_>) -> rusqlite::Result<String> {
    let exact = quoted(&wanted.piece);
    if !wanted.as_prefix {
        return Ok(exact);
    }
    // The index keeps beginnings of one character ready.
    let words = if wanted.piece.chars().nth(1).is_none() { None } else { vocabulary.words(&wanted.piece)? };
    match words {
        Some(words) if !words.is_empty() => {
            Ok(format!("({})", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" OR ")))
        }
        _ => Ok(exact + "*"),
    }
}

fn place_pieces((target, place): &(i64, &Place)) -> impl Iterator<Item = String> {
    let instances = if place.instance == 0 { vec![0] } else { vec![0, place.instance] };
    let target = *target;
    instances.into_iter().map(move |instance| {
        let mut piece = String::new();
        push_place(&mut piece, target, instance);
        quoted(&piece)
    })
}

fn quoted(piece: &str) -> String {
    format!("\"{}\"", piece.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Desk, said};
    use super::super::index::SLICE;
    use super::*;

    #[test]
    fn words_with_one_beginning_are_found_by_name_unless_there_are_too_many() {
        let mut desk = Desk::new();
        let words = WORDS_MAX as u64 + 10;
        let text = |i: u64| match i {
            0 => "tea teacup 茶杯 TEAPOT".to_owned(),
            i if i <= words => format!("many{i}"),
            _ => "milk".to_owned(),
        };
        desk.save((0..SLICE as u64).map(|i| said(i + 1, &text(i))).collect()).unwrap();
        desk.search(&["nothing"]);
        assert_eq!(desk.keeper.index.upto(), SLICE);
        let mut vocabulary = Vocabulary::new(desk.db).unwrap();
        let mut words_of = |beginning| vocabulary.words(beginning).unwrap();
        assert_eq!(words_of("tea"), Some(["tea", "teacup", "teapot"].map(String::from).to_vec()));
        assert_eq!(words_of("teac"), Some(vec!["teacup".to_owned()]));
        assert_eq!(words_of("milky"), Some(vec![]));
        assert_eq!(words_of("many"), None);
        assert_eq!(words_of("many1").map(|words| words.len()), Some(11));
        assert_eq!(desk.search(&["many"]).len() as u64, words);
        assert_eq!(desk.search(&["teap"]), [text(0)]);
        assert_eq!(desk.search(&["milky"]), [""; 0]);
    }
}

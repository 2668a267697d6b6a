//! What a MODE line asks for, and how what it brought about is told.

/// A letter of a MODE line as it was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Asked<'a> {
    /// Behind a `+`, not behind a `-`.
    pub on: bool,
    /// Which mode.
    pub letter: char,
    /// Its parameter, when the mode takes one and the line has one.
    pub param: Option<&'a str>,
}

/// A mode that did change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    /// Set, not taken.
    pub on: bool,
    /// Which mode.
    pub letter: char,
    /// Its parameter as members are told it.
    pub param: Option<Box<str>>,
}

/// Reads the letters of a MODE line and gives each the parameter that `takes_param` says it takes. Without a sign they count as set.
pub(super) fn asked<'a>(modes: &str, params: &[&'a str], takes_param: impl Fn(bool, char) -> bool) -> Vec<Asked<'a>> {
    let mut params = params.iter().copied().filter(|param| !param.is_empty());
    let mut on = true;
    let mut asked = Vec::new();
    for letter in modes.chars() {
        match letter {
            '+' => on = true,
            '-' => on = false,
            letter => {
                let param = if takes_param(on, letter) { params.next() } else { None };
                asked.push(Asked { on, letter, param });
            }
        }
    }
    asked
}

/// The changes as they follow `MODE <target> ` (`+ov-b anna ben *!*@x`), in order, in as many pieces as `max_bytes` for each asks for.
pub(super) fn told(changes: &[Change], max_bytes: usize) -> Vec<String> {
    let mut pieces: Vec<Piece> = Vec::new();
    for change in changes {
        match pieces.last_mut().filter(|piece| piece.bytes_with(change) <= max_bytes) {
            Some(piece) => piece.add(change),
            None => {
                let mut piece = Piece::default();
                piece.add(change);
                pieces.push(piece);
            }
        }
    }
    pieces.into_iter().map(|piece| piece.letters + &piece.params).collect()
}

/// One line's worth of changes.
#[derive(Default)]
struct Piece {
    letters: String,
    params: String,
    sign: Option<bool>,
}

impl Piece {
    /// How long it would be with one change more.
    fn bytes_with(&self, change: &Change) -> usize {
        let sign = usize::from(self.sign != Some(change.on));
        let param = change.param.as_deref().map_or(0, |param| 1 + param.len());
        self.letters.len() + self.params.len() + sign + change.letter.len_utf8() + param
    }

    fn add(&mut self, change: &Change) {
        if self.sign != Some(change.on) {
            self.sign = Some(change.on);
            self.letters.push(if change.on { '+' } else { '-' });
        }
        self.letters.push(change.letter);
        if let Some(param) = &change.param {
            self.params.push(' ');
            self.params.push_str(param);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(on: bool, letter: char, param: &str) -> Change {
        Change { on, letter, param: (!param.is_empty()).then(|| param.into()) }
    }

    #[test]
    fn letters_get_the_parameters_they_take_in_order() {
        let takes = |on, letter| matches!((on, letter), (_, 'o' | 'k') | (true, 'l'));
        let ask = |on, letter, param| Asked { on, letter, param };
        assert_eq!(
            asked("nol-lk+o", &["小阳", "5", "key"], takes),
            [
                ask(true, 'n', None),
                ask(true, 'o', Some("小阳")),
                ask(true, 'l', Some("5")),
                ask(false, 'l', None),
                ask(false, 'k', Some("key")),
                ask(true, 'o', None),
            ]
        );
    }

    #[test]
    fn changes_are_told_in_order_with_as_few_signs_as_can_be() {
        let changes =
            [change(true, 'o', "anna"), change(true, 'm', ""), change(false, 'v', "小阳"), change(true, 'l', "5")];
        assert_eq!(told(&changes, 300), ["+om-v+l anna 小阳 5"]);
        assert_eq!(told(&[], 300), [""; 0]);
    }

    #[test]
    fn what_does_not_fit_in_one_line_is_told_in_the_next() {
        let mask = "x".repeat(200);
        let changes =
            [change(true, 'b', &mask), change(true, 'b', &mask), change(true, 'i', ""), change(false, 'e', "y")];
        assert_eq!(told(&changes, 300), [format!("+b {mask}"), format!("+bi-e {mask} y")]);
        assert_eq!(told(&changes[..1], 10), [format!("+b {mask}")], "a single change is never cut");
    }
}

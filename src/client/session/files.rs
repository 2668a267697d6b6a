//! Questions about files and their answers, which [`crate::client::transfers`] makes something of.

use super::*;
use crate::client::transfers::lines::{Answer, Said, answer, entry, number};

impl Session {
    /// Says a line about files, or says that there is nobody to say it to.
    pub(super) fn ask_about_file(&self, label: Box<str>, line: &str, orders: &mut Orders) {
        match self.is_in() {
            true => orders.send(format!("@label={label} {line}")),
            false => orders.tell(Event::File(Box::new(Answer { label, said: Said::Unsent }))),
        }
    }

    /// A listing is complete.
    pub(super) fn listed(&self, label: Option<Box<str>>, lines: &[Box<str>], orders: &mut Orders) {
        let Some(label) = label.filter(|label| number(label).is_some()) else { return };
        let lines = lines.iter().filter_map(|text| Line::parse(text));
        let (mut files, mut more) = (Vec::new(), None);
        for line in lines {
            match line.params() {
                ["MORE", _scope, name] => more = Some(Box::from(*name)),
                _ => files.extend(entry(&line)),
            }
        }
        orders.tell(Event::File(Box::new(Answer { label, said: Said::Listing { files, more } })));
    }
}

/// Takes a line that answers a question about files. False for any other.
pub(super) fn answers_file(line: &Line, label: Option<&str>, orders: &mut Orders) -> bool {
    let label = label.filter(|label| number(label).is_some());
    let Some((label, said)) = label.and_then(|label| Some((label, answer(line)?))) else { return false };
    orders.tell(Event::File(Box::new(Answer { label: label.into(), said })));
    true
}

//! The `!` commands: typed as a line of text by anybody, answered to the asker alone.

use crate::store::record::Found;

use super::turn::Turn;

/// What was asked of the store, to be shown as notices when it answers.
#[derive(Debug)]
pub struct Question;

impl Turn<'_> {
    /// Handles a text that is a command; false when it is ordinary talk.
    pub(super) fn bang(&mut self, _target: &str, _text: &str) -> bool {
        false
    }

    /// Shows what the store found.
    pub(super) fn show_bang_answer(&mut self, _question: Question, _found: Found) {}
}

//! WHOIS: all that may be told of one person.

use crate::wire::line::Line;

use super::turn::Turn;

impl Turn<'_> {
    pub(super) fn whois(&mut self, _line: &Line) {}
}

//! MODE, of rooms and of oneself.

use crate::wire::line::Line;

use super::turn::Turn;

impl Turn<'_> {
    pub(super) fn mode(&mut self, _line: &Line) {}
}

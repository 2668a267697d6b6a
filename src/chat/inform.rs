//! What the server says of itself.

use crate::wire::line::Line;

use super::turn::Turn;

impl Turn<'_> {
    pub(super) fn motd(&mut self) {}
    pub(super) fn lusers(&mut self) {}
    pub(super) fn version(&mut self) {}
    pub(super) fn time(&mut self) {}
    pub(super) fn info(&mut self) {}
    pub(super) fn help(&mut self, _line: &Line) {}
    pub(super) fn links(&mut self) {}
    pub(super) fn admin(&mut self) {}
}

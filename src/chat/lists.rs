//! Lists: who is in a room (NAMES), which rooms there are (LIST).

use crate::wire::line::Line;

use super::RoomId;
use super::turn::Turn;

impl Turn<'_> {
    pub(super) fn names(&mut self, _line: &Line) {}
    pub(super) fn list(&mut self, _line: &Line) {}

    /// `RPL_NAMREPLY` and `RPL_ENDOFNAMES` of one room.
    pub(super) fn show_names(&mut self, _room: RoomId) {}
}

//! TOPIC, KICK, INVITE.

use crate::wire::line::Line;

use super::RoomId;
use super::turn::Turn;

impl Turn<'_> {
    pub(super) fn topic(&mut self, _line: &Line) {}
    pub(super) fn kick(&mut self, _line: &Line) {}
    pub(super) fn invite(&mut self, _line: &Line) {}

    /// `RPL_TOPIC` and `RPL_TOPICWHOTIME`, or `RPL_NOTOPIC`.
    pub(super) fn show_topic(&mut self, _room: RoomId) {}
}

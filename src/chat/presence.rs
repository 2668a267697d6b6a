//! Being here: AWAY, SETNAME, and MONITOR, which tells who comes and goes.

use crate::wire::line::Line;
use crate::wire::name::Nick;

use super::turn::Turn;
use super::{Chat, ConnId, Effect};

impl Turn<'_> {
    pub(super) fn away(&mut self, _line: &Line) {}
    pub(super) fn setname(&mut self, _line: &Line) {}
    pub(super) fn monitor(&mut self, _line: &Line) {}
}

impl Chat {
    /// Takes a session out of the table of watchers.
    pub(super) fn forget_watching(&mut self, _conn: ConnId) {}

    /// Tells those who watch a nick that it has come.
    pub(super) fn tell_watchers_here(&self, _nick: &Nick, _effects: &mut Vec<Effect>) {}

    /// Tells those who watch a nick that it has gone.
    pub(super) fn tell_watchers_gone(&self, _nick: &Nick, _effects: &mut Vec<Effect>) {}
}

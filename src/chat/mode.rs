//! MODE, of rooms and of oneself.

mod change;
mod masks;
mod own;
mod rooms;

use crate::wire::line::Line;

use super::turn::Turn;

impl Turn<'_> {
    /// `MODE <room or nick> [<modes> [<parameter>…]]`
    pub(super) fn mode(&mut self, line: &Line) {
        let (target, rest) = (line.params()[0], &line.params()[1..]);
        let modes = rest.first().copied().unwrap_or("");
        let params = rest.get(1..).unwrap_or(&[]);
        if target.starts_with('#') {
            self.room_mode(target, modes, params);
        } else {
            self.own_mode(target, modes);
        }
    }
}

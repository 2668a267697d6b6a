//! Who is who: WHO, WHOX, WHOWAS, USERHOST, ISON.

use crate::wire::line::Line;

use super::turn::Turn;
use super::{Chat, Session};

/// Somebody who was here.
#[derive(Clone, Debug)]
pub struct Whowas;

impl Whowas {
    /// A session as it is remembered after it has gone, or got another nick.
    pub(super) fn of(_session: &Session, _at_ms: u64) -> Whowas {
        Whowas
    }
}

impl Chat {
    /// Remembers somebody for WHOWAS.
    pub(super) fn remember_gone(&mut self, _gone: Whowas) {}
}

impl Turn<'_> {
    pub(super) fn who(&mut self, _line: &Line) {}
    pub(super) fn whowas(&mut self, _line: &Line) {}
    pub(super) fn userhost(&mut self, _line: &Line) {}
    pub(super) fn ison(&mut self, _line: &Line) {}
}

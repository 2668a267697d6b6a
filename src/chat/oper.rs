//! Server operators: OPER, KILL, WALLOPS.

use crate::store::record::Found;
use crate::wire::line::Line;

use super::Secret;
use super::turn::Turn;

impl Turn<'_> {
    pub(super) fn oper(&mut self, _line: &Line) {}
    pub(super) fn kill(&mut self, _line: &Line) {}
    pub(super) fn wallops(&mut self, _line: &Line) {}

    /// The store has looked the account up.
    pub(super) fn oper_account_found(&mut self, _name: &str, _password: Secret, _found: Found) {}

    /// The password was checked. `account` is the name as registered.
    pub(super) fn oper_password_checked(&mut self, _account: Option<Box<str>>, _correct: bool) {}
}

//! Carries out what the queue decides: files, sockets, the clock.

use async_channel::{Receiver, Sender};

use super::{News, Setup, Told};

/// Works until the front end has gone, or the link has ended.
pub(super) fn run(setup: Setup, told: Receiver<Told>, news: Sender<News>) {
    drop((setup, told, news));
}

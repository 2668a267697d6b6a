//! Telling systemd how we are (sd_notify): ready, alive, stopping. Nothing happens where `NOTIFY_SOCKET` is not set, or where there is no systemd.

pub use here::{alive, ready, stopping, watchdog_interval};

#[cfg(unix)]
mod here {
    use std::time::Duration;

    use sd_notify::NotifyState;

    /// The server takes connections.
    pub fn ready() {
        tell(NotifyState::Ready);
    }

    /// The server is on its way out.
    pub fn stopping() {
        tell(NotifyState::Stopping);
    }

    /// The hub is turning.
    pub fn alive() {
        tell(NotifyState::Watchdog);
    }

    /// How often [`alive`] is to be called: half of what the unit's `WatchdogSec` allows.
    pub fn watchdog_interval() -> Option<Duration> {
        sd_notify::watchdog_enabled().map(|allowed| allowed / 2)
    }

    fn tell(state: NotifyState) {
        if let Err(why) = sd_notify::notify(&[state]) {
            log::warn!("systemd could not be told: {why}");
        }
    }
}

/// Nobody is there to be told.
#[cfg(not(unix))]
mod here {
    use std::time::Duration;

    /// The server takes connections.
    pub fn ready() {}

    /// The server is on its way out.
    pub fn stopping() {}

    /// The hub is turning.
    pub fn alive() {}

    /// How often [`alive`] is to be called: never.
    pub fn watchdog_interval() -> Option<Duration> {
        None
    }
}

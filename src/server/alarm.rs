//! The hub's one timer. Set anew only when the time changes: each setting wakes the reactor once for nothing.

use std::time::Instant;

use async_io::Timer;

/// Rings once at the time that it is set to.
pub struct Alarm {
    timer: Timer,
    at: Option<Instant>,
}

impl Default for Alarm {
    /// Not set.
    fn default() -> Alarm {
        Alarm { timer: Timer::never(), at: None }
    }
}

impl Alarm {
    /// Sets it; `None` means that it does not ring.
    pub fn set(&mut self, at: Option<Instant>) {
        if at == self.at {
            return;
        }
        self.at = at;
        match at {
            Some(at) => self.timer.set_at(at),
            None => self.timer.clear(),
        }
    }

    /// Waits for it to ring. May be dropped and asked again; it has to be set again after it rang.
    pub async fn ring(&mut self) {
        (&mut self.timer).await;
        self.at = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_rings_once_for_each_setting_and_can_be_moved() {
        smol::block_on(async {
            let mut alarm = Alarm::default();
            let soon = Instant::now() + Duration::from_millis(5);
            alarm.set(Some(Instant::now() + Duration::from_secs(3600)));
            alarm.set(Some(soon));
            alarm.ring().await;
            assert!(Instant::now() >= soon);
            let later = Instant::now() + Duration::from_millis(5);
            alarm.set(Some(later));
            alarm.ring().await;
            assert!(Instant::now() >= later);
        });
    }
}

//! Which kinds of days are simulated.

use crate::wire::limits::ROOM_TELLS_EACH;

/// What kind of day it is.
#[derive(Clone, Copy)]
pub struct Weather {
    /// Days that every test run plays.
    pub days: u64,
    /// Things that happen in a day.
    pub steps: usize,
    /// People who are there at once at most.
    pub people: usize,
    /// People who are there before anything else happens.
    pub guests: usize,
    /// Of a hundred who come, so many log in, with one device or several.
    pub members: usize,
}

/// Few people, who meet all the time.
pub const QUIET: Weather = Weather { days: 100, steps: 1200, people: 9, guests: 0, members: 0 };
/// Most of them have an account, and groups that outlive a restart of the server in the middle of the day.
pub const SETTLED: Weather = Weather { members: 70, ..QUIET };
/// So many people that the lobby tells their coming and going as counts.
pub const CROWDED: Weather =
    Weather { days: 1, steps: 500, people: ROOM_TELLS_EACH + 100, guests: ROOM_TELLS_EACH + 80, members: 0 };

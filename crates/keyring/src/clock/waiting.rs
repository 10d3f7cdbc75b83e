//! How long somebody has to wait, as people say it.

use std::{fmt, time::Duration};

/// How long somebody has to wait, for a message: `1 h 1 min`. Two units at the most, rounded up: who comes back
/// then is not too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting(Duration);

impl Waiting {
    /// A wait of this length.
    #[must_use]
    pub const fn new(length: Duration) -> Self {
        Self(length)
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0);
        let seconds = match seconds {
            DAY.. => seconds.next_multiple_of(HOUR),
            HOUR.. => seconds.next_multiple_of(MINUTE),
            _ => seconds,
        };
        let (large, unit, small, lesser) = match seconds {
            DAY.. => (seconds / DAY, "d", seconds % DAY / HOUR, "h"),
            HOUR.. => (seconds / HOUR, "h", seconds % HOUR / MINUTE, "min"),
            MINUTE.. => (seconds / MINUTE, "min", seconds % MINUTE, "s"),
            _ => (seconds, "s", 0, ""),
        };
        write!(f, "{large} {unit}")?;
        if small > 0 {
            write!(f, " {small} {lesser}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_said_in_two_units_and_rounded_up() {
        for (milliseconds, said) in [
            (0, "0 s"),
            (1, "1 s"),
            (59_000, "59 s"),
            (59_001, "1 min"),
            (75_000, "1 min 15 s"),
            (3_599_001, "1 h"),
            (3_600_000, "1 h"),
            (3_601_000, "1 h 1 min"),
            (86_399_000, "1 d"),
            (90_000_000, "1 d 1 h"),
            (604_798_000, "7 d"),
            (604_801_000, "7 d 1 h"),
        ] {
            let waiting = Waiting::new(Duration::from_millis(milliseconds));
            assert_eq!(waiting.to_string(), said, "{milliseconds}");
        }
    }
}

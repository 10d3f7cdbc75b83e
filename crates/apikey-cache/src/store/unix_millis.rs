//! A date as records keep it.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A date as records keep it: milliseconds since 1970-01-01T00:00:00Z, before it negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// From the number of milliseconds.
    #[must_use]
    pub const fn new(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// The number of milliseconds.
    #[must_use]
    pub const fn value(self) -> i64 {
        self.0
    }

    /// The date in whole milliseconds, rounded towards 1970; a date beyond the 292 million years
    /// that fit becomes the last one that does.
    #[must_use]
    pub fn saturating_from(date: SystemTime) -> Self {
        match date.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(whole_millis(after)),
            Err(before) => Self(-whole_millis(before.duration())),
        }
    }

    /// The date as the system has it, `None` if the platform cannot express it.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        let distance = Duration::from_millis(self.0.unsigned_abs());
        if self.0 < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        }
    }

    /// The date this much later, or the last one that fits.
    #[must_use]
    pub fn saturating_add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(time)))
    }

    /// The date this much earlier, or the first one that fits.
    #[must_use]
    pub fn saturating_sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(whole_millis(time)))
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn whole_millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_date_survives_the_record(milliseconds: i64) {
            let date = UnixMillis::new(milliseconds.max(-i64::MAX));
            let system = date.to_system_time().unwrap();
            prop_assert_eq!(UnixMillis::saturating_from(system), date);
        }
    }
}

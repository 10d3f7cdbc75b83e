//! When an event may have happened.

use time::{Duration, OffsetDateTime};

use crate::{pipeline::rejection::Rejection, quality::Reason};

/// How far a sender's clock may be ahead.
const MAX_AHEAD: Duration = Duration::minutes(10);

/// How old an event may be.
const MAX_AGE: Duration = Duration::days(5 * 365);

/// Refuses a time too far from `now`.
pub(super) fn check(at: OffsetDateTime, now: OffsetDateTime) -> Result<(), Rejection> {
    let age = now - at;
    if age < -MAX_AHEAD {
        let detail = format!(
            "`time` is more than {} minutes ahead",
            MAX_AHEAD.whole_minutes()
        );
        Err(Rejection::new(Reason::SemanticTimeFuture, detail))
    } else if age > MAX_AGE {
        let detail = format!("`time` is more than {} days ago", MAX_AGE.whole_days());
        Err(Rejection::new(Reason::SemanticTimePast, detail))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_minutes_ahead_and_five_years_back_are_the_bounds() {
        let now = OffsetDateTime::from_unix_timestamp(1_750_000_000).unwrap();
        let reason = |at| check(at, now).err().map(|rejection| rejection.reason);
        let second = Duration::SECOND;
        assert_eq!(reason(now + Duration::minutes(10)), None);
        assert_eq!(
            reason(now + Duration::minutes(10) + second),
            Some(Reason::SemanticTimeFuture)
        );
        assert_eq!(reason(now - Duration::days(1825)), None);
        assert_eq!(
            reason(now - Duration::days(1825) - second),
            Some(Reason::SemanticTimePast)
        );
    }
}

//! When data keys are rotated by themselves.

use std::time::Duration;

use super::{problems::Problems, settings, sources::Sources};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Ten years: longer is never.
const MOST_DAYS: u32 = 3_650;

/// For how long a data key seals before it is rotated; none where that is left to operators.
pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Option<Duration> {
    let given = sources.value(settings::DATA_KEY_CRYPTOPERIOD)?;
    let expected = format!("a whole number of days, 1 to {MOST_DAYS}");
    let days: u32 = given.parse(&expected, problems)?;
    if !(1..=MOST_DAYS).contains(&days) {
        problems.add(&given.origin, format!("must be {expected}"));
        return None;
    }
    Some(DAY * days)
}

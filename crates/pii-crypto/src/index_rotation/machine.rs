//! Which step comes next. Nothing is read or written here.

use std::time::{Duration, SystemTime};

use crate::{IndexPhase, IndexState, IndexVersion};

/// How long a phase lasts at the least: until every process has read it (10 s) and what it began before
/// is committed (30 s), with a margin.
pub const PHASE_LASTS: Duration = Duration::from_secs(60);

/// What a rotation does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing is enforced yet: the first start of the application sees to that.
    NotStarted,
    /// Another rotation is under way: this version is written or retiring.
    Other(IndexVersion),
    /// The phase has to last.
    Wait(Duration),
    /// Delete what is left of versions that are not live, then write the new one.
    Begin,
    /// Index the rows that lack the new version, compare, then enforce it.
    Enforce { former: IndexVersion },
    /// Copy columns, then let the former version go.
    Retire { former: IndexVersion },
    /// Delete what is left of versions that are not live; then it is done.
    Finish,
}

/// The next step on the way to `target`.
pub(super) fn next(state: &IndexState, target: IndexVersion, now: SystemTime) -> Next {
    let Some(enforced) = state.enforced() else {
        return Next::NotStarted;
    };
    let others = || state.live().into_iter().filter(|it| *it != enforced);
    let phase = |version| state.phase(version).map(|(phase, _)| phase);
    let step = if enforced == target {
        match others().next() {
            None => Next::Finish,
            Some(former) if phase(former) == Some(IndexPhase::Retiring) => Next::Retire { former },
            Some(other) => return Next::Other(other),
        }
    } else {
        match others().next() {
            None => Next::Begin,
            Some(other) if other == target && phase(other) == Some(IndexPhase::Written) => {
                Next::Enforce { former: enforced }
            }
            Some(other) => return Next::Other(other),
        }
    };
    let lasted = state.rows().map(|(_, _, since)| left(since, now)).max();
    match lasted.unwrap_or(PHASE_LASTS) {
        Duration::ZERO => step,
        left => Next::Wait(left),
    }
}

/// How long the phase still has to last. One that begins in the future, by a clock that is ahead, begins
/// then.
fn left(since: SystemTime, now: SystemTime) -> Duration {
    (since + PHASE_LASTS)
        .duration_since(now)
        .unwrap_or_default()
}

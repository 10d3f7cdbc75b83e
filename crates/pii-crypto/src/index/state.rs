//! Which versions of the index root are live, and what each is used for: the phase of a rotation.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use super::IndexVersion;

/// What a version of the index root is used for.
///
/// A rotation from v to v+1 goes: v+1 [`Written`](Self::Written) → every row has its values →
/// v+1 [`Enforced`](Self::Enforced) and v [`Retiring`](Self::Retiring) in one step → v is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IndexPhase {
    /// Values are written, beside those that are enforced.
    Written,
    /// Values are written, looked up, and held unique. Exactly one version is.
    Enforced,
    /// Values are still written, for processes that do not know yet that another version is enforced.
    Retiring,
}

/// The live versions, as the application's table `index_state` has them.
///
/// Times are in whole milliseconds, so that what is stored is what is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexState {
    versions: BTreeMap<IndexVersion, (IndexPhase, SystemTime)>,
}

/// The versions are not in the phases that a step of a rotation begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "version {0} of the index root is not in the phase that this step begins with: read the phases again"
)]
pub struct IllegalIndexStep(IndexVersion);

impl IndexPhase {
    /// Every phase.
    pub const ALL: [Self; 3] = [Self::Written, Self::Enforced, Self::Retiring];

    /// As it is stored: `written`, `enforced`, `retiring`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Enforced => "enforced",
            Self::Retiring => "retiring",
        }
    }

    /// As it was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == text)
    }
}

impl IndexState {
    /// The state of a table, from its rows: version, phase, and since when it is in it.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = (IndexVersion, IndexPhase, SystemTime)>) -> Self {
        let rows = rows.into_iter();
        Self {
            versions: rows
                .map(|(version, phase, since)| (version, (phase, whole_milliseconds(since))))
                .collect(),
        }
    }

    /// The version that look-ups and uniqueness go by, if there is one.
    #[must_use]
    pub fn enforced(&self) -> Option<IndexVersion> {
        let mut live = self.versions.iter();
        live.find_map(|(version, (phase, _))| (*phase == IndexPhase::Enforced).then_some(*version))
    }

    /// Every live version with its phase and since when it is in it, as the rows of a table, in the order
    /// of the versions.
    pub fn rows(&self) -> impl Iterator<Item = (IndexVersion, IndexPhase, SystemTime)> {
        let rows = self.versions.iter();
        rows.map(|(version, (phase, since))| (*version, *phase, *since))
    }

    /// The phase of a version, and since when; `None` if it is not live.
    #[must_use]
    pub fn phase(&self, version: IndexVersion) -> Option<(IndexPhase, SystemTime)> {
        self.versions.get(&version).copied()
    }

    /// Every live version, the enforced one first.
    #[must_use]
    pub fn live(&self) -> Vec<IndexVersion> {
        let enforced = self.enforced();
        let others = self
            .versions
            .keys()
            .copied()
            .filter(|it| Some(*it) != enforced);
        enforced.into_iter().chain(others).collect()
    }

    /// The first state of all: one version, which is enforced.
    ///
    /// # Errors
    /// [`IllegalIndexStep`] when there is a state already.
    pub fn start(&self, first: IndexVersion, at: SystemTime) -> Result<Self, IllegalIndexStep> {
        if !self.versions.is_empty() {
            return Err(IllegalIndexStep(first));
        }
        Ok(Self::new([(first, IndexPhase::Enforced, at)]))
    }

    /// Where a rotation begins: `next` is written beside the version that is enforced.
    ///
    /// # Errors
    /// [`IllegalIndexStep`] when not exactly one version is live, or `next` is it.
    pub fn begin(&self, next: IndexVersion, at: SystemTime) -> Result<Self, IllegalIndexStep> {
        if self.versions.len() != 1 || self.enforced().is_none_or(|it| it == next) {
            return Err(IllegalIndexStep(next));
        }
        Ok(self.with(next, IndexPhase::Written, at))
    }

    /// The written version is enforced, and the enforced one is retiring: in one step.
    ///
    /// # Errors
    /// [`IllegalIndexStep`] when `next` is not written.
    pub fn enforce(&self, next: IndexVersion, at: SystemTime) -> Result<Self, IllegalIndexStep> {
        let former = self.enforced().ok_or(IllegalIndexStep(next))?;
        self.expect(next, IndexPhase::Written)?;
        let switched = self.with(next, IndexPhase::Enforced, at);
        Ok(switched.with(former, IndexPhase::Retiring, at))
    }

    /// The retiring version is gone. The enforced one counts as enforced since then: how long ago that was
    /// decides when the values of the other can be deleted, in whatever process that is.
    ///
    /// # Errors
    /// [`IllegalIndexStep`] when `version` is not retiring.
    pub fn retire(&self, version: IndexVersion, at: SystemTime) -> Result<Self, IllegalIndexStep> {
        self.without(version, IndexPhase::Retiring, at)
    }

    /// The written version is gone again, as if its rotation had not begun; the enforced one counts as
    /// enforced since then.
    ///
    /// # Errors
    /// [`IllegalIndexStep`] when `version` is not written.
    pub fn abandon(&self, version: IndexVersion, at: SystemTime) -> Result<Self, IllegalIndexStep> {
        self.without(version, IndexPhase::Written, at)
    }

    fn without(
        &self,
        version: IndexVersion,
        phase: IndexPhase,
        at: SystemTime,
    ) -> Result<Self, IllegalIndexStep> {
        self.expect(version, phase)?;
        let enforced = self.enforced().ok_or(IllegalIndexStep(version))?;
        let mut state = self.with(enforced, IndexPhase::Enforced, at);
        state.versions.remove(&version);
        Ok(state)
    }

    fn expect(&self, version: IndexVersion, phase: IndexPhase) -> Result<(), IllegalIndexStep> {
        match self.versions.get(&version) {
            Some((found, _)) if *found == phase => Ok(()),
            _ => Err(IllegalIndexStep(version)),
        }
    }

    fn with(&self, version: IndexVersion, phase: IndexPhase, at: SystemTime) -> Self {
        let mut state = self.clone();
        state
            .versions
            .insert(version, (phase, whole_milliseconds(at)));
        state
    }
}

fn whole_milliseconds(time: SystemTime) -> SystemTime {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let part = Duration::from_nanos((since.subsec_nanos() % 1_000_000).into());
    SystemTime::UNIX_EPOCH + (since - part)
}

#[cfg(test)]
mod tests;

//! Which versions of the index root are live, and what each is used for: the phase of a rotation.

use std::{collections::BTreeMap, time::SystemTime};

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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexState {
    versions: BTreeMap<IndexVersion, (IndexPhase, SystemTime)>,
}

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
                .map(|(version, phase, since)| (version, (phase, since)))
                .collect(),
        }
    }

    /// The version that look-ups and uniqueness go by, if there is one.
    #[must_use]
    pub fn enforced(&self) -> Option<IndexVersion> {
        let mut live = self.versions.iter();
        live.find_map(|(version, (phase, _))| (*phase == IndexPhase::Enforced).then_some(*version))
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
}

//! Which event types and schema versions are planned.

use std::collections::BTreeMap;

use serde::Serialize;

/// The event types and schema versions an operator planned, declared when the service starts.
///
/// Planned event types have their labels before any event comes, so that a sender that invents types
/// cannot use them up; and a report can tell versions in use from deprecated ones.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    schemas: BTreeMap<String, BTreeMap<String, Lifecycle>>,
    is_closed: bool,
}

/// Whether a schema version should still be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Lifecycle {
    /// Senders may use it.
    Current,
    /// Accepted for now; senders should move on.
    Deprecated,
}

impl Lifecycle {
    /// Every one.
    pub(crate) const ALL: [Self; 2] = [Self::Current, Self::Deprecated];

    /// Text used in metric labels and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Deprecated => "deprecated",
        }
    }
}

impl Plan {
    /// A plan with nothing in it: types are taken as they come.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one version of the schema of one event type.
    #[must_use]
    pub fn schema(mut self, event_type: &str, version: &str, lifecycle: Lifecycle) -> Self {
        let versions = self.schemas.entry(event_type.to_owned()).or_default();
        versions.insert(version.to_owned(), lifecycle);
        self
    }

    /// Closes the plan: an event type or a version outside it gets no name of its own, however few there
    /// are, and is counted as `__other__`.
    ///
    /// A sender chooses the type of its event, and may put a person's name or number there. A
    /// service that refuses what is not planned loses nothing by this: the types that pass all have their
    /// names.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.is_closed = true;
        self
    }

    /// Whether what is outside the plan may have a name of its own.
    pub(crate) const fn admits_others(&self) -> bool {
        !self.is_closed
    }

    pub(crate) fn event_types(&self) -> impl Iterator<Item = &str> {
        self.schemas.keys().map(String::as_str)
    }

    /// Every version of every event type.
    pub(crate) fn versions(&self) -> impl Iterator<Item = (&str, &str)> {
        let schemas = self.schemas.iter();
        schemas.flat_map(|(event_type, versions)| {
            let versions = versions.keys();
            versions.map(|version| (event_type.as_str(), version.as_str()))
        })
    }

    pub(crate) fn lifecycle(&self, event_type: &str, version: &str) -> Option<Lifecycle> {
        self.schemas.get(event_type)?.get(version).copied()
    }
}

//! Why an event was refused: the facts the taxonomy states of each reason.

mod catalogue;
mod taxonomy;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::catalogue::Catalogue;
pub use self::taxonomy::Reason;
use crate::dimension::Dimension;

/// The step of the request path at which an event was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: the request path has these steps"
)]
pub enum Stage {
    /// Reading the request.
    Transport,
    /// Finding out who sent it.
    Auth,
    /// Reading the body as JSON.
    Parse,
    /// The attributes around the data: id, type, source, time.
    Envelope,
    /// The data against the schema of its type.
    Schema,
    /// The data against the world: time, other records.
    Semantic,
    /// What the operator or the law does not allow.
    Policy,
    /// What the service could not carry at that moment.
    Capacity,
    /// Faults of the service itself.
    Internal,
}

/// How much a refusal matters, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: alert rules map each of the four"
)]
pub enum Severity {
    /// Ordinary on an open network; nobody has to act.
    Info,
    /// A sender has to change something.
    Warning,
    /// Wanted data is being lost; somebody should look today.
    Error,
    /// The service itself fails, or a privacy rule was broken; act now.
    Critical,
}

/// A text that names no reason of the taxonomy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown reason, use a dotted name from the catalogue such as `parse.json`")]
#[non_exhaustive]
pub struct UnknownReason;

// === impl Reason ===

impl Reason {
    /// The stable dotted name, `<stage>.<what>`, as used in answers, metrics and reports.
    pub const fn as_str(self) -> &'static str {
        self.facts().text
    }

    /// The step of the request path that refuses for this reason.
    pub const fn stage(self) -> Stage {
        self.facts().stage
    }

    /// The quality dimension a refusal counts against; `None` where it says nothing about the data.
    pub const fn dimension(self) -> Option<Dimension> {
        self.facts().dimension
    }

    /// How much it matters.
    pub const fn severity(self) -> Severity {
        self.facts().severity
    }

    /// Whether a bug or an infrastructure problem, rather than what was sent, cost the event.
    ///
    /// One such refusal deserves an alert; of the others only an unusual rate does.
    pub const fn is_unexpected(self) -> bool {
        matches!(self.facts().alert, taxonomy::Alert::Each)
    }

    /// What happened, in one sentence.
    pub const fn meaning(self) -> &'static str {
        self.facts().meaning
    }

    /// What to do about it, in one or two sentences.
    pub const fn remediation(self) -> &'static str {
        self.facts().remediation
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or(UnknownReason)
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

// === impl Stage ===

impl Stage {
    /// Every stage, in the order an event passes them.
    pub const ALL: [Self; 9] = [
        Self::Transport,
        Self::Auth,
        Self::Parse,
        Self::Envelope,
        Self::Schema,
        Self::Semantic,
        Self::Policy,
        Self::Capacity,
        Self::Internal,
    ];

    /// The first part of the dotted name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Auth => "auth",
            Self::Parse => "parse",
            Self::Envelope => "envelope",
            Self::Schema => "schema",
            Self::Semantic => "semantic",
            Self::Policy => "policy",
            Self::Capacity => "capacity",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Severity ===

impl Severity {
    /// Text used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;

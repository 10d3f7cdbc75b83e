//! Why something was refused: the list of reasons is the application's own.

mod catalogue;

use std::fmt;

use serde::Serialize;

use crate::dimension::Dimension;

pub use self::catalogue::Catalogue;

/// A closed list of reasons, stated by the application.
///
/// Implement it for an enum without fields; `self as usize` is the index if [`Self::ALL`] keeps the
/// order of the declaration.
///
/// # Contract
/// - [`Self::ALL`] holds every reason once, and [`Self::index`] is a reason's position in it.
/// - No two reasons share a name. A name is made of lower-case ASCII letters, digits, `_` and `.`, and
///   is a metric label and the key of stored samples: once released, it stays.
/// - What a name says before its first dot is the stage that refuses (`parse` in `parse.json`); the
///   reasons of one stage stand together.
///
/// The function `conformance::reason` (feature `conformance`) checks it, best in a test.
pub trait Reason: Copy + Eq + fmt::Debug + Send + Sync + 'static {
    /// Every reason, in the order in which the application checks for them.
    const ALL: &'static [Self];

    /// The position of this reason in [`Self::ALL`].
    fn index(self) -> usize;

    /// What the application states of this reason.
    fn facts(self) -> Facts;
}

/// What an application states of one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The stable name, `<stage>.<what>`, as used in metrics, samples and reports.
    pub name: &'static str,
    /// What happened, in one sentence.
    pub meaning: &'static str,
    /// What to do about it, in one or two sentences; default: empty.
    pub remediation: &'static str,
    /// The dimension a refusal counts against; default: `None`, it says nothing about the data.
    pub dimension: Option<Dimension>,
    /// How much it matters; default: [`Severity::Warning`].
    pub severity: Severity,
    /// Whether a bug or an infrastructure problem, rather than what was sent, is behind it; default:
    /// `false`.
    ///
    /// One such refusal deserves an alert; of the others only an unusual rate does.
    pub is_unexpected: bool,
}

/// How much a refusal matters, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: alert rules map each of the four"
)]
pub enum Severity {
    /// Ordinary; nobody has to act.
    Info,
    /// A sender has to change something.
    Warning,
    /// Wanted data is being lost; somebody should look today.
    Error,
    /// The application itself fails, or a privacy rule was broken; act now.
    Critical,
}

impl Facts {
    /// The facts of a reason with this name, which counts against no dimension.
    pub const fn new(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            meaning,
            remediation: "",
            dimension: None,
            severity: Severity::Warning,
            is_unexpected: false,
        }
    }

    /// Sets what to do about it.
    #[must_use]
    pub const fn remediation(self, remediation: &'static str) -> Self {
        Self {
            remediation,
            ..self
        }
    }

    /// Sets the dimension a refusal counts against.
    #[must_use]
    pub const fn dimension(self, dimension: Dimension) -> Self {
        Self {
            dimension: Some(dimension),
            ..self
        }
    }

    /// Sets how much it matters.
    #[must_use]
    pub const fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// Says that a bug or an infrastructure problem is behind it.
    #[must_use]
    pub const fn unexpected(self) -> Self {
        Self {
            is_unexpected: true,
            ..self
        }
    }

    /// The stage that refuses: the name up to its first dot.
    pub fn stage(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }
}

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

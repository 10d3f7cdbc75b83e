//! The five dimensions a score is made of.

use std::fmt;

use serde::Serialize;

/// One aspect of data quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: the score is defined over these five"
)]
pub enum Dimension {
    /// What must be there is there.
    Completeness,
    /// What is there has the agreed form.
    Validity,
    /// It came once.
    Uniqueness,
    /// It came in time.
    Timeliness,
    /// It agrees with what else is known.
    Consistency,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 5] = [
        Self::Completeness,
        Self::Validity,
        Self::Uniqueness,
        Self::Timeliness,
        Self::Consistency,
    ];

    /// Text used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completeness => "completeness",
            Self::Validity => "validity",
            Self::Uniqueness => "uniqueness",
            Self::Timeliness => "timeliness",
            Self::Consistency => "consistency",
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

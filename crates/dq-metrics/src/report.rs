//! What a person or a script wants to know about the data of a tenant.

mod alike;
mod html;
mod make;
mod markdown;
mod period;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    clock::UnixMillis,
    conservation::Conservation,
    dimension::Dimension,
    plan::Lifecycle,
    reason::Severity,
    sample::SampleGroup,
    score::{Direction, Score, Trend},
};

pub(crate) use self::make::deprecated_share;
pub use self::{
    html::Html,
    markdown::Markdown,
    period::{
        DayReport, GroupReport, PeriodHtml, PeriodMarkdown, PeriodReport, PeriodRequest,
        PeriodSamples, PeriodTrend, PeriodVersions,
    },
};

/// Data quality since the service started, of one tenant or of all.
///
/// It serialises to JSON, and shows itself as Markdown or as a page of HTML.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Whom it is about; `None` means all tenants.
    pub tenant: Option<String>,
    /// Whether the tenant is told apart from others.
    pub coverage: Coverage,
    /// When it was made.
    pub made_at: UnixMillis,
    /// What was received, and what is accounted for.
    pub conservation: Conservation,
    /// Events by outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Rejections by reason, the most frequent first.
    pub rejections: Vec<Rejections>,
    /// The score; `None` without data.
    pub score: Option<Score>,
    /// Where the score is going.
    pub trend: Trend,
    /// The event types that came at least once.
    pub event_types: Vec<EventTypeReport>,
    /// All tenants in short; empty in a report on one.
    pub tenants: Vec<TenantSummary>,
    /// Samples of what was discarded.
    pub samples: Vec<SampleGroup>,
}

/// Whether a tenant is told apart from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Coverage {
    /// The report is about all tenants.
    All,
    /// The tenant has counters of its own.
    Own,
    /// Nothing came from this tenant.
    Unseen,
    /// The tenant has no counters of its own; what came from it is under `__other__`.
    Shared,
}

/// How often one reason occurred, and what it means.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rejections {
    /// The name of the reason.
    pub reason: &'static str,
    /// How often.
    pub events: u64,
    /// The stage that refuses.
    pub stage: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The dimension of the score it counts against.
    pub dimension: Option<Dimension>,
    /// Whether a bug or an infrastructure problem is behind it.
    pub unexpected: bool,
    /// What to do.
    pub remediation: &'static str,
}

/// One event type in a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EventTypeReport {
    /// The type, possibly `__other__` or `__unknown__`.
    pub event_type: String,
    /// Events by outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// The score, 0 to 100; `None` without data.
    pub score: Option<f64>,
    /// Schema versions in use.
    pub versions: Vec<VersionReport>,
    /// Share of the events with a version that use a deprecated one, 0 to 1.
    pub deprecated_share: Option<f64>,
}

/// One schema version in a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct VersionReport {
    /// The version, possibly `__other__` or `__unknown__`.
    pub version: String,
    /// Whether it should still be sent; `None` if it is not planned.
    pub lifecycle: Option<Lifecycle>,
    /// Events that used it.
    pub events: u64,
    /// When the last one came.
    pub last_seen: UnixMillis,
}

/// One tenant among all.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TenantSummary {
    /// The tenant, possibly `__other__` or `__unknown__`.
    pub tenant: String,
    /// What was received, and what is accounted for.
    pub conservation: Conservation,
    /// The score, 0 to 100; `None` without data.
    pub score: Option<f64>,
    /// Lower end of the 95 % interval of the score.
    pub lower_bound: Option<f64>,
    /// Which way it goes.
    pub direction: Option<Direction>,
}

impl Coverage {
    /// What a reader has to know before the numbers.
    pub(crate) const fn note(self) -> Option<&'static str> {
        match self {
            Self::All | Self::Own => None,
            Self::Unseen => Some(
                "Nothing has come from a tenant of this name since the service started: check the \
                 name.",
            ),
            Self::Shared => Some(
                "This tenant has no counters of its own: what came from it is in the report on all \
                 tenants, under __other__.",
            ),
        }
    }
}

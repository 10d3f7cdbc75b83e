//! A report on days that a history has.

mod html;
mod make;
mod markdown;
mod plot;
mod receipts;
mod versions;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Rejections, VersionReport};
use crate::{
    clock::UnixMillis,
    conservation::Conservation,
    history::{Day, Days, HistorySample},
    outcome::REJECTED,
    score::{Direction, Score, Weights},
};

pub use self::{html::PeriodHtml, markdown::PeriodMarkdown};

/// Data quality over whole days, of one tenant or of all, as a [`QualityHistory`](crate::history::QualityHistory)
/// has it.
///
/// It serialises to JSON, and shows itself as Markdown or as a page of HTML with plots.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PeriodReport {
    /// Whom it is about; `None` means all tenants.
    pub tenant: Option<String>,
    /// Which days, of UTC.
    pub days: Days,
    /// When it was made.
    pub made_at: UnixMillis,
    /// How many events that were.
    pub events: u64,
    /// What was received, and what of it is accounted for; `None` if the history knows nothing of it.
    ///
    /// Earlier versions of this crate kept no receipts: `events` is then above its outcomes. What was received shortly before a
    /// process was killed stays unaccounted.
    pub conservation: Option<Conservation>,
    /// Events by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Rejections by reason, the most frequent first.
    pub rejections: Vec<Rejections>,
    /// Events whose outcome or reason this version does not know, by its name; they count in no score.
    pub unknown: BTreeMap<String, u64>,
    /// The score; `None` without data.
    pub score: Option<Score>,
    /// Where the score is going.
    pub trend: PeriodTrend,
    /// Each of the days.
    pub by_day: Vec<DayReport>,
    /// The event types that came at least once.
    pub event_types: Vec<GroupReport>,
    /// Schema versions in use, by event type.
    pub versions: Vec<PeriodVersions>,
    /// All tenants in short; empty in a report on one.
    pub tenants: Vec<GroupReport>,
    /// Samples of what was discarded, the latest days first.
    pub samples: Vec<PeriodSamples>,
}

/// What a report is to be about.
#[derive(Clone, Debug)]
#[must_use]
pub struct PeriodRequest {
    days: Days,
    tenant: Option<String>,
    weights: Weights,
}

/// The score of the later half of the days against that of the earlier half.
///
/// `None` where nothing was judged, or where there is only one day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PeriodTrend {
    /// Score of the earlier half, 0 to 100; a day in the middle belongs to the later one.
    pub earlier: Option<f64>,
    /// Score of the later half, 0 to 100.
    pub later: Option<f64>,
    /// Which way it goes.
    pub direction: Option<Direction>,
}

/// One day of a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DayReport {
    /// The day, of UTC.
    pub day: Day,
    /// How many events came.
    pub events: u64,
    /// What was received, and what of it is accounted for; `None` if the history knows nothing of it.
    ///
    /// An event that was in flight at midnight was received on one day, and is accounted for on the next.
    pub conservation: Option<Conservation>,
    /// Events by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// The score, 0 to 100; `None` without data.
    pub score: Option<f64>,
    /// Lower end of the 95 % interval of the score.
    pub lower_bound: Option<f64>,
}

/// One tenant, or one event type, of a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupReport {
    /// Its name, possibly `__other__` or `__unknown__`.
    pub name: String,
    /// How many events came.
    pub events: u64,
    /// Events by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// The score, 0 to 100; `None` without data.
    pub score: Option<f64>,
    /// Lower end of the 95 % interval of the score.
    pub lower_bound: Option<f64>,
}

/// Schema versions of one event type in a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PeriodVersions {
    /// The type, possibly `__other__` or `__unknown__`.
    pub event_type: String,
    /// Each version that was used, with the lifecycle that it had when the last event came.
    pub versions: Vec<VersionReport>,
    /// Share of the events with a version that was deprecated when they came, 0 to 1; `None` if none stated one.
    pub deprecated_share: Option<f64>,
}

/// Samples of one reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PeriodSamples {
    /// The name of the reason.
    pub reason: String,
    /// How many events were refused for it in these days, sampled or not.
    pub count: u64,
    /// The samples: of each process and day at most 16, each event of its day as likely as another.
    pub samples: Vec<HistorySample>,
}

impl PeriodReport {
    /// Events whose receipt nobody kept.
    pub(super) fn events_without_receipt(&self) -> u64 {
        let accounted = self.conservation.map_or(0, |both| both.outcomes);
        self.events.saturating_sub(accounted)
    }
}

impl PeriodRequest {
    /// On all tenants, every dimension with the same weight.
    pub const fn new(days: Days) -> Self {
        Self {
            days,
            tenant: None,
            weights: Weights::EQUAL,
        }
    }

    /// On this tenant alone, or on all.
    pub fn tenant(self, tenant: Option<&str>) -> Self {
        let tenant = tenant.map(str::to_owned);
        Self { tenant, ..self }
    }

    /// How much each dimension weighs.
    pub fn weights(self, weights: Weights) -> Self {
        Self { weights, ..self }
    }
}

/// How many of these events were rejected.
fn rejected(outcomes: &BTreeMap<String, u64>) -> u64 {
    outcomes.get(REJECTED).copied().unwrap_or_default()
}

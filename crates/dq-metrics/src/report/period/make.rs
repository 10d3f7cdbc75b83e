//! From a history to a report.

use std::{collections::BTreeMap, num::NonZeroU32};

use super::{
    DayReport, GroupReport, PeriodReport, PeriodRequest, PeriodSamples, PeriodTrend,
    versions::versions,
};
use crate::{
    clock::UnixMillis,
    history::{
        Day, Group, GroupBy, HistoryError, HistoryQuery, QualityHistory, SampleQuery, TallyQuery,
        TallySum,
    },
    outcome::Outcome,
    reason::Reason,
    report::make::rejections,
    score::{Direction, Score, Weights},
    tally::Tally,
};

/// Samples of a report, at 2 KiB each.
const SAMPLES: NonZeroU32 = NonZeroU32::new(256).expect("not 0");

/// What one group of sums comes to.
struct Counts<R> {
    tally: Tally<R>,
    events: u64,
    outcomes: BTreeMap<String, u64>,
    unknown: BTreeMap<String, u64>,
}

impl PeriodReport {
    /// Makes a report from what the history has by now. What was counted in the last seconds may be missing:
    /// writers flush now and then.
    ///
    /// # Errors
    /// [`HistoryError`] when the history cannot be read.
    pub async fn read<R: Reason>(
        history: &dyn QualityHistory,
        request: &PeriodRequest,
        made_at: UnixMillis,
    ) -> Result<Self, HistoryError> {
        let PeriodRequest {
            days,
            tenant,
            weights,
        } = request;
        let by_day = groups::<R>(history, request, GroupBy::Day).await?;
        let event_types = groups::<R>(history, request, GroupBy::EventType).await?;
        let tenants = match tenant {
            None => groups::<R>(history, request, GroupBy::Tenant).await?,
            Some(_) => BTreeMap::new(),
        };
        let query = SampleQuery::new(*days, SAMPLES).tenant(tenant.as_deref());
        let samples = history.samples(&query).await?;
        let all = Counts::<R>::sum(by_day.values());
        let query = HistoryQuery::new(*days).tenant(tenant.as_deref());
        let receipts = history.receipts(&query).await?.into_iter();
        let receipts: BTreeMap<_, _> = receipts.map(|sum| (sum.day, sum.conservation)).collect();
        let versions = versions(&history.versions(&query).await?);
        let samples = samples
            .into_iter()
            .fold(BTreeMap::new(), |mut groups, sample| {
                let of_reason: &mut Vec<_> = groups.entry(sample.reason.clone()).or_default();
                of_reason.push(sample);
                groups
            });
        let samples = samples.into_iter().map(|(reason, samples)| PeriodSamples {
            count: all.rejected(&reason),
            reason,
            samples,
        });
        Ok(Self {
            tenant: tenant.clone(),
            days: *days,
            made_at,
            score: Score::of(&all.tally, weights),
            rejections: rejections(&all.tally),
            trend: trend(request, &by_day),
            by_day: days
                .iter()
                .map(|day| DayReport {
                    conservation: receipts.get(&day).copied(),
                    ..day_report(day, by_day.get(&Group::Day(day)), weights)
                })
                .collect(),
            conservation: receipts.into_values().reduce(|mut sum, both| {
                sum += both;
                sum
            }),
            versions,
            event_types: reports(event_types, weights),
            tenants: reports(tenants, weights),
            samples: samples.collect(),
            events: all.events,
            outcomes: all.outcomes,
            unknown: all.unknown,
        })
    }
}

async fn groups<R: Reason>(
    history: &dyn QualityHistory,
    request: &PeriodRequest,
    by: GroupBy,
) -> Result<BTreeMap<Group, Counts<R>>, HistoryError> {
    let query = TallyQuery::new(request.days, by).tenant(request.tenant.as_deref());
    let mut groups: BTreeMap<Group, Counts<R>> = BTreeMap::new();
    for sum in history.tallies(&query).await? {
        groups.entry(sum.group.clone()).or_default().add(&sum);
    }
    Ok(groups)
}

/// The later half of the days against the earlier one.
fn trend<R: Reason>(request: &PeriodRequest, by_day: &BTreeMap<Group, Counts<R>>) -> PeriodTrend {
    let days: Vec<Day> = request.days.iter().collect();
    let (earlier, later) = days.split_at(days.len() / 2);
    let score = |days: &[Day]| {
        let counts = days.iter().filter_map(|day| by_day.get(&Group::Day(*day)));
        let tally: Tally<R> = counts.map(|counts| counts.tally.clone()).sum();
        Score::of(&tally, &request.weights).map(|score| score.value)
    };
    let (earlier, later) = (score(earlier), score(later));
    PeriodTrend {
        earlier,
        later,
        direction: earlier
            .zip(later)
            .map(|(earlier, later)| Direction::of(later - earlier)),
    }
}

fn day_report<R: Reason>(day: Day, counts: Option<&Counts<R>>, weights: &Weights) -> DayReport {
    let score = counts.and_then(|counts| Score::of(&counts.tally, weights));
    DayReport {
        day,
        events: counts.map_or(0, |counts| counts.events),
        conservation: None,
        outcomes: counts
            .map(|counts| counts.outcomes.clone())
            .unwrap_or_default(),
        score: score.as_ref().map(|score| score.value),
        lower_bound: score.map(|score| score.lower_bound),
    }
}

fn reports<R: Reason>(groups: BTreeMap<Group, Counts<R>>, weights: &Weights) -> Vec<GroupReport> {
    let groups = groups.into_iter();
    let reports = groups.map(|(group, counts)| {
        let score = Score::of(&counts.tally, weights);
        GroupReport {
            name: match group {
                Group::Day(day) => day.to_string(),
                Group::Tenant(name) | Group::EventType(name) => name,
            },
            events: counts.events,
            outcomes: counts.outcomes,
            score: score.as_ref().map(|score| score.value),
            lower_bound: score.map(|score| score.lower_bound),
        }
    });
    reports.collect()
}

impl<R: Reason> Counts<R> {
    fn add(&mut self, sum: &TallySum) {
        let TallySum {
            outcome,
            reason,
            events,
            ..
        } = sum;
        self.events += events;
        *self.outcomes.entry(outcome.clone()).or_default() += events;
        match known(outcome, reason) {
            Some(outcome) => self.tally.add(outcome, *events),
            None => {
                let name = if reason.is_empty() { outcome } else { reason };
                *self.unknown.entry(name.clone()).or_default() += events;
            }
        }
    }

    fn sum<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        all.fold(Self::default(), |mut sum, counts| {
            sum.events += counts.events;
            sum.tally = [sum.tally, counts.tally.clone()].into_iter().sum();
            for (outcome, events) in &counts.outcomes {
                *sum.outcomes.entry(outcome.clone()).or_default() += events;
            }
            for (name, events) in &counts.unknown {
                *sum.unknown.entry(name.clone()).or_default() += events;
            }
            sum
        })
    }

    /// How many events were refused for the reason of this name.
    fn rejected(&self, name: &str) -> u64 {
        let reason = R::ALL.iter().find(|reason| reason.facts().name == name);
        match reason {
            Some(reason) => self.tally.count(Outcome::Rejected(*reason)),
            None => self.unknown.get(name).copied().unwrap_or_default(),
        }
    }
}

impl<R: Reason> Default for Counts<R> {
    fn default() -> Self {
        Self {
            tally: Tally::default(),
            events: 0,
            outcomes: BTreeMap::new(),
            unknown: BTreeMap::new(),
        }
    }
}

/// What another version wrote may be called as nothing is any more.
fn known<R: Reason>(outcome: &str, reason: &str) -> Option<Outcome<R>> {
    let named = |known: &Outcome<R>| match known {
        Outcome::Rejected(known) => known.facts().name == reason,
        _ => reason.is_empty(),
    };
    Outcome::all().find(|known| known.as_str() == outcome && named(known))
}

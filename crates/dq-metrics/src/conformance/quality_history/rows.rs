//! What the clauses write and ask for.

use std::num::NonZeroU32;

use crate::{
    clock::UnixMillis,
    conformance::Clause,
    conservation::Conservation,
    history::{
        Day, Days, Group, GroupBy, HistoryBatch, HistoryError, HistoryQuery, HistorySample, Hour,
        QualityHistory, SampleChange, SampleQuery, TallyKey, TallyQuery, TallySum, VersionSum,
        WriterId,
    },
    sample::{Sample, SampleSlot},
};

pub(super) type Sum = (Group, String, String, u64);

pub(super) fn sum(group: Group, outcome: &str, reason: &str, events: u64) -> Sum {
    (group, outcome.to_owned(), reason.to_owned(), events)
}

pub(super) fn of_day(day: u32, events: u64) -> Sum {
    sum(Group::Day(Day::new(day)), "accepted", "", events)
}

pub(super) fn tuples(sums: Vec<TallySum>) -> Vec<Sum> {
    let sums = sums.into_iter();
    sums.map(|sum| (sum.group, sum.outcome, sum.reason, sum.events))
        .collect()
}

pub(super) fn key(hour: u32, tenant: &str, event_type: &str) -> TallyKey {
    TallyKey::new(Hour::new(hour), tenant, event_type, "accepted")
}

pub(super) fn batch(writer: u8, sequence: u64, tallies: &[(TallyKey, u64)]) -> HistoryBatch {
    let mut batch = HistoryBatch::new(WriterId::from_bytes([writer; 16]), sequence);
    batch.tallies.extend(tallies.iter().cloned());
    batch
}

pub(super) fn change(
    day: u32,
    reason: &'static str,
    slot: usize,
    sample: Option<Sample>,
) -> SampleChange {
    let slot = SampleSlot::new(reason, slot).expect("there is such a slot");
    SampleChange::new(Day::new(day), slot, sample)
}

pub(super) fn example(reason: &'static str, ordinal: u64) -> Sample {
    let mut sample = Sample::new(reason, ordinal, UnixMillis::new(1_767_225_600_123));
    sample.tenant = "acme".to_owned();
    sample.event_type = "lead.created".to_owned();
    sample.detail = "/data/email".to_owned();
    sample.excerpt = "{}".to_owned();
    sample
}

pub(super) fn days(from: u32, to: u32) -> Days {
    Days::new(Day::new(from), Day::new(to)).expect("they are in order")
}

pub(super) async fn write(clause: Clause, history: &dyn QualityHistory, batch: &HistoryBatch) {
    clause.done("write", history.write(batch).await);
}

pub(super) async fn sums(
    clause: Clause,
    history: &dyn QualityHistory,
    days: Days,
    by: GroupBy,
) -> Vec<Sum> {
    let found = history.tallies(&TallyQuery::new(days, by)).await;
    tuples(clause.done("tallies", found))
}

pub(super) async fn samples(
    clause: Clause,
    history: &dyn QualityHistory,
    from: u32,
    to: u32,
) -> Vec<HistorySample> {
    let query = SampleQuery::new(days(from, to), NonZeroU32::MAX);
    clause.done("samples", history.samples(&query).await)
}

/// Of the first 31 days.
pub(super) async fn receipts(
    clause: Clause,
    history: &dyn QualityHistory,
    tenant: Option<&str>,
) -> Vec<(u32, Conservation)> {
    let query = HistoryQuery::new(days(0, 30)).tenant(tenant);
    let found = clause.done("receipts", history.receipts(&query).await);
    let found = found.into_iter();
    found
        .map(|sum| (sum.day.value(), sum.conservation))
        .collect()
}

/// Of the first 31 days.
pub(super) async fn versions(
    clause: Clause,
    history: &dyn QualityHistory,
    tenant: Option<&str>,
) -> Vec<VersionSum> {
    let query = HistoryQuery::new(days(0, 30)).tenant(tenant);
    clause.done("versions", history.versions(&query).await)
}

impl Clause {
    #[track_caller]
    pub(super) fn done<T>(self, what: &str, outcome: Result<T, HistoryError>) -> T {
        outcome.unwrap_or_else(|error| self.fails(format_args!("{what} failed: {error:?}")))
    }
}

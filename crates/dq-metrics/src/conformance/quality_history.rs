//! The contract of `QualityHistory`.

mod days;
mod erasure;
mod rows;

use std::{num::NonZeroU32, sync::Arc};

use self::{
    days::{
        a_day_with_too_many_rows_keeps_the_counts, receipts_add_up_by_day,
        versions_are_told_apart_by_type_and_lifecycle,
    },
    erasure::{
        an_erased_tenant_is_gone_and_nothing_else, erased_tenants_are_told_in_their_order,
        names_that_many_share_are_not_erased, what_comes_of_an_erased_tenant_is_nobodys,
    },
    rows::{
        batch, change, days, example, key, of_day, receipts, samples, sum, sums, tuples, versions,
        write,
    },
};
use super::{Clause, clauses};
use crate::{
    clock::UnixMillis,
    conservation::Conservation,
    history::{
        Day, Group, GroupBy, HistorySample, Hour, QualityHistory, ROWS_PER_HOUR, ReceiptKey,
        Retention, SAMPLES_PER_DAY, SampleQuery, TallyKey, TallyQuery, VersionCount, VersionKey,
    },
    sample::{Fingerprint, SAMPLES_PER_REASON, TraceId},
};

const READ: &str = "read.unreadable";
const CHECK: &str = "check.incomplete";

/// Checks a history against the contract of [`QualityHistory`]; `make` makes an empty one for each clause.
///
/// # Panics
/// The history breaks the contract, or fails. The message names the clause.
pub async fn quality_history(make: impl AsyncFn() -> Arc<dyn QualityHistory>) {
    clauses! { async "QualityHistory";
        it_is_empty_at_first(&*make().await);
        tallies_of_one_key_add_up(&*make().await);
        a_batch_that_comes_again_changes_nothing(&*make().await);
        sums_are_told_apart_by_what_was_asked_for(&*make().await);
        an_outcome_is_given_back_as_it_was_called(&*make().await);
        sums_are_of_whole_days_and_of_one_tenant(&*make().await);
        an_hour_with_too_many_rows_keeps_the_counts(&*make().await);
        a_sample_is_given_back_as_it_was_put(&*make().await);
        a_change_replaces_or_clears_what_its_writer_put(&*make().await);
        samples_are_in_order_and_no_more_than_were_asked_for(&*make().await);
        a_reason_and_day_have_a_bound_of_samples(&*make().await);
        what_is_too_old_is_removed_and_nothing_else(&*make().await);
        receipts_add_up_by_day(&*make().await);
        versions_are_told_apart_by_type_and_lifecycle(&*make().await);
        a_day_with_too_many_rows_keeps_the_counts(&*make().await);
        an_erased_tenant_is_gone_and_nothing_else(&*make().await);
        what_comes_of_an_erased_tenant_is_nobodys(&*make().await);
        erased_tenants_are_told_in_their_order(&*make().await);
        names_that_many_share_are_not_erased(&*make().await);
    }
}

async fn it_is_empty_at_first(clause: Clause, history: &dyn QualityHistory) {
    clause.same(
        "tallies",
        sums(clause, history, days(0, 365), GroupBy::Day).await,
        [],
    );
    clause.same("samples", samples(clause, history, 0, 365).await, []);
}

async fn tallies_of_one_key_add_up(clause: Clause, history: &dyn QualityHistory) {
    for (name, sequence, events) in [(1, 1, 3), (2, 1, 4), (1, 2, 5)] {
        let batch = batch(name, sequence, &[(key(240, "acme", "lead"), events)]);
        write(clause, history, &batch).await;
    }
    let found = sums(clause, history, days(10, 10), GroupBy::Day).await;
    clause.same("two batches and another writer's", found, [of_day(10, 12)]);
}

async fn a_batch_that_comes_again_changes_nothing(clause: Clause, history: &dyn QualityHistory) {
    let mut second = batch(1, 2, &[(key(240, "acme", "lead"), 3)]);
    second.samples = vec![change(10, READ, 0, Some(example(READ, 1)))];
    let first = batch(1, 1, &[(key(240, "acme", "lead"), 100)]);
    for batch in [&second, &second, &first] {
        write(clause, history, batch).await;
    }
    let found = sums(clause, history, days(10, 10), GroupBy::Day).await;
    clause.same(
        "a batch of 3, again, and one from before",
        found,
        [of_day(10, 3)],
    );
    clause.same("samples", samples(clause, history, 10, 10).await.len(), 1);
}

async fn sums_are_told_apart_by_what_was_asked_for(clause: Clause, history: &dyn QualityHistory) {
    let rejected =
        |reason| TallyKey::new(Hour::new(250), "acme", "lead", "rejected").reason(reason);
    let tallies = [
        (key(240, "acme", "lead"), 1),
        (key(263, "globex", "view"), 2),
        (key(264, "acme", "view"), 4),
        (rejected(READ), 8),
        (rejected(CHECK), 16),
    ];
    write(clause, history, &batch(1, 1, &tallies)).await;
    for (by, expected) in [
        (
            GroupBy::Day,
            [
                sum(Group::Day(Day::new(10)), "accepted", "", 3),
                sum(Group::Day(Day::new(10)), "rejected", CHECK, 16),
                sum(Group::Day(Day::new(10)), "rejected", READ, 8),
                sum(Group::Day(Day::new(11)), "accepted", "", 4),
            ],
        ),
        (
            GroupBy::Tenant,
            [
                sum(Group::Tenant("acme".into()), "accepted", "", 5),
                sum(Group::Tenant("acme".into()), "rejected", CHECK, 16),
                sum(Group::Tenant("acme".into()), "rejected", READ, 8),
                sum(Group::Tenant("globex".into()), "accepted", "", 2),
            ],
        ),
        (
            GroupBy::EventType,
            [
                sum(Group::EventType("lead".into()), "accepted", "", 1),
                sum(Group::EventType("lead".into()), "rejected", CHECK, 16),
                sum(Group::EventType("lead".into()), "rejected", READ, 8),
                sum(Group::EventType("view".into()), "accepted", "", 6),
            ],
        ),
    ] {
        let found = sums(clause, history, days(0, 20), by).await;
        clause.same(&format!("by {by:?}"), found, expected);
    }
}

/// One that this version has no name for, too: an earlier or a later one may write to the same history.
async fn an_outcome_is_given_back_as_it_was_called(clause: Clause, history: &dyn QualityHistory) {
    let outcomes = [
        "accepted",
        "duplicate_conflicting",
        "duplicate_natural",
        "filtered",
        "lost",
        "modified",
        "of_another_version",
        "rate_limited",
    ];
    let key = |outcome| TallyKey::new(Hour::new(240), "acme", "lead", outcome);
    let tallies: Vec<_> = outcomes.map(key).into_iter().zip(1..).collect();
    write(clause, history, &batch(1, 1, &tallies)).await;
    let day = || Group::Day(Day::new(10));
    let expected = outcomes.into_iter().zip(1..);
    let expected: Vec<_> = expected
        .map(|(outcome, events)| sum(day(), outcome, "", events))
        .collect();
    let found = sums(clause, history, days(10, 10), GroupBy::Day).await;
    clause.same("each with its count", found, expected);
}

async fn sums_are_of_whole_days_and_of_one_tenant(clause: Clause, history: &dyn QualityHistory) {
    let tallies = [
        (key(239, "acme", "lead"), 1),
        (key(240, "acme", "lead"), 2),
        (key(263, "acme", "lead"), 4),
        (key(264, "acme", "lead"), 8),
        (key(250, "globex", "lead"), 16),
    ];
    write(clause, history, &batch(1, 1, &tallies)).await;
    let all = sums(clause, history, days(10, 10), GroupBy::Day).await;
    clause.same("of the tenth day", all, [of_day(10, 22)]);
    let query = TallyQuery::new(days(10, 10), GroupBy::Day).tenant(Some("acme"));
    let found = clause.done("tallies", history.tallies(&query).await);
    clause.same("of one tenant", tuples(found), [of_day(10, 6)]);
}

async fn an_hour_with_too_many_rows_keeps_the_counts(clause: Clause, history: &dyn QualityHistory) {
    const ROWS: u64 = 512;
    let batches = ROWS_PER_HOUR / ROWS + 4;
    for sequence in 1..=batches {
        let tallies: Vec<_> = (0..ROWS)
            .map(|n| (key(240, &format!("t{sequence}-{n}"), "lead"), 1))
            .chain([(key(264, "acme", "lead"), 1)])
            .collect();
        write(clause, history, &batch(1, sequence, &tallies)).await;
    }
    let found = sums(clause, history, days(10, 11), GroupBy::Day).await;
    let expected = [of_day(10, batches * ROWS), of_day(11, batches)];
    clause.same("events of the full hour, and of another", found, expected);
    let tenants = sums(clause, history, days(10, 10), GroupBy::Tenant).await;
    clause.same("tenants", tenants.len() as u64, ROWS_PER_HOUR + 1);
    let others = sum(Group::Tenant("__other__".into()), "accepted", "", 4 * ROWS);
    clause.holds(
        tenants.contains(&others),
        "the rest is not under `__other__`",
    );
}

async fn a_sample_is_given_back_as_it_was_put(clause: Clause, history: &dyn QualityHistory) {
    let mut whole = example(READ, u64::MAX >> 1);
    whole.trace_id = Some(TraceId::from_bytes([0xfe; 16]));
    whole.fingerprint = Fingerprint::new(u64::MAX);
    whole.excerpt = "{\"näme\": \"aaa\u{1f600}\", 'x'; --".to_owned();
    let mut added = batch(1, 1, &[]);
    added.samples = vec![
        change(10, READ, 0, Some(whole.clone())),
        change(10, READ, 15, Some(example(READ, 2))),
    ];
    write(clause, history, &added).await;
    let expected = [whole, example(READ, 2)].map(|sample| HistorySample::new(Day::new(10), sample));
    clause.same(
        "two samples",
        samples(clause, history, 10, 10).await,
        expected,
    );
}

async fn a_change_replaces_or_clears_what_its_writer_put(
    clause: Clause,
    history: &dyn QualityHistory,
) {
    for (writer, sequence, slot, ordinal) in [
        (1, 1, 0, Some(1)),
        (2, 1, 0, Some(2)),
        (1, 2, 0, Some(3)),
        (1, 3, 1, Some(4)),
        (1, 4, 1, None),
    ] {
        let mut added = batch(writer, sequence, &[]);
        let sample = ordinal.map(|ordinal| example(READ, ordinal));
        added.samples = vec![change(10, READ, slot, sample)];
        write(clause, history, &added).await;
    }
    let found = samples(clause, history, 10, 10).await;
    let found: Vec<_> = found.iter().map(|sample| sample.ordinal).collect();
    clause.same(
        "1, replaced by 3, another writer's 2, and 4, cleared",
        found,
        [3, 2],
    );
}

async fn samples_are_in_order_and_no_more_than_were_asked_for(
    clause: Clause,
    history: &dyn QualityHistory,
) {
    let mut added = batch(1, 1, &[]);
    for (day, reason, slot, ordinal) in [
        (10, READ, 1, 1),
        (11, READ, 0, 2),
        (11, CHECK, 0, 3),
        (10, READ, 0, 4),
        (12, READ, 0, 5),
    ] {
        let mut sample = example(reason, ordinal);
        if ordinal == 3 {
            sample.tenant = "globex".to_owned();
        }
        added.samples.push(change(day, reason, slot, Some(sample)));
    }
    write(clause, history, &added).await;
    let ordinals = async |tenant: Option<&str>, limit: u32| -> Vec<u64> {
        let limit = NonZeroU32::new(limit).expect("not 0");
        let query = SampleQuery::new(days(10, 11), limit).tenant(tenant);
        let found = clause.done("samples", history.samples(&query).await);
        found.iter().map(|sample| sample.ordinal).collect()
    };
    clause.same("of two days", ordinals(None, 9).await, [3, 2, 4, 1]);
    clause.same("at most two", ordinals(None, 2).await, [3, 2]);
    clause.same("of one tenant", ordinals(Some("acme"), 9).await, [2, 4, 1]);
}

async fn a_reason_and_day_have_a_bound_of_samples(clause: Clause, history: &dyn QualityHistory) {
    let writers = u8::try_from(SAMPLES_PER_DAY / SAMPLES_PER_REASON as u64).expect("few") + 3;
    for writer in 0..writers {
        let mut added = batch(writer, 1, &[]);
        added.samples = (0..SAMPLES_PER_REASON)
            .map(|slot| change(10, READ, slot, Some(example(READ, 1))))
            .chain([change(10, CHECK, 0, Some(example(CHECK, 1)))])
            .collect();
        write(clause, history, &added).await;
    }
    let found = samples(clause, history, 10, 10).await;
    let of = |reason| {
        found
            .iter()
            .filter(|sample| sample.reason == reason)
            .count() as u64
    };
    clause.same("of one reason", of(READ), SAMPLES_PER_DAY);
    clause.same("of the other", of(CHECK), u64::from(writers));
    let mut again = batch(0, 2, &[]);
    again.samples = vec![change(10, READ, 0, Some(example(READ, 99)))];
    write(clause, history, &again).await;
    let found = samples(clause, history, 10, 10).await;
    let is_there = found.iter().any(|sample| sample.ordinal == 99);
    clause.holds(is_there, "a sample that stands there cannot be replaced");
}

async fn what_is_too_old_is_removed_and_nothing_else(clause: Clause, history: &dyn QualityHistory) {
    let tallies: Vec<_> = (10..20)
        .map(|day| (key(day * 24 + 23, "acme", "lead"), 1))
        .collect();
    let mut added = batch(1, 1, &tallies);
    for day in 10..20 {
        let sample = Some(example(READ, 1));
        added.samples.push(change(day, READ, 0, sample));
        let (day, uses) = (Day::new(day), VersionCount::new(1, UnixMillis::new(0)));
        let receipt = ReceiptKey::new(day, "acme");
        added.receipts.insert(receipt, Conservation::new(1, 1));
        let version = VersionKey::new(day, "acme", "lead", "1");
        added.versions.insert(version, uses);
    }
    write(clause, history, &added).await;
    let [tallies, kept_samples] = [5, 2].map(|days| NonZeroU32::new(days).expect("not 0"));
    let keep = Retention::of_days(Day::new(19), tallies, kept_samples);
    let removed = clause.done("prune", history.prune(keep).await);
    clause.same("removed", removed, 3 * 5 + 8);
    let found = sums(clause, history, days(0, 30), GroupBy::Day).await;
    let expected: Vec<_> = (15..20).map(|day| of_day(day, 1)).collect();
    clause.same("tallies", found, expected);
    let found = receipts(clause, history, None).await;
    clause.same("days of receipts", found.len(), 5);
    let found = versions(clause, history, None).await;
    let events: Vec<_> = found.iter().map(|sum| sum.count.events).collect();
    clause.same("uses of the version", events, [5]);
    let found = samples(clause, history, 0, 30).await;
    let found: Vec<_> = found.iter().map(|sample| sample.day.value()).collect();
    clause.same("days of samples", found, [19, 18]);
    clause.same(
        "removed again",
        clause.done("prune", history.prune(keep).await),
        0,
    );
}

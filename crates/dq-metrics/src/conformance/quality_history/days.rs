//! The clauses on what is kept by the day.

use super::{
    Clause,
    rows::{batch, receipts, versions, write},
};
use crate::{
    clock::UnixMillis,
    conservation::Conservation,
    history::{
        Day, QualityHistory, ROWS_PER_DAY, ReceiptKey, VersionCount, VersionKey, VersionSum,
    },
    plan::Lifecycle,
};

pub(super) async fn receipts_add_up_by_day(clause: Clause, history: &dyn QualityHistory) {
    for (writer, day, tenant, received, outcomes) in [
        (1, 10, "acme", 5, 4),
        (2, 10, "acme", 3, 3),
        (3, 10, "globex", 1, 1),
        (4, 11, "acme", 0, 1),
        (5, 31, "acme", 100, 100),
    ] {
        let mut added = batch(writer, 1, &[]);
        let key = ReceiptKey::new(Day::new(day), tenant);
        let both = Conservation::new(received, outcomes);
        added.receipts.insert(key, both);
        for _ in 0..2 {
            write(clause, history, &added).await;
        }
    }
    let found = receipts(clause, history, None).await;
    let expected = [(10, Conservation::new(9, 8)), (11, Conservation::new(0, 1))];
    clause.same("of all", found, expected);
    let found = receipts(clause, history, Some("acme")).await;
    let expected = [(10, Conservation::new(8, 7)), (11, Conservation::new(0, 1))];
    clause.same("of one tenant", found, expected);
}

pub(super) async fn versions_are_told_apart_by_type_and_lifecycle(
    clause: Clause,
    history: &dyn QualityHistory,
) {
    let (current, deprecated) = (Some(Lifecycle::Current), Some(Lifecycle::Deprecated));
    for (writer, day, tenant, version, lifecycle, events, last_seen) in [
        (1, 10, "acme", "1", current, 1, 700),
        (2, 10, "acme", "1", current, 2, 900),
        (3, 10, "globex", "1", current, 4, 800),
        (4, 11, "acme", "1", deprecated, 8, 1_000),
        (5, 11, "acme", "2", current, 16, 1_100),
        (6, 11, "acme", "x", None, 32, 1_200),
        (7, 31, "acme", "2", current, 64, 5_000),
    ] {
        let mut added = batch(writer, 1, &[]);
        let key = VersionKey::new(Day::new(day), tenant, "lead", version).lifecycle(lifecycle);
        let uses = VersionCount::new(events, UnixMillis::new(last_seen));
        added.versions.insert(key, uses);
        for _ in 0..2 {
            write(clause, history, &added).await;
        }
    }
    let sum = |version: &str, lifecycle, events, last_seen| {
        let uses = VersionCount::new(events, UnixMillis::new(last_seen));
        VersionSum::new("lead".to_owned(), version.to_owned(), lifecycle, uses)
    };
    let found = versions(clause, history, None).await;
    let expected = [
        sum("1", current, 7, 900),
        sum("1", deprecated, 8, 1_000),
        sum("2", current, 16, 1_100),
        sum("x", None, 32, 1_200),
    ];
    clause.same("of all", found, expected);
    let found = versions(clause, history, Some("globex")).await;
    clause.same("of one tenant", found, [sum("1", current, 4, 800)]);
}

pub(super) async fn a_day_with_too_many_rows_keeps_the_counts(
    clause: Clause,
    history: &dyn QualityHistory,
) {
    const ROWS: u64 = 512;
    let batches = ROWS_PER_DAY / ROWS + 4;
    for sequence in 1..=batches {
        let mut added = batch(1, sequence, &[]);
        for n in 0..ROWS {
            let (day, tenant) = (Day::new(10), format!("t{sequence}-{n}"));
            let receipt = ReceiptKey::new(day, &tenant);
            added.receipts.insert(receipt, Conservation::new(2, 1));
            let version = VersionKey::new(day, &tenant, &format!("e{sequence}-{n}"), "1");
            let uses = VersionCount::new(1, UnixMillis::new(n));
            added.versions.insert(version, uses);
        }
        write(clause, history, &added).await;
    }
    let found = receipts(clause, history, None).await;
    let all = batches * ROWS;
    clause.same("receipts", found, [(10, Conservation::new(2 * all, all))]);
    let found = receipts(clause, history, Some("__other__")).await;
    let folded = Conservation::new(8 * ROWS, 4 * ROWS);
    clause.same("receipts under `__other__`", found, [(10, folded)]);
    let found = versions(clause, history, None).await;
    clause.same("versions", found.len() as u64, ROWS_PER_DAY + 1);
    let others = found.iter().find(|sum| sum.event_type == "__other__");
    let others = others.map(|sum| (sum.version.as_str(), sum.count));
    let folded = VersionCount::new(4 * ROWS, UnixMillis::new(ROWS - 1));
    let expected = Some(("__other__", folded));
    clause.same("versions under `__other__`", others, expected);
}

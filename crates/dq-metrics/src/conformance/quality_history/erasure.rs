//! The clauses on erased tenants.

use super::{
    Clause,
    rows::{batch, change, days, example, key, receipts, samples, sums, versions, write},
};
use crate::{
    clock::UnixMillis,
    conservation::Conservation,
    history::{
        Day, ERASED_AT_ONCE, Group, GroupBy, HistoryBatch, QualityHistory, ReceiptKey,
        VersionCount, VersionKey,
    },
};

const READ: &str = "read.unreadable";

/// One of everything, for each of these tenants.
fn of_tenants(writer: u8, tenants: &[&str]) -> HistoryBatch {
    let tallies = tenants.iter();
    let tallies: Vec<_> = tallies
        .map(|tenant| (key(240, tenant, "lead"), 1))
        .collect();
    let mut batch = batch(writer, 1, &tallies);
    for (slot, tenant) in tenants.iter().enumerate() {
        let day = Day::new(10);
        let receipt = ReceiptKey::new(day, tenant);
        batch.receipts.insert(receipt, Conservation::new(1, 1));
        let version = VersionKey::new(day, tenant, "lead", "1");
        let uses = VersionCount::new(1, UnixMillis::new(0));
        batch.versions.insert(version, uses);
        let mut sample = example(READ, 1);
        sample.tenant = (*tenant).to_owned();
        batch.samples.push(change(10, READ, slot, Some(sample)));
    }
    batch
}

/// One tally, receipt, version and sample.
const ONE_OF_EACH: [u64; 4] = [1; 4];

/// Each of these tenants has so many tallies, receipts, versions and samples.
async fn are_present<const N: usize>(
    clause: Clause,
    history: &dyn QualityHistory,
    expected: [(&str, [u64; 4]); N],
) {
    let mut present = Vec::new();
    let tallies = sums(clause, history, days(0, 30), GroupBy::Tenant).await;
    let samples = samples(clause, history, 0, 30).await;
    for (tenant, _) in expected {
        let group = Group::Tenant(tenant.to_owned());
        let tally = tallies.iter().find(|(of, ..)| *of == group);
        let receipts = receipts(clause, history, Some(tenant)).await;
        let received = receipts.iter().map(|(_, both)| both.received).sum();
        let versions = versions(clause, history, Some(tenant)).await;
        let used = versions.iter().map(|sum| sum.count.events).sum();
        let samples = samples.iter().filter(|sample| sample.tenant == tenant);
        let counts = [
            tally.map_or(0, |(.., events)| *events),
            received,
            used,
            samples.count() as u64,
        ];
        present.push((tenant, counts));
    }
    clause.same("tallies, receipts, versions and samples", present, expected);
}

pub(super) async fn an_erased_tenant_is_gone_and_nothing_else(
    clause: Clause,
    history: &dyn QualityHistory,
) {
    let tenants = ["acme", "acme2", "__other__", "__unknown__"];
    write(clause, history, &of_tenants(1, &tenants)).await;
    let removed = clause.done("erase", history.erase_tenant("acme").await);
    clause.same("removed", removed, 4 + 1);
    let expected = [
        ("acme", [0; 4]),
        ("acme2", ONE_OF_EACH),
        // Whose samples these are, nobody knows.
        ("__other__", [1, 1, 1, 0]),
        ("__unknown__", ONE_OF_EACH),
    ];
    are_present(clause, history, expected).await;
    let removed = clause.done("erase", history.erase_tenant("acme").await);
    clause.same("removed again", removed, 0);
    let removed = clause.done("erase", history.erase_tenant("nobody").await);
    clause.same("removed of a tenant that has nothing", removed, 0);
}

pub(super) async fn what_comes_of_an_erased_tenant_is_nobodys(
    clause: Clause,
    history: &dyn QualityHistory,
) {
    write(clause, history, &of_tenants(1, &["globex"])).await;
    clause.done("erase", history.erase_tenant("acme").await);
    // The first writer's slot 0 has a sample of another tenant, which one of this tenant has replaced since.
    let mut late = of_tenants(1, &["acme"]);
    late.sequence = 2;
    write(clause, history, &late).await;
    write(clause, history, &of_tenants(2, &["acme", "globex"])).await;
    let expected = [
        ("acme", [0; 4]),
        ("globex", [2, 2, 2, 1]),
        ("__other__", [2, 2, 2, 0]),
    ];
    are_present(clause, history, expected).await;
}

pub(super) async fn erased_tenants_are_told_in_their_order(
    clause: Clause,
    history: &dyn QualityHistory,
) {
    let names: Vec<String> = (0..ERASED_AT_ONCE + 2).map(|n| format!("t{n}")).collect();
    for name in &names {
        clause.done("erase", history.erase_tenant(name).await);
    }
    clause.done("erase", history.erase_tenant(&names[0]).await);
    let (mut after, mut told, mut answers) = (0, Vec::new(), Vec::new());
    loop {
        let erased = clause.done("erased tenants", history.erased_tenants(after).await);
        let Some(last) = erased.last() else { break };
        clause.holds(last.number > after, "numbers do not rise");
        after = last.number;
        answers.push(erased.len());
        told.extend(erased.into_iter().map(|erased| erased.tenant));
    }
    let at_once = usize::try_from(ERASED_AT_ONCE).expect("small");
    clause.same("at once", answers, [at_once, 2]);
    clause.same("names", told, names);
}

pub(super) async fn names_that_many_share_are_not_erased(
    clause: Clause,
    history: &dyn QualityHistory,
) {
    let tenants = ["__other__", "__unknown__"];
    write(clause, history, &of_tenants(1, &tenants)).await;
    for tenant in tenants {
        let removed = clause.done("erase", history.erase_tenant(tenant).await);
        clause.same("removed", removed, 0);
    }
    let expected = tenants.map(|tenant| (tenant, ONE_OF_EACH));
    are_present(clause, history, expected).await;
    let erased = clause.done("erased tenants", history.erased_tenants(0).await);
    clause.same("erased", erased, []);
}

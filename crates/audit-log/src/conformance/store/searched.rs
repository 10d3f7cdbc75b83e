//! What is found.

use super::{append, no_part};
use crate::{
    conformance::{
        Clause,
        records::{event, time},
    },
    event::{Leaf, LeafNumbers},
    search::{Filter, PageSize, Query, SearchCursor, TermKind},
    store::Store,
};

const EVENTS: u64 = 900;

async fn fill(clause: Clause, store: &dyn Store) {
    for group in [0..600, 600..EVENTS] {
        clause.done("commit", append(store, group, no_part).await);
    }
}

/// Everything that a filter finds, page by page.
async fn found(clause: Clause, store: &dyn Store, filter: &Filter, size: u16) -> Vec<u64> {
    let size = PageSize::new(size).unwrap_or_default();
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = Query::new(filter.clone(), size);
        if let Some(text) = &cursor {
            query = query.after(clause.done("cursor", SearchCursor::parse(text, filter)));
        }
        let page = clause.done("search", store.search(&query).await);
        clause.holds(page.events.len() <= size.events(), "the page is too long");
        for event in &page.events {
            let leaf = clause.done("leaf", Leaf::parse(&event.leaf));
            clause.same("n", leaf.numbers().in_tree, event.n);
            all.push(event.n);
        }
        let Some(next) = page.next else {
            return all;
        };
        cursor = Some(next.to_string());
    }
}

/// What it has to find, by looking at every event.
fn meant(filter: &Filter, events: u64) -> Vec<u64> {
    let is_meant = |n: &u64| {
        let mut bytes = Vec::new();
        let numbers = LeafNumbers {
            in_tree: *n,
            in_tenant: 0,
        };
        event(*n).write_leaf(numbers, &mut bytes);
        Leaf::parse(&bytes).is_ok_and(|leaf| filter.matches(&leaf))
    };
    (0..events).rev().filter(is_meant).collect()
}

pub(super) async fn each_term_finds_what_has_it(clause: Clause, store: &dyn Store) {
    fill(clause, store).await;
    let terms: [&[(TermKind, &str)]; 10] = [
        &[],
        &[(TermKind::Tenant, "tenant-1")],
        &[(TermKind::Actor, "key-3")],
        &[(TermKind::Action, "lead.erase")],
        &[(TermKind::Resource, "lead-0")],
        &[(TermKind::Resource, "lead-899")],
        &[(TermKind::Field, "lead.email")],
        &[(TermKind::Outcome, "denied")],
        &[
            (TermKind::Tenant, "tenant-0"),
            (TermKind::Outcome, "denied"),
        ],
        &[(TermKind::Actor, "nobody")],
    ];
    for terms in terms {
        let filter = terms
            .iter()
            .try_fold(Filter::new(), |filter, (kind, value)| {
                filter.with(*kind, value)
            });
        let filter = clause.done("filter", filter);
        for size in [7, 500] {
            let seen = found(clause, store, &filter, size).await;
            clause.same(&format!("{terms:?}"), seen, meant(&filter, EVENTS));
        }
    }
}

pub(super) async fn times_bound_a_search(clause: Clause, store: &dyn Store) {
    fill(clause, store).await;
    for (from, to) in [(0, 1), (250, 260), (899, 900), (500, 2_000)] {
        let filter = Filter::new().from(time(from)).to(time(to));
        let seen = found(clause, store, &filter, 500).await;
        let expected: Vec<_> = (from..to.min(EVENTS)).rev().collect();
        clause.same("found", seen, expected);
    }
}

pub(super) async fn a_search_goes_on_where_it_ended(clause: Clause, store: &dyn Store) {
    fill(clause, store).await;
    let filter = Filter::new();
    let size = PageSize::new(10).unwrap_or_default();
    let first = clause.done(
        "search",
        store.search(&Query::new(filter.clone(), size)).await,
    );
    let Some(cursor) = first.next else {
        clause.fails("no next page");
    };
    // What comes in between is not seen, and nothing is skipped for it.
    clause.done("commit", append(store, EVENTS..950, no_part).await);
    let query = Query::new(filter, size).after(cursor);
    let next = clause.done("search", store.search(&query).await);
    let seen: Vec<_> = next.events.iter().map(|event| event.n).collect();
    clause.same("found", seen, (880..890).rev().collect::<Vec<_>>());
}

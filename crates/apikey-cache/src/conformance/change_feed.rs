//! The contract of a feed of changes, and of the store whose changes they are.

use std::sync::Arc;

use futures_util::{FutureExt as _, future::join_all};

use super::{
    clause::Clause,
    records::{ISSUED, kid, limit, pepper, record, rehash},
};
use crate::{
    feed::{Change, ChangeFeed, OutboxSeq},
    kid::Kid,
    store::{KeyStore, RecordVersion, UnixMillis},
};

type Pair = (Arc<dyn KeyStore>, Arc<dyn ChangeFeed>);

/// Checks the contract of [`ChangeFeed`] on fresh pairs from `make`: an empty store, and the feed
/// of its changes.
///
/// A feed that is behind its store for a moment makes `make` return one that waits for it.
///
/// # Panics
///
/// If the pair breaks the contract; the message names the clause.
pub async fn change_feed(make: impl AsyncFn() -> Pair) {
    every_change_is_told_in_order(&make().await).await;
    what_changes_nothing_is_not_told(&make().await).await;
    concurrent_changes_leave_no_gap(&make().await).await;
    the_head_is_the_last_number_given_out(&make().await).await;
    trimming_keeps_the_head_and_what_is_not_older(&make().await).await;
    no_change_is_told_of_before_it_happens(&make().await).await;
}

async fn every_change_is_told_in_order((store, feed): &Pair) {
    let clause = Clause("every change is told once, in order, from 1");
    clause.done(store.insert(&record(2)).await);
    clause.done(store.insert(&record(1)).await);
    clause.done(store.revoke(&kid(2), ISSUED).await);
    let all = [(1, kid(2), 1), (2, kid(1), 1), (3, kid(2), 2)];
    clause.same(changes(clause, feed, 0).await, all.to_vec());
    clause.same(changes(clause, feed, 2).await, all[2..].to_vec());
    clause.same(changes(clause, feed, 3).await, vec![]);

    let page = feed.changes_after(OutboxSeq::START, limit(2)).await;
    let page = clause.done(page);
    clause.same(page.head, OutboxSeq::new(3));
    clause.same(page.changes.len(), 2);
    clause.same(page.changes[1].seq, OutboxSeq::new(2));
}

async fn what_changes_nothing_is_not_told((store, feed): &Pair) {
    let clause = Clause("what does not change what a key is allowed is not told");
    clause.done(store.revoke(&kid(1), ISSUED).await);
    clause.done(store.insert(&record(1)).await);
    clause.holds(store.insert(&record(1)).await.is_err());
    clause.done(store.update_last_used(&[(kid(1), ISSUED)]).await);
    let version = RecordVersion::FIRST;
    rehash(clause, store.as_ref(), version, pepper(1)).await;
    clause.done(store.revoke(&kid(1), ISSUED).await);
    clause.done(store.revoke(&kid(1), ISSUED).await);
    let told = changes(clause, feed, 0).await;
    clause.same(told, vec![(1, kid(1), 1), (2, kid(1), 2)]);
}

async fn concurrent_changes_leave_no_gap((store, feed): &Pair) {
    let clause = Clause("concurrent changes leave no gap");
    let each = (0..20).map(async |number| {
        clause.done(store.insert(&record(number)).await);
        clause.holds(store.insert(&record(number)).await.is_err());
        clause.done(store.revoke(&kid(number), ISSUED).await);
    });
    join_all(each).await;
    let told = changes(clause, feed, 0).await;
    let seqs: Vec<u64> = told.iter().map(|(seq, _, _)| *seq).collect();
    clause.same(seqs, (1..=40).collect());
}

async fn the_head_is_the_last_number_given_out((store, feed): &Pair) {
    let clause = Clause("the head is the last number given out, 0 before the first");
    for head in 0..3 {
        clause.same(clause.done(feed.head().await), OutboxSeq::new(head));
        let page = feed.changes_after(OutboxSeq::new(head), limit(1)).await;
        let page = clause.done(page);
        clause.same(page.head, OutboxSeq::new(head));
        clause.same(page.changes, vec![]);
        clause.done(store.insert(&record(head)).await);
    }
}

async fn trimming_keeps_the_head_and_what_is_not_older((store, feed): &Pair) {
    let clause = Clause("trimming keeps the head, and every change that is not older");
    let later = UnixMillis::new(ISSUED.value() + 1);
    clause.done(store.insert(&record(1)).await);
    clause.done(store.insert(&record(2)).await);
    clause.done(store.revoke(&kid(1), later).await);
    clause.done(feed.trim(ISSUED).await);
    clause.same(changes(clause, feed, 0).await.len(), 3);

    clause.done(feed.trim(later).await);
    let kept = changes(clause, feed, 0).await;
    clause.same(kept.last().copied(), Some((3, kid(1), 2)));
    clause.holds(kept.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));

    clause.done(feed.trim(UnixMillis::new(i64::MAX)).await);
    clause.same(clause.done(feed.head().await), OutboxSeq::new(3));
    clause.done(store.revoke(&kid(2), later).await);
    let next = changes(clause, feed, 3).await;
    clause.same(next, vec![(4, kid(2), 2)]);
}

async fn no_change_is_told_of_before_it_happens((store, feed): &Pair) {
    let clause = Clause("waiting for a change does not end without one");
    clause.holds(feed.changed(OutboxSeq::START).now_or_never().is_none());
    clause.done(store.insert(&record(1)).await);
    clause.holds(feed.changed(OutboxSeq::new(1)).now_or_never().is_none());
}

async fn changes(clause: Clause, feed: &Arc<dyn ChangeFeed>, after: u64) -> Vec<(u64, Kid, u64)> {
    let page = feed.changes_after(OutboxSeq::new(after), limit(100)).await;
    let plain = |change: &Change| (change.seq.value(), change.kid, change.version.value());
    clause.done(page).changes.iter().map(plain).collect()
}

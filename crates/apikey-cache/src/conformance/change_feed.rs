//! The contract of a feed of changes, and of the store whose changes they are.

mod readers;
mod told;

use std::sync::Arc;

use futures_util::{FutureExt as _, future::join_all};

use self::{
    readers::{
        a_forgotten_reader_is_not_found_until_it_is_noted_again,
        of_each_reader_the_last_note_is_kept_and_what_it_applied_never_goes_back,
        readers_are_found_from_the_date_of_their_last_note_on,
        trimming_drops_readers_that_were_last_noted_before,
    },
    told::{
        a_feed_has_one_id_that_no_other_has,
        a_rotation_is_told_as_two_changes_that_of_the_old_record_first,
        invalidations_of_each_kind_are_told_in_order, what_is_answered_to_a_change_is_what_is_told,
    },
};
use super::{
    Clause, clauses,
    records::{ISSUED, insert, kid, limit, pepper, record, rehash, revoke},
};
use crate::{
    feed::{Change, ChangeFeed, ChangeKind, FeedPage, FeedSeq},
    kid::Kid,
    store::{KeyStore, RecordVersion, UnixMillis},
};

/// An empty store, and the feed of its changes.
type StoreAndFeed = (Arc<dyn KeyStore>, Arc<dyn ChangeFeed>);

/// Checks the contract of [`ChangeFeed`] on what `make` makes: an empty store, and the feed of its
/// changes.
///
/// A feed that is behind its store for a moment makes `make` return one that waits for it.
///
/// # Panics
///
/// The two break the contract, or fail. The message names the clause.
pub async fn change_feed(make: impl AsyncFn() -> (Arc<dyn KeyStore>, Arc<dyn ChangeFeed>)) {
    clauses! { "ChangeFeed";
        every_change_is_told_once_in_order_from_1(&make().await);
        what_does_not_change_what_a_key_is_allowed_is_not_told(&make().await);
        concurrent_changes_leave_no_gap(&make().await);
        the_head_is_the_last_number_given_out_and_0_before_the_first(&make().await);
        trimming_keeps_every_change_from_the_first_that_is_not_older(&make().await);
        trimming_drops_every_change_before_the_first_that_is_not_older(&make().await);
        trimming_keeps_the_head_and_the_numbers_to_come(&make().await);
        waiting_for_a_change_does_not_end_without_one(&make().await);
        what_is_answered_to_a_change_is_what_is_told(&make().await);
        a_rotation_is_told_as_two_changes_that_of_the_old_record_first(&make().await);
        invalidations_of_each_kind_are_told_in_order(&make().await);
        a_feed_has_one_id_that_no_other_has(&make().await, &make().await);
        of_each_reader_the_last_note_is_kept_and_what_it_applied_never_goes_back(&make().await);
        readers_are_found_from_the_date_of_their_last_note_on(&make().await);
        a_forgotten_reader_is_not_found_until_it_is_noted_again(&make().await);
        trimming_drops_readers_that_were_last_noted_before(&make().await);
    }
}

async fn every_change_is_told_once_in_order_from_1(clause: Clause, (store, feed): &StoreAndFeed) {
    insert(clause, &**store, 2).await;
    insert(clause, &**store, 1).await;
    revoke(clause, &**store, 2, ISSUED).await;
    let all = [(1, kid(2), 1), (2, kid(1), 1), (3, kid(2), 2)];
    clause.same("after 0", changes(clause, feed, 0).await, all);
    clause.same("after 2", changes(clause, feed, 2).await, &all[2..]);
    clause.same("after 3", changes(clause, feed, 3).await, []);

    let page = page(clause, feed, 0, 2).await;
    clause.same("the head of a page of 2", page.head, FeedSeq::new(3));
    let numbers: Vec<_> = page.changes.iter().map(|change| change.seq).collect();
    clause.same("a page of 2", numbers, [FeedSeq::new(1), FeedSeq::new(2)]);
}

async fn what_does_not_change_what_a_key_is_allowed_is_not_told(
    clause: Clause,
    (store, feed): &StoreAndFeed,
) {
    clause.done("revoke, unknown", store.revoke(&kid(1), ISSUED).await);
    insert(clause, &**store, 1).await;
    let again = store.insert(&record(1)).await;
    clause.holds(again.is_err(), "a second record of one kid was taken");
    let used = store.update_last_used(&[(kid(1), ISSUED)]).await;
    clause.done("update_last_used", used);
    rehash(clause, &**store, RecordVersion::FIRST, pepper(1)).await;
    revoke(clause, &**store, 1, ISSUED).await;
    revoke(clause, &**store, 1, ISSUED).await;
    let told = changes(clause, feed, 0).await;
    clause.same("told", told, [(1, kid(1), 1), (2, kid(1), 2)]);
}

async fn concurrent_changes_leave_no_gap(clause: Clause, (store, feed): &StoreAndFeed) {
    let each = (0..20).map(async |number| {
        insert(clause, &**store, number).await;
        let again = store.insert(&record(number)).await;
        clause.holds(again.is_err(), "a second record of one kid was taken");
        revoke(clause, &**store, number, ISSUED).await;
    });
    join_all(each).await;
    let told = numbers(clause, feed).await;
    clause.same("numbers", told, (1..=40).collect::<Vec<u64>>());
}

async fn the_head_is_the_last_number_given_out_and_0_before_the_first(
    clause: Clause,
    (store, feed): &StoreAndFeed,
) {
    for number in 0..3 {
        assert_head(clause, feed, number).await;
        let page = page(clause, feed, number, 1).await;
        clause.same("the head of a page", page.head, FeedSeq::new(number));
        clause.same("changes after the head", page.changes, []);
        insert(clause, &**store, number).await;
    }
}

/// Changes 1 and 2 at [`ISSUED`], 3 a millisecond later, 4 at [`ISSUED`] again: the clock of another
/// process may be behind.
async fn make_changes(clause: Clause, store: &dyn KeyStore) -> UnixMillis {
    let later = UnixMillis::new(ISSUED.value() + 1);
    insert(clause, store, 1).await;
    insert(clause, store, 2).await;
    revoke(clause, store, 1, later).await;
    revoke(clause, store, 2, ISSUED).await;
    later
}

async fn trimming_keeps_every_change_from_the_first_that_is_not_older(
    clause: Clause,
    (store, feed): &StoreAndFeed,
) {
    let later = make_changes(clause, &**store).await;
    clause.done("trim", feed.trim(ISSUED).await);
    clause.same("none is older", numbers(clause, feed).await, [1, 2, 3, 4]);

    clause.done("trim", feed.trim(later).await);
    let kept = changes(clause, feed, 2).await;
    let expected = [(3, kid(1), 2), (4, kid(2), 2)];
    clause.same("from the first that is not older", kept, expected);
}

async fn trimming_drops_every_change_before_the_first_that_is_not_older(
    clause: Clause,
    (store, feed): &StoreAndFeed,
) {
    let later = make_changes(clause, &**store).await;
    clause.done("trim", feed.trim(later).await);
    clause.same("two are older", numbers(clause, feed).await, [3, 4]);

    clause.done("trim", feed.trim(UnixMillis::new(i64::MAX)).await);
    let left = numbers(clause, feed).await;
    clause.same("all are older", left, Vec::<u64>::new());
}

async fn trimming_keeps_the_head_and_the_numbers_to_come(
    clause: Clause,
    (store, feed): &StoreAndFeed,
) {
    insert(clause, &**store, 1).await;
    insert(clause, &**store, 2).await;
    clause.done("trim", feed.trim(UnixMillis::new(i64::MAX)).await);
    assert_head(clause, feed, 2).await;
    revoke(clause, &**store, 2, ISSUED).await;
    let next = changes(clause, feed, 2).await;
    clause.same("the next change", next, [(3, kid(2), 2)]);
}

async fn waiting_for_a_change_does_not_end_without_one(
    clause: Clause,
    (store, feed): &StoreAndFeed,
) {
    let ended = async |seq| feed.changed(FeedSeq::new(seq)).now_or_never().is_some();
    clause.holds(!ended(0).await, "it ended on an empty feed");
    insert(clause, &**store, 1).await;
    clause.holds(!ended(1).await, "it ended at the head");
}

async fn assert_head(clause: Clause, feed: &Arc<dyn ChangeFeed>, expected: u64) {
    let head = clause.done("head", feed.head().await);
    clause.same("the head", head, FeedSeq::new(expected));
}

async fn page(clause: Clause, feed: &Arc<dyn ChangeFeed>, after: u64, count: u16) -> FeedPage {
    let page = feed.changes_after(FeedSeq::new(after), limit(count)).await;
    clause.done("changes_after", page)
}

async fn changes(clause: Clause, feed: &Arc<dyn ChangeFeed>, after: u64) -> Vec<(u64, Kid, u64)> {
    let plain = |change: &Change| match &change.kind {
        ChangeKind::Record { kid, version } => (change.seq.value(), *kid, version.value()),
        kind => clause.fails(format_args!("{kind:?} is told")),
    };
    let page = page(clause, feed, after, 100).await;
    page.changes.iter().map(plain).collect()
}

async fn numbers(clause: Clause, feed: &Arc<dyn ChangeFeed>) -> Vec<u64> {
    let changes = changes(clause, feed, 0).await;
    changes.iter().map(|(number, _, _)| *number).collect()
}

//! What every [`Store`] has to do.

mod beside;
mod published;
mod searched;

use std::{num::NonZeroUsize, sync::Arc};

use self::{
    beside::{
        a_cursor_is_kept_by_its_name, an_erased_part_is_gone_and_no_other,
        personal_parts_lie_beside_the_log,
    },
    published::{
        a_checkpoint_is_of_a_tree_that_the_log_had, leaves_go_by_whole_bundles_and_tiles_stay,
        what_is_published_can_be_verified, who_prunes_counts_what_it_took_itself,
    },
    searched::{
        a_search_goes_on_where_it_ended, each_term_finds_what_has_it, times_bound_a_search,
    },
};
use super::{
    Clause, clauses,
    records::{append, event, tenant},
};
use crate::{
    event::{Leaf, LeafNumbers},
    store::{Group, Store, StoreError},
};

/// Checks a store against the contract of [`Store`]; `make` makes an empty one for each clause.
///
/// # Panics
/// The store breaks the contract, or fails. The message names the clause.
pub async fn store(make: impl AsyncFn() -> Arc<dyn Store>) {
    clauses! { "Store";
        an_empty_log_has_nothing(&*make().await);
        what_was_committed_is_read_in_its_order(&*make().await);
        numbers_go_on_from_group_to_group(&*make().await);
        a_log_that_was_given_back_is_as_it_was(&*make().await);
        one_group_at_a_time_is_appended(&make().await);
        a_group_follows_the_state_that_it_was_begun_with(&*make().await);
        personal_parts_lie_beside_the_log(&*make().await);
        an_erased_part_is_gone_and_no_other(&*make().await);
        a_cursor_is_kept_by_its_name(&*make().await);
        a_checkpoint_is_of_a_tree_that_the_log_had(&*make().await);
        what_is_published_can_be_verified(&*make().await);
        leaves_go_by_whole_bundles_and_tiles_stay(&*make().await);
        who_prunes_counts_what_it_took_itself(&*make().await);
        each_term_finds_what_has_it(&*make().await);
        times_bound_a_search(&*make().await);
        a_search_goes_on_where_it_ended(&*make().await);
    }
}

const MUCH: NonZeroUsize = NonZeroUsize::MAX;

const fn no_part(_: u64) -> Option<Vec<u8>> {
    None
}

async fn an_empty_log_has_nothing(clause: Clause, store: &dyn Store) {
    clause.same("size", clause.done("size", store.size().await), 0);
    clause.same("first", clause.done("first", store.first().await), 0);
    let batch = clause.done("entries", store.entries(0, MUCH).await);
    clause.holds(batch.is_empty(), "there is an entry");
    let checkpoint = clause.done("checkpoint", store.checkpoint().await);
    clause.holds(checkpoint.is_none(), "there is a checkpoint");
    let personal = clause.done("personal", store.personal(0).await);
    clause.holds(personal.is_none(), "there is a personal part");
}

async fn what_was_committed_is_read_in_its_order(clause: Clause, store: &dyn Store) {
    let groups = [0..1, 1..300, 300..301, 301..700];
    for group in groups {
        clause.done("commit", append(store, group, no_part).await);
    }
    clause.same("size", clause.done("size", store.size().await), 700);
    // From each place, in batches of each kind.
    for (from, most) in [
        (0, 1),
        (0, 100_000),
        (255, 5_000),
        (256, usize::MAX),
        (699, 1),
    ] {
        let most = NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN);
        let mut next = from;
        while next < 700 {
            let batch = clause.done("entries", store.entries(next, most).await);
            clause.holds(!batch.is_empty(), format_args!("no entry {next}"));
            for (n, bytes) in batch.iter() {
                clause.same("index", n, next);
                let leaf = clause.done("leaf", Leaf::parse(bytes));
                clause.same("n", leaf.numbers().in_tree, n);
                clause.same("id", leaf.id(), event(n).id());
                next += 1;
            }
            clause.same("next", batch.next(), next);
        }
    }
    let behind = clause.done("entries", store.entries(700, MUCH).await);
    clause.holds(behind.is_empty(), "there is an entry behind the last");
}

async fn numbers_go_on_from_group_to_group(clause: Clause, store: &dyn Store) {
    let mut of_tenants = [0, 0];
    for group in [0..3, 3..4, 4..300] {
        let edge = clause.done("commit", append(store, group, no_part).await);
        let taken = clause.done("lock", store.lock(&[tenant(0), tenant(1)]).await);
        clause.holds(*taken.state().edge() == edge, "another tree was left");
    }
    let batch = clause.done("entries", store.entries(0, MUCH).await);
    for (n, bytes) in batch.iter() {
        let in_tenant = &mut of_tenants[usize::from(n % 2 == 1)];
        let numbers = clause.done("leaf", Leaf::parse(bytes)).numbers();
        let expected = LeafNumbers {
            in_tree: n,
            in_tenant: *in_tenant,
        };
        clause.same("numbers", numbers, expected);
        *in_tenant += 1;
    }
    let others = clause.done("lock", store.lock(&[tenant(9)]).await);
    clause.same("of another tenant", others.state().leaves_of(&tenant(9)), 0);
}

async fn a_log_that_was_given_back_is_as_it_was(clause: Clause, store: &dyn Store) {
    let edge = clause.done("commit", append(store, 0..5, no_part).await);
    let taken = clause.done("lock", store.lock(&[tenant(0)]).await);
    let mut group = Group::new(taken.state());
    clause.done("push", group.push(&event(5), None));
    drop(taken);
    let taken = clause.done("lock", store.lock(&[tenant(0)]).await);
    clause.holds(*taken.state().edge() == edge, "the tree is another");
    clause.same("leaves of a tenant", taken.state().leaves_of(&tenant(0)), 3);
}

async fn one_group_at_a_time_is_appended(clause: Clause, store: &Arc<dyn Store>) {
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for number in 0..5 {
                    append(&*store, number * 2..number * 2 + 2, no_part).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .collect();
    for task in tasks {
        let appended = clause.done("task", task.await);
        clause.done("commit", appended);
    }
    let batch = clause.done("entries", store.entries(0, MUCH).await);
    let mut found = 0;
    for (n, bytes) in batch.iter() {
        let numbers = clause.done("leaf", Leaf::parse(bytes)).numbers();
        let expected = LeafNumbers {
            in_tree: n,
            in_tenant: n / 2,
        };
        clause.same("numbers", numbers, expected);
        found += 1;
    }
    clause.same("entries", found, 80);
}

async fn a_group_follows_the_state_that_it_was_begun_with(clause: Clause, store: &dyn Store) {
    let early = clause.done("lock", store.lock(&[tenant(0)]).await);
    let mut group = Group::new(early.state());
    clause.done("push", group.push(&event(0), None));
    drop(early);
    clause.done("commit", append(store, 0..1, no_part).await);
    let taken = clause.done("lock", store.lock(&[tenant(0)]).await);
    let refused = taken.commit(&group).await;
    clause.holds(
        matches!(refused, Err(StoreError::OtherGroup { expected: 1 })),
        format_args!("{refused:?}"),
    );
    clause.same("size", clause.done("size", store.size().await), 1);
}

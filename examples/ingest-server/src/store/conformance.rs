//! What every [`Store`] must do, run against each implementation.

mod erasure;
mod events;
mod leads;
mod remembered;
mod rows;
pub(super) mod slo_history;
mod unique;

use std::fmt::Debug;

use tokio::sync::oneshot;

use self::rows::event;
use super::{Committed, Group, GroupSink, Receipt, Store, StoreError, Write};
use crate::clock::SystemClock;

/// Runs every check on an empty store of its own.
pub(super) async fn check<S: Store>(open: impl AsyncFn() -> S) {
    events::an_event_is_stored_once(&open().await).await;
    events::events_are_told_apart_by_all_of_their_texts(&open().await).await;
    events::an_event_is_recognised_without_being_stored(&open().await).await;
    events::an_event_twice_in_a_group_is_stored_once(&open().await).await;
    events::a_conflict_says_whether_the_stored_event_has_sealed_values(&open().await).await;
    leads::a_repeat_does_not_write_its_lead(&open().await).await;
    leads::a_repeat_of_a_lost_race_is_lost_too(&open().await).await;
    leads::an_email_belongs_to_one_lead_of_a_tenant(&open().await).await;
    leads::a_merge_is_lost_when_the_lead_has_another_email(&open().await).await;
    leads::a_merge_replaces_the_fingerprint_that_the_lead_was_found_under(&open().await).await;
    leads::an_update_replaces_what_it_names(&open().await).await;
    leads::a_lost_write_leaves_nothing_and_disturbs_nobody(&open().await).await;
    leads::leads_are_found_within_their_tenant(&open().await).await;
    erasure::a_cleared_column_is_gone_and_found_no_more(&open().await).await;
    erasure::a_lead_of_which_nothing_would_be_left_stays(&open().await).await;
    erasure::an_erased_lead_is_gone_with_what_its_events_hold_of_it(&open().await).await;
    erasure::writes_to_an_erased_lead_are_lost(&open().await).await;
    erasure::what_no_request_erases_is_erased_as_well(&open().await).await;
    erasure::a_lead_is_expected_under_any_version(&open().await).await;
    erasure::contents_are_compared_under_the_stored_version(&open().await).await;
    unique::a_field_is_unique_while_it_is_to_be(&open().await).await;
    unique::a_lead_found_by_parts_has_all_of_them(&open().await).await;
    remembered::the_first_check_value_stays(&open().await).await;
    remembered::the_first_use_of_a_secret_is_dated(&open().await).await;
    remembered::the_first_index_version_is_enforced(&open().await).await;
    trying_to_write_leaves_nothing(&open().await).await;
    groups_follow_one_another(&open().await).await;
    remembered::each_policy_is_remembered(&open().await).await;
    remembered::each_audit_log_has_its_anchor(&open().await).await;
    remembered::of_two_who_begin_a_work_one_is_at_it(&open().await).await;
}

async fn groups_follow_one_another(store: &impl Store) {
    let group = |id: &str| Group {
        writes: vec![event("a", id, b"x")],
    };
    let groups = [group("1"), group("2"), group("1")];
    let written = in_sink(store, async move |mut sink| {
        let mut written = Vec::new();
        for group in &groups {
            written.push(sink.commit(group, &SystemClock).await.unwrap().receipts);
        }
        written
    });
    assert_eq!(
        written.await,
        [
            [Receipt::Stored],
            [Receipt::Stored],
            [Receipt::DuplicateNatural],
        ]
    );
}

async fn trying_to_write_leaves_nothing(store: &impl Store) {
    let tries = async |mut sink: Box<dyn GroupSink>| {
        sink.try_writing().await?;
        sink.try_writing().await
    };
    in_sink(store, tries).await.unwrap();
    assert!(store.secret_checks().await.unwrap().is_empty());
}

async fn commit<const N: usize>(store: &impl Store, group: [Write; N]) -> Vec<Receipt> {
    let writes = Group {
        writes: group.into(),
    };
    write_group(store, writes).await.unwrap().receipts
}

/// Writes one group where the store writes.
async fn write_group(store: &impl Store, group: Group) -> Result<Committed, StoreError> {
    in_sink(store, async move |mut sink| {
        sink.commit(&group, &SystemClock).await
    })
    .await
}

async fn in_sink<T, F>(
    store: &impl Store,
    work: impl FnOnce(Box<dyn GroupSink>) -> F + Send + 'static,
) -> T
where
    T: Debug + Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (sender, done) = oneshot::channel();
    let groups = |sink| {
        let work = work(sink);
        Box::pin(async { sender.send(work.await).unwrap() }) as _
    };
    store.write_groups(Box::new(groups)).await;
    done.await.unwrap()
}

//! What every [`IndexStates`] has to do.

use std::{
    future::poll_fn,
    num::NonZeroU32,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use portcullis_keyring::{TenantId, secrets::VersionedSecrets};
use secrecy::SecretBox;

use super::{Clause, clauses};
use crate::{
    Email, IndexPhase, IndexRoots, IndexState, IndexValue, IndexVersion, Pii,
    index_rotation::{IndexStates, Replaced},
    reencrypt::IndexWrite,
};

/// The tables of an application, as the suite fills them. Records are numbered; each has one field with
/// e-mail addresses, the same in all of them, in whatever index the application has for it.
#[async_trait]
pub trait IndexTables: Send + Sync {
    /// What is checked.
    fn states(&self) -> &dyn IndexStates;

    /// Adds a record with these values in the index `identity`.
    async fn insert(&self, record: u32, values: &[IndexWrite]);

    /// The versions that a record has values of.
    async fn versions(&self, record: u32) -> Vec<IndexVersion>;

    /// The value in the column that copies the enforced version; by default there is no such column.
    async fn column(&self, record: u32) -> Option<IndexValue> {
        let _ = record;
        None
    }
}

/// Checks tables against the contract of [`IndexStates`]; `make` makes empty ones, without phases, for each
/// clause.
///
/// # Panics
/// The tables break the contract, or fail. The message names the clause.
pub async fn index_states(make: impl AsyncFn() -> Arc<dyn IndexTables>) {
    clauses! { "IndexStates";
        before_the_first_start_there_is_no_phase(&*make().await);
        what_replaces_the_phases_is_read_back(&*make().await);
        phases_that_are_not_expected_stay(&*make().await);
        of_replacements_made_at_once_one_is_done(&*make().await);
        a_field_without_values_of_one_version_is_a_difference(&*make().await);
        values_of_versions_that_are_not_live_are_deleted_in_batches(&*make().await);
        what_is_live_when_it_deletes_is_kept(&*make().await);
        columns_get_the_values_of_the_version(&*make().await);
    }
}

async fn before_the_first_start_there_is_no_phase(clause: Clause, tables: &dyn IndexTables) {
    let read = clause.done("read", tables.states().read().await);
    clause.same("phases", read, IndexState::default());
}

async fn what_replaces_the_phases_is_read_back(clause: Clause, tables: &dyn IndexTables) {
    let states = tables.states();
    let mut stored = IndexState::default();
    for new in phases() {
        replace(clause, states, &stored, &new, Replaced::Done).await;
        stored = clause.done("read", states.read().await);
        clause.same("phases", &stored, &new);
    }
}

async fn phases_that_are_not_expected_stay(clause: Clause, tables: &dyn IndexTables) {
    let states = tables.states();
    let empty = IndexState::default();
    let [started, begun, ..] = phases();
    replace(clause, states, &empty, &started, Replaced::Done).await;
    let later = IndexState::new([(version(1), IndexPhase::Enforced, at(1))]);
    let other = IndexState::new([(version(2), IndexPhase::Enforced, at(0))]);
    for expected in [&empty, &begun, &later, &other] {
        replace(clause, states, expected, &begun, Replaced::Changed).await;
        let read = clause.done("read", states.read().await);
        clause.same("phases", &read, &started);
    }
}

async fn of_replacements_made_at_once_one_is_done(clause: Clause, tables: &dyn IndexTables) {
    let states = tables.states();
    let empty = IndexState::default();
    let [one, other] = [1, 2].map(|number| {
        let started = empty.start(version(number), at(0));
        started.unwrap_or_else(|error| clause.fails(error))
    });
    let replaced = both(states.replace(&empty, &one), states.replace(&empty, &other)).await;
    let replaced = [replaced.0, replaced.1].map(|it| clause.done("replace", it));
    let read = clause.done("read", states.read().await);
    match replaced {
        [Replaced::Done, Replaced::Changed] => clause.same("phases", read, one),
        [Replaced::Changed, Replaced::Done] => clause.same("phases", read, other),
        _ => clause.fails(format_args!("both were answered: {replaced:?}")),
    }
}

async fn a_field_without_values_of_one_version_is_a_difference(
    clause: Clause,
    tables: &dyn IndexTables,
) {
    let differences = async || {
        let counted = tables.states().differences(version(1), version(2)).await;
        clause.done("differences", counted)
    };
    clause.same("of no records", differences().await, 0_u64);
    tables.insert(1, &values(1, &[1, 2])).await;
    clause.same("of a record with both", differences().await, 0_u64);
    tables.insert(2, &values(2, &[1])).await;
    clause.same("with one that lacks the second", differences().await, 1_u64);
    tables.insert(3, &values(3, &[2])).await;
    clause.same("with one that lacks the first", differences().await, 2_u64);
    tables.insert(4, &values(4, &[3])).await;
    clause.same("with one of another version", differences().await, 2_u64);
}

async fn values_of_versions_that_are_not_live_are_deleted_in_batches(
    clause: Clause,
    tables: &dyn IndexTables,
) {
    let states = tables.states();
    let [started, ..] = phases();
    replace(
        clause,
        states,
        &IndexState::default(),
        &started,
        Replaced::Done,
    )
    .await;
    for record in 0..7 {
        tables.insert(record, &values(record, &[1, 2])).await;
    }
    // As the caller has read them, perhaps a moment ago.
    let none = states.delete_others(&[version(1), version(2)], BATCH).await;
    clause.same(
        "deleted of what the caller keeps",
        clause.done("delete", none),
        0_u64,
    );
    let mut deleted = 0;
    loop {
        let batch = states.delete_others(&[version(1)], BATCH).await;
        match clause.done("delete", batch) {
            0 => break,
            rows if rows > u64::from(BATCH.get()) => {
                clause.fails(format_args!("{rows} in a batch of {BATCH}"))
            }
            rows => deleted += rows,
        }
    }
    clause.same("deleted", deleted, 7_u64);
    for record in 0..7 {
        clause.same("left", tables.versions(record).await, [version(1)]);
    }
}

/// A rotation may be held up between its reading of the phases and this, and another have begun.
async fn what_is_live_when_it_deletes_is_kept(clause: Clause, tables: &dyn IndexTables) {
    let states = tables.states();
    let [_, begun, ..] = phases();
    replace(
        clause,
        states,
        &IndexState::default(),
        &begun,
        Replaced::Done,
    )
    .await;
    tables.insert(1, &values(1, &[1, 2])).await;
    let deleted = states.delete_others(&[version(1)], BATCH).await;
    clause.same("deleted", clause.done("delete", deleted), 0_u64);
    let mut left = tables.versions(1).await;
    left.sort_unstable();
    clause.same("left", left, [version(1), version(2)]);
}

async fn columns_get_the_values_of_the_version(clause: Clause, tables: &dyn IndexTables) {
    let states = tables.states();
    let [_, _, enforced, ..] = phases();
    replace(
        clause,
        states,
        &IndexState::default(),
        &enforced,
        Replaced::Done,
    )
    .await;
    for record in 0..7 {
        tables.insert(record, &values(record, &[1, 2])).await;
    }
    let mut batches = 0;
    while clause.done("copy", states.copy_columns(version(2), BATCH).await) > 0 {
        batches += 1;
        if batches > 7 {
            clause.fails("it does not come to an end");
        }
    }
    for record in 0..7 {
        if let Some(column) = tables.column(record).await {
            clause.same("version in the column", column.version(), version(2));
        }
    }
}

async fn replace(
    clause: Clause,
    states: &dyn IndexStates,
    expected: &IndexState,
    new: &IndexState,
    outcome: Replaced,
) {
    let replaced = states.replace(expected, new).await;
    clause.same("replace", clause.done("replace", replaced), outcome);
}

/// A rotation from 1 to 2.
fn phases() -> [IndexState; 4] {
    let rows = |rows: &[(u32, IndexPhase, u64)]| {
        let rows = rows.iter();
        IndexState::new(rows.map(|(number, phase, since)| (version(*number), *phase, at(*since))))
    };
    [
        rows(&[(1, IndexPhase::Enforced, 0)]),
        rows(&[(1, IndexPhase::Enforced, 0), (2, IndexPhase::Written, 61)]),
        rows(&[
            (1, IndexPhase::Retiring, 122),
            (2, IndexPhase::Enforced, 122),
        ]),
        rows(&[(2, IndexPhase::Enforced, 183)]),
    ]
}

/// The values of a record's address under versions.
fn values(record: u32, versions: &[u32]) -> Vec<IndexWrite> {
    let tenant = TenantId::new("conformance").expect("a name");
    let email = Pii::<Email>::parse(&format!("lead-{record}@example.com")).expect("an address");
    let value = |number: &u32| {
        let first = number.to_be_bytes()[3];
        let secret = SecretBox::new(Box::new([first; 32]));
        let secrets = VersionedSecrets::new(
            (*number).try_into().expect("not zero"),
            [((*number).try_into().expect("not zero"), secret)],
        );
        let roots = IndexRoots::new(secrets.expect("there is one")).expect("it fits");
        let values = roots.unique(&tenant, "lead.email", &email);
        let write = |value| IndexWrite::new("identity", value);
        values.into_iter().map(write)
    };
    versions.iter().flat_map(value).collect()
}

fn version(number: u32) -> IndexVersion {
    number.try_into().expect("it is in range")
}

/// Not a whole second.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_225_600_123 + seconds * 1_000)
}

const BATCH: NonZeroU32 = NonZeroU32::new(3).expect("it is not zero");

/// Both at once.
async fn both<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> (T, T) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        for (done, future) in [
            (
                &mut first,
                one.as_mut() as std::pin::Pin<&mut dyn Future<Output = T>>,
            ),
            (&mut second, other.as_mut()),
        ] {
            if done.is_none()
                && let Poll::Ready(value) = future.poll(context)
            {
                *done = Some(value);
            }
        }
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

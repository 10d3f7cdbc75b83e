//! How many keys and rows are in which state, and how far rotations have come: read when it is scraped, counted
//! before.

use portcullis_keyring::KeyState;
use portcullis_pii_crypto::IndexPhase;
use portcullis_telemetry::{Label, MetricError, Registry};

use super::{SMALL, number};
use crate::{
    admin::{Census, DAMAGED, Job, KeyCensus, Reencrypted},
    store::LiveIndexRoots,
};

/// Gauges of data keys, of the rows that need them, of index versions and of what goes over rows.
pub(crate) fn register_rotations(
    registry: &Registry,
    census: &KeyCensus,
    reencryption: &Job<Reencrypted>,
    index_roots: &LiveIndexRoots,
    kek_provider: &'static str,
) -> Result<(), MetricError> {
    let counted = |read: fn(&Census) -> Vec<(String, f64)>| {
        let census = census.clone();
        move || {
            let counted = census.last().map(|census| read(&census));
            let series = counted.unwrap_or_default().into_iter();
            series.map(|(value, number)| ([value], number))
        }
    };
    let states = || KeyState::ALL.map(KeyState::as_str).into_iter();
    registry.observed_gauge_family(
        "keyring_keys",
        "Data keys by their state, counted every 30 s, or less often where that takes long",
        [Label::closed("state", states())],
        SMALL,
        counted(|census| by_state(|state| census.keys.get(&state).copied())),
    )?;
    registry.observed_gauge_family(
        "keyring_rows",
        "Rows that need data keys, by the state of the key; damaged where its row cannot be read, unknown where there \
         is no such key",
        [Label::closed("state", states().chain([UNKNOWN, DAMAGED]))],
        SMALL,
        counted(|census| {
            let mut rows = by_state(|state| census.rows.get(&Some(state)).copied());
            let unknown = census.rows.get(&None).copied().unwrap_or_default();
            rows.push((UNKNOWN.to_owned(), number(unknown)));
            rows.push((DAMAGED.to_owned(), number(census.rows_of_damaged)));
            rows
        }),
    )?;
    registry.observed_gauge_family(
        "keyring_oldest_primary_seconds",
        "Age of the oldest data key that seals, by what it is for",
        ["purpose"],
        SMALL,
        counted(|census| {
            let oldest = census.oldest_primary.iter();
            oldest
                .map(|(purpose, age)| (purpose.to_string(), age.as_secs_f64()))
                .collect()
        }),
    )?;
    registry.observed_gauge_family(
        "keyring_kek_keys",
        "Data keys that each version of the key-encryption key has wrapped; a version that is not there can be \
         dropped",
        ["version"],
        SMALL,
        counted(|census| {
            let name = |version: &Option<String>| version.as_deref().unwrap_or(UNKNOWN).to_owned();
            let versions = census.kek_versions.iter();
            versions
                .map(|(version, keys)| (name(version), number(*keys)))
                .collect()
        }),
    )?;
    let of = census.clone();
    registry.observed_gauge_family(
        "keyring_kek_age_seconds",
        "For how long the version of the key-encryption key has wrapped that wraps, by who holds it; absent where \
         nobody knows, which the log says",
        ["provider"],
        SMALL,
        move || {
            let age = of.last().and_then(|census| census.kek_age);
            age.map(|age| ([kek_provider], age.as_secs_f64()))
        },
    )?;
    let of = census.clone();
    registry.observed_gauge(
        "keyring_overdue_keys",
        "Data keys that have sealed for more than 90 days: rotate them",
        move || of.last().map_or(0.0, |census| number(census.overdue)),
    )?;
    let of = census.clone();
    registry.observed_gauge(
        "keyring_damaged_keys",
        "Data keys whose row or wrapped bytes are not what was written, so that what they sealed does not open: \
         keys list names them, restore them from a backup",
        move || of.last().map_or(0.0, |census| number(census.damaged)),
    )?;
    let of = index_roots.clone();
    registry.observed_gauge_family(
        "pii_index_phase",
        "1 for each live version of the index root, with its phase",
        [
            Label::from("version"),
            Label::closed("phase", IndexPhase::ALL.map(IndexPhase::as_str)),
        ],
        SMALL,
        move || {
            let phases = of.phases().into_iter();
            phases.map(|(version, phase)| ([version.to_string(), phase.as_str().to_owned()], 1.0))
        },
    )?;
    let of = reencryption.clone();
    registry.observed_gauge(
        "reencryption_running",
        "1 while rows are sealed again in the background of this process",
        move || f64::from(u8::from(of.status().state == "running")),
    )?;
    let of = reencryption.clone();
    registry.observed_gauge(
        "reencryption_rows_done",
        "Rows that the re-encryption of this process has looked at in the table that it is at",
        move || number(of.status().done),
    )?;
    let of = reencryption.clone();
    registry.observed_gauge(
        "reencryption_rows_expected",
        "Rows that there were to look at in that table",
        move || number(of.status().total),
    )
}

/// What is needed and not there, or not told.
const UNKNOWN: &str = "unknown";

fn by_state(of: impl Fn(KeyState) -> Option<u64>) -> Vec<(String, f64)> {
    KeyState::ALL
        .into_iter()
        .map(|state| {
            (
                state.as_str().to_owned(),
                number(of(state).unwrap_or_default()),
            )
        })
        .collect()
}

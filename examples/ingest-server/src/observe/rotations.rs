//! How many keys and rows are in which state, and how far rotations have come: read when it is scraped, counted
//! before.

use std::fmt;

use portcullis_keyring::KeyState;
use portcullis_telemetry::{
    MetricError, Registry,
    prometheus_client::{
        encoding::{EncodeMetric, MetricEncoder},
        metrics::MetricType,
    },
};

use super::number;
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
    let counted = |label, read| Counted {
        census: census.clone(),
        label,
        read,
    };
    registry.register(
        "keyring_keys",
        "Data keys by their state",
        counted("state", |census| {
            by_state(|state| census.keys.get(&state).copied())
        }),
    )?;
    registry.register(
        "keyring_rows",
        "Rows that need data keys, by the state of the key; damaged where its row cannot be read, unknown where there \
         is no such key",
        counted("state", |census| {
            let mut rows = by_state(|state| census.rows.get(&Some(state)).copied());
            let unknown = census.rows.get(&None).copied().unwrap_or_default();
            rows.push(("unknown".to_owned(), number(unknown)));
            rows.push((DAMAGED.to_owned(), number(census.rows_of_damaged)));
            rows
        }),
    )?;
    registry.register(
        "keyring_oldest_primary_seconds",
        "Age of the oldest data key that seals, by what it is for",
        counted("purpose", |census| {
            let oldest = census.oldest_primary.iter().take(MOST_SERIES);
            oldest
                .map(|(purpose, age)| (purpose.to_string(), age.as_secs_f64()))
                .collect()
        }),
    )?;
    registry.register(
        "keyring_kek_keys",
        "Data keys that each version of the key-encryption key has wrapped",
        counted("version", |census| {
            let versions = census.kek_versions.iter().take(MOST_SERIES);
            let name = |version: &Option<String>| {
                let known = version.as_deref();
                known.unwrap_or("unknown").to_owned()
            };
            versions
                .map(|(version, keys)| (name(version), number(*keys)))
                .collect()
        }),
    )?;
    registry.register(
        "keyring_kek_age_seconds",
        "For how long the version of the key-encryption key has wrapped that wraps, by who holds it",
        KekAge {
            census: census.clone(),
            provider: kek_provider,
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
        "Data keys whose row or wrapped bytes are not what was written: what they sealed does not open",
        move || of.last().map_or(0.0, |census| number(census.damaged)),
    )?;
    registry.register(
        "pii_index_phase",
        "1 for each live version of the index root, with its phase",
        Phases(index_roots.clone()),
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

/// What may have many values: purposes, versions of a key-encryption key.
const MOST_SERIES: usize = 64;

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

/// One series for each value of a label, as it was counted last; none before that.
struct Counted {
    census: KeyCensus,
    label: &'static str,
    read: fn(&Census) -> Vec<(String, f64)>,
}

impl EncodeMetric for Counted {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(census) = self.census.last() else {
            return Ok(());
        };
        for (value, number) in (self.read)(&census) {
            let labels = [(self.label, value)];
            encoder.encode_family(&labels)?.encode_gauge(&number)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

/// One series, when the age is known.
#[derive(Debug)]
struct KekAge {
    census: KeyCensus,
    provider: &'static str,
}

impl EncodeMetric for KekAge {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let age = self.census.last().and_then(|census| census.kek_age);
        if let Some(age) = age {
            let labels = [("provider", self.provider)];
            encoder
                .encode_family(&labels)?
                .encode_gauge(&age.as_secs_f64())?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

/// One series for each live version.
struct Phases(LiveIndexRoots);

impl EncodeMetric for Phases {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        for (version, phase) in self.0.phases() {
            let labels = [
                ("version", version.to_string()),
                ("phase", phase.as_str().to_owned()),
            ];
            encoder.encode_family(&labels)?.encode_gauge(&1.0)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phases").finish_non_exhaustive()
    }
}

//! Round trips to Redis as spans and durations, and their failures as one line in the log.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_ratelimit::{
    clock::Timestamp,
    store::{Charge, ChargeFuture, ChargeOutcome, Store, StoreError},
};
use portcullis_telemetry::{Database, DatabaseDurations, Statement};

use crate::config::Endpoint;

/// Stands directly before the store on Redis, so that every charge that gets here asks it.
#[derive(Debug)]
pub(super) struct RedisClient {
    redis: Arc<dyn Store>,
    database: Database,
    faults: Mutex<Faults>,
}

/// What is remembered of a Redis that does not answer.
#[derive(Debug, Default)]
struct Faults {
    /// When the last question that failed was asked; until Redis has been well for a while.
    last: Option<Timestamp>,
    /// When the first of them was, if nothing was answered since.
    silent_since: Option<Timestamp>,
}

/// Redis was not asked.
#[derive(Debug, thiserror::Error)]
#[error("Redis was not asked, since it has not answered this request or another just now")]
struct NotAsked;

/// The longest that one request waits for Redis, whose deadline is half of it. A request has up to four charges,
/// one after the other.
const MOST_WAIT: Duration = Duration::from_millis(50);

/// A failure that is older says nothing about now: who asks next may be the one that finds Redis well again.
const RECENT: Duration = Duration::from_millis(200);

/// Redis is well again when it has answered for so long. A shorter time would tell of each failure of one that
/// fails now and then.
const CALM: Duration = Duration::from_secs(10);

/// What the script is called by.
const CHARGE: Statement = Statement::Command("EVALSHA");

/// The Redis at an endpoint as spans and durations name it: by no key, value or user name.
pub(super) fn database(endpoint: &Endpoint, durations: Option<&DatabaseDurations>) -> Database {
    // Which of its databases it is, is no part of an endpoint.
    let redis = Database::new("redis", "").with_server(&endpoint.host, endpoint.port);
    match durations {
        Some(durations) => redis.with_durations(durations),
        None => redis,
    }
}

impl RedisClient {
    pub(super) fn new(redis: Arc<dyn Store>, database: Database) -> Self {
        Self {
            redis,
            database,
            faults: Mutex::default(),
        }
    }

    async fn ask(&self, charge: &Charge<'_>) -> Result<ChargeOutcome, StoreError> {
        let answer = async {
            let outcome = self.redis.charge(charge).await;
            match &outcome {
                Ok(_) => self.answered(charge.now()),
                // Who was not asked may be well.
                Err(StoreError::NotAsked(_)) => {}
                Err(error) => self.failed(charge.now(), error),
            }
            outcome
        };
        let span = self.database.span(CHARGE, None);
        span.run_async(answer, kind).await
    }

    /// Whether a charge would add to what its request has waited already: while Redis is silent, only the
    /// first charge of a request, that of its address, waits for it.
    fn is_spared(&self, charge: &Charge<'_>) -> bool {
        let is_first = charge.category().is_none();
        !is_first && self.faults().keep_waiting(charge.now())
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self, now: Timestamp) {
        let mut faults = self.faults();
        faults.silent_since = None;
        if faults.last.is_some_and(|last| now.since(last) >= CALM) {
            faults.last = None;
        }
    }

    /// The first failure is told with its cause, those that follow it are counted alone.
    fn failed(&self, now: Timestamp, error: &StoreError) {
        let mut faults = self.faults();
        faults.silent_since.get_or_insert(now);
        let is_first = faults.last.replace(now).is_none();
        drop(faults);
        if is_first {
            tracing::warn!(
                error = error as &dyn Error,
                "Redis did not decide; what it does not decide is counted for this process alone"
            );
        }
    }
}

impl Store for RedisClient {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        if self.is_spared(charge) {
            return ChargeFuture::ready(Err(StoreError::NotAsked(NotAsked.into())));
        }
        ChargeFuture::boxed(self.ask(charge))
    }
}

impl Faults {
    /// Whether Redis has been silent for as long as a request may wait, and was found so lately.
    fn keep_waiting(&self, now: Timestamp) -> bool {
        let is_silent = |since: Timestamp| now.since(since) >= MOST_WAIT;
        let is_recent = |last: Timestamp| now.since(last) < RECENT;
        self.silent_since.is_some_and(is_silent) && self.last.is_some_and(is_recent)
    }
}

fn kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::Malformed(_) => "malformed",
        StoreError::NotAsked(_) => "not_asked",
        _ => "unavailable",
    }
}

#[cfg(test)]
mod tests;

//! Round trips to Redis as spans, and their failures as one line in the log.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis_ratelimit::{
    clock::Timestamp,
    store::{Charge, ChargeFuture, ChargeOutcome, Store, StoreError},
};
use tracing::{Instrument as _, Span, field::Empty};

use crate::config::Endpoint;

/// Stands directly before the store on Redis, so that whoever gets here asks it.
#[derive(Debug)]
pub(super) struct RedisClient {
    redis: Arc<dyn Store>,
    endpoint: Endpoint,
    faults: Mutex<Faults>,
}

/// When Redis failed last, while that is worth remembering.
#[derive(Debug, Default)]
struct Faults {
    last: Option<Timestamp>,
}

/// Redis is well again when it has answered for so long. A shorter time would tell of each failure of one that
/// fails now and then.
const CALM: Duration = Duration::from_secs(10);

/// What the script is called by.
const OPERATION: &str = "EVALSHA";

impl RedisClient {
    pub(super) fn new(redis: Arc<dyn Store>, endpoint: Endpoint) -> Self {
        Self {
            redis,
            endpoint,
            faults: Mutex::default(),
        }
    }

    /// Names and attributes as OpenTelemetry has them for database clients; no key, no value and no user name
    /// is among them.
    fn span(&self) -> Span {
        tracing::info_span!(
            "redis",
            otel.name = OPERATION,
            otel.kind = "client",
            db.system.name = "redis",
            db.operation.name = OPERATION,
            server.address = self.endpoint.host.as_str(),
            server.port = self.endpoint.port,
            error.type = Empty,
            otel.status_code = Empty,
        )
    }

    async fn ask(&self, charge: &Charge<'_>) -> Result<ChargeOutcome, StoreError> {
        let outcome = self.redis.charge(charge).await;
        match &outcome {
            Ok(_) => self.answered(charge.now()),
            Err(error) => {
                let span = Span::current();
                span.record("error.type", kind(error));
                span.record("otel.status_code", "ERROR");
                self.failed(charge.now(), error);
            }
        }
        outcome
    }

    fn answered(&self, now: Timestamp) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.last.is_some_and(|last| now.since(last) >= CALM) {
            faults.last = None;
        }
    }

    /// The first failure is told with its cause, those that follow it are counted alone.
    fn failed(&self, now: Timestamp, error: &StoreError) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
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
        ChargeFuture::boxed(self.ask(charge).instrument(self.span()))
    }
}

const fn kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::Malformed(_) => "malformed",
        _ => "unavailable",
    }
}

#[cfg(test)]
mod tests;

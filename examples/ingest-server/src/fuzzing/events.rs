//! What becomes of the body of a request, up to where keys and a database are needed.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Request};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::runtime::{Builder, Runtime};

use crate::{
    pipeline::{Envelope, Examiner, Intake, LeadRequest, OnConflict, Valid, rejection::Rejection},
    schemas::Schemas,
    timestamp,
};

/// The built-in schemas, and a clock that stands still.
#[derive(Debug)]
pub struct Events {
    examiner: Examiner,
    runtime: Runtime,
}

/// Why something was not accepted: the reason of the taxonomy, and what the sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a target looks at all of it")]
pub struct Refusal {
    /// The reason.
    pub reason: String,
    /// The sentence for the sender.
    pub detail: String,
}

/// An event that would be stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a target looks at all of it")]
pub struct Accepted {
    /// Its CloudEvents attributes; a lead has none.
    pub attributes: Option<Attributes>,
    /// Its data.
    pub data: Value,
    /// JSON pointers to the personal data in it, each of which would be sealed.
    pub personal: Vec<String>,
}

/// The CloudEvents attributes that are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a target looks at all of it")]
pub struct Attributes {
    /// `id`.
    pub id: String,
    /// `source`.
    pub source: String,
    /// `type`.
    pub event_type: String,
    /// The version that `dataschema` names.
    pub version: u32,
    /// `time`, in UTC.
    pub time: Option<String>,
}

/// What becomes of each item of a request.
pub type Items = Vec<Result<Accepted, Refusal>>;

/// 2026-05-01T12:00:00Z, when every request comes in.
const RECEIVED_AT: Duration = Duration::from_secs(1_777_636_800);

impl Events {
    /// # Panics
    /// When the built-in schemas cannot be used, or there is no runtime.
    #[must_use]
    pub fn new() -> Self {
        let schemas = Schemas::load(None).expect("the built-in schemas are good");
        let runtime = Builder::new_current_thread().enable_time().build();
        Self {
            examiner: Examiner::new(schemas, OffsetDateTime::UNIX_EPOCH + RECEIVED_AT),
            runtime: runtime.expect("a runtime of this thread needs nothing"),
        }
    }

    /// What becomes of a request to `/v1/events`.
    ///
    /// # Errors
    /// Why the request was refused as a whole.
    pub fn events(&self, headers: &HeaderMap, body: &[u8]) -> Result<Items, Refusal> {
        self.examine(Intake::Events, headers, body)
    }

    /// What becomes of a request to `/v1/leads`.
    ///
    /// # Errors
    /// Why the request was refused as a whole.
    pub fn lead(&self, headers: &HeaderMap, body: &[u8]) -> Result<Items, Refusal> {
        self.examine(
            Intake::Lead(LeadRequest::Upsert(OnConflict::Refuse)),
            headers,
            body,
        )
    }

    fn examine(&self, intake: Intake, headers: &HeaderMap, body: &[u8]) -> Result<Items, Refusal> {
        let mut request = Request::new(Body::from(body.to_vec()));
        *request.headers_mut() = headers.clone();
        let examined = self.examiner.examine(intake, request);
        let items = self.runtime.block_on(examined).map_err(refusal)?;
        let items = items.into_iter().map(|item| item.map(accepted));
        Ok(items.map(|item| item.map_err(refusal)).collect())
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

fn refusal(rejection: Rejection) -> Refusal {
    Refusal {
        reason: rejection.reason.as_str().to_owned(),
        detail: rejection.detail.into_owned(),
    }
}

fn accepted(valid: Valid) -> Accepted {
    let personal = valid.personal.into_iter().map(|found| found.pointer);
    Accepted {
        attributes: valid.envelope.map(attributes),
        data: valid.data,
        personal: personal.collect(),
    }
}

fn attributes(envelope: Envelope) -> Attributes {
    Attributes {
        id: envelope.id,
        source: envelope.source,
        event_type: envelope.event_type,
        version: envelope.version,
        time: envelope.time.map(timestamp::format),
    }
}

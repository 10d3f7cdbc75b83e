//! Sends batches to the service over HTTP, as any client would.

use std::{net::SocketAddr, time::Duration};

use portcullis_apikey_cache::ApiKey;
use serde::Deserialize;
use serde_json::Value;

use super::error::DemoError;

/// How long an answer is waited for.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A client of the public listener.
#[derive(Debug)]
pub(super) struct Sender {
    http: reqwest::Client,
    url: String,
}

/// What the service answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// 202 or 422: what became of each event.
    Taken { status: u16, outcome: Outcome },
    /// Refused as a whole.
    Refused { status: u16 },
    /// No answer.
    Unreachable,
}

/// The part of the answer that tells what became of the events.
#[derive(Debug, Deserialize)]
pub(super) struct Outcome {
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
    pub(super) rejected: Vec<Rejected>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rejected {
    pub(super) reason: String,
}

impl Sender {
    pub(super) fn new(address: SocketAddr) -> Result<Self, DemoError> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .build()
            .map_err(DemoError::Client)?;
        Ok(Self {
            http,
            url: format!("http://{address}/v1/events"),
        })
    }

    /// Sends one batch.
    pub(super) async fn send(&self, key: &ApiKey, batch: &[Value]) -> Answer {
        // EXPOSE: the demo is the key's holder.
        let request = self
            .http
            .post(&self.url)
            .bearer_auth(key.hazmat_expose())
            .json(batch);
        let Ok(response) = request.send().await else {
            return Answer::Unreachable;
        };
        let status = response.status().as_u16();
        match response.json::<Outcome>().await {
            Ok(outcome) => Answer::Taken { status, outcome },
            Err(_) => Answer::Refused { status },
        }
    }
}

impl Answer {
    /// The status, 0 without an answer.
    pub(super) const fn status(&self) -> u16 {
        match self {
            Self::Taken { status, .. } | Self::Refused { status } => *status,
            Self::Unreachable => 0,
        }
    }
}

//! Speaks to the service over HTTP, as any client would.

use std::{net::SocketAddr, time::Duration};

use http::Method;
use portcullis_apikey_cache::ApiKey;
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::Value;

use super::error::DemoError;
use crate::clock::{Clock as _, SystemClock};

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
pub(super) struct Answer {
    /// 0 without an answer.
    pub(super) status: u16,
    /// From the request to the end of the answer.
    pub(super) took: Duration,
    /// Null where there is no JSON.
    pub(super) body: Value,
}

/// What became of each event of a batch.
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
            url: format!("http://{address}"),
        })
    }

    /// A request that is still to be asked.
    pub(super) fn request(&self, method: Method, target: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{target}", self.url))
    }

    /// The same, by the holder of a key.
    pub(super) fn request_by(&self, key: &ApiKey, method: Method, target: &str) -> RequestBuilder {
        // EXPOSE: the demo is the key's holder.
        self.request(method, target)
            .bearer_auth(key.hazmat_expose())
    }

    /// Sends one batch of events.
    pub(super) async fn send(&self, key: &ApiKey, batch: &[Value]) -> Answer {
        let request = self.request_by(key, Method::POST, "/v1/events");
        Answer::to(request.json(batch)).await
    }
}

impl Answer {
    /// Asks, and reads the answer.
    pub(super) async fn to(request: RequestBuilder) -> Self {
        let began = SystemClock.monotonic();
        let (status, body) = match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                (status, response.json().await.unwrap_or_default())
            }
            Err(_) => (0, Value::Null),
        };
        Self {
            status,
            took: SystemClock.monotonic().saturating_sub(began),
            body,
        }
    }

    /// What became of each event, unless they were refused as a whole.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        Outcome::deserialize(&self.body).ok()
    }

    /// Why it was refused as a whole.
    pub(super) fn reason(&self) -> Option<&str> {
        self.body.get("reason")?.as_str()
    }
}

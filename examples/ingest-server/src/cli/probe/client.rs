//! Asks the service, each time on a connection of its own, as an unrelated client does.

use std::{sync::Arc, time::Duration};

use http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response, redirect::Policy};
use rustls::RootCertStore;
use serde_json::Value;

use super::{base_url::BaseUrl, error::ProbeError, failure::Failure, keys::Keys};
use crate::{delivery, json};

/// How long a step may take, from its request to the end of its answer. That long a blackholed one takes.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);

/// No answer that is expected is nearly as long.
const MAX_ANSWER: usize = 64 << 10;

/// A client of the public listener.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: BaseUrl,
    keys: Keys,
}

/// Which of the keys is shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shown {
    Key,
    Revoked,
}

impl Client {
    pub(super) fn new(base: BaseUrl, keys: Keys) -> Result<Self, ProbeError> {
        let nobody = Arc::new(RootCertStore::empty());
        // Where nothing is encrypted, a machine without authorities can do without.
        let authorities = (!base.is_encrypted()).then_some(&nobody);
        let http = reqwest::Client::builder()
            .user_agent(concat!("ingest-server-probe/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(delivery::tls_client(authorities)?)
            // Keys go to the address that was given, and nowhere else.
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .pool_max_idle_per_host(0)
            .build();
        Ok(Self {
            http: http.map_err(|_| ProbeError::Client)?,
            base,
            keys,
        })
    }

    /// A request that shows a key.
    pub(super) fn request(&self, method: Method, path: &str, shown: Shown) -> RequestBuilder {
        let key = match shown {
            Shown::Key => &self.keys.key,
            Shown::Revoked => &self.keys.revoked,
        };
        // EXPOSE: the probe is the key's holder, and asks the address that it is for.
        let request = self.http.request(method, self.base.at(path));
        request.bearer_auth(key.hazmat_expose())
    }
}

/// Sends a request and gives the answer of the status that it has to have; null without a body.
///
/// # Errors
/// There is no such answer. An error of the client names the address with what it asks for, and is not told.
pub(super) async fn answer(
    request: RequestBuilder,
    expected: StatusCode,
) -> Result<Value, Failure> {
    let answered = tokio::time::timeout(DEADLINE, async {
        let response = request.send().await.map_err(|error| {
            if error.is_connect() {
                Failure::Connection
            } else {
                Failure::BrokenOff
            }
        })?;
        let status = response.status();
        Ok((status, body(response).await?))
    });
    let (status, body) = answered.await.map_err(|_| Failure::Deadline)??;
    let answer = json::read(&body).unwrap_or_default();
    if status == expected {
        Ok(answer)
    } else {
        Err(Failure::status(status, expected, &answer))
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Failure::BrokenOff)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

//! Requests to receivers.

use std::{error::Error, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request,
    header::{AUTHORIZATION, RETRY_AFTER},
};
use portcullis_audit_log::sink::{AddressPolicy, Reply, RequestLimits, Transport, TransportError};
use reqwest::{
    Client, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use rustls::ClientConfig;
use tokio::time::timeout;

use super::resolve::resolve;

/// Sends requests to one receiver, over connections that are kept. It follows no redirect, asks no proxy, and connects
/// to what was resolved and checked, and to nothing else.
#[derive(Debug)]
pub(super) struct HttpTransport {
    client: Client,
}

/// Resolves a name for each connection, and gives addresses that are allowed.
#[derive(Debug)]
struct Checked(AddressPolicy);

/// What is read of an answer, so that its connection can be kept.
const MOST_BODY: usize = 4_096;
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

impl HttpTransport {
    /// For a receiver that may be at these addresses, and is to see this authorization.
    ///
    /// # Errors
    /// There is no client.
    pub(super) fn new(
        addresses: AddressPolicy,
        tls: ClientConfig,
        authorization: Option<HeaderValue>,
    ) -> Result<Self, reqwest::Error> {
        let headers = authorization.into_iter().map(|mut value| {
            value.set_sensitive(true);
            (AUTHORIZATION, value)
        });
        let client = Client::builder()
            .user_agent(concat!("ingest-server/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .default_headers(headers.collect())
            .pool_max_idle_per_host(1)
            .dns_resolver(Arc::new(Checked(addresses)))
            .build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn request(
        &self,
        request: Request<Bytes>,
        limits: &RequestLimits,
    ) -> Result<Reply, TransportError> {
        let request = reqwest::Request::try_from(request);
        let mut request = request.map_err(failed)?;
        // An address in the URL is resolved by nobody. It is looked at as the client reads it, who takes `0x7f.1` for one.
        if let Some(address) = address_in(request.url()) {
            limits.addresses.check(&[address])?;
        }
        *request.timeout_mut() = Some(limits.timeout);
        let response = self.client.execute(request).await.map_err(failed)?;
        let reply = Reply::new(response.status());
        let reply = match retry_after(response.headers()) {
            Some(after) => reply.retry_after(after),
            None => reply,
        };
        if limits.max_body > 0 {
            return Ok(reply.body(read_whole(response, limits.max_body).await?));
        }
        // The answer is there, whatever comes of the rest.
        drop(timeout(BODY_TIMEOUT, read(response)).await);
        Ok(reply)
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.0.clone();
        Box::pin(async move {
            // The client puts the port of the URL in.
            match resolve(name.as_str(), 0, &addresses).await {
                Ok(found) => Ok(Box::new(found.into_iter()) as Addrs),
                Err(error) => Err(Box::<dyn Error + Send + Sync>::from(error)),
            }
        })
    }
}

fn address_in(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let host = host
        .strip_prefix('[')
        .and_then(|it| it.strip_suffix(']'))
        .unwrap_or(host);
    host.parse().ok()
}

/// In seconds; a date is left to the schedule of the sink.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

async fn read_whole(mut response: Response, most: usize) -> Result<Bytes, TransportError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if chunk.len() > most - body.len() {
            return Err(TransportError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

/// No body is wanted; so much is read that the connection can be kept.
async fn read(mut response: Response) {
    let mut left = MOST_BODY;
    while let Ok(Some(chunk)) = response.chunk().await {
        let Some(rest) = left.checked_sub(chunk.len()) else {
            return;
        };
        left = rest;
    }
}

fn failed(error: reqwest::Error) -> TransportError {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(TransportError::Address(refused)) = error.downcast_ref() {
            return (*refused).into();
        }
        cause = error.source();
    }
    if error.is_timeout() {
        return TransportError::TimedOut;
    }
    // The URL may have a secret in its path.
    TransportError::unreachable(error.without_url())
}

#[cfg(test)]
mod tests;

//! What a request counts for, and what happens when that cannot be told.

use std::{fmt::Debug, net::IpAddr};

use http::{StatusCode, request::Parts};

use crate::{address::TrustedProxies, error::ExtractError, request::RateLimitRequest};

/// Tells what a request counts for.
///
/// # Contract
/// Pure and quick: it only reads the head of the request, and what earlier layers left among its
/// extensions.
pub trait KeyExtractor: Debug + Send + Sync {
    /// What to charge, and how much.
    ///
    /// # Errors
    /// That cannot be told. The layer then does what its [`OnExtractError`] says.
    fn extract<'a>(&'a self, head: &'a Parts) -> Result<RateLimitKey<'a>, ExtractError>;
}

/// What a request counts for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RateLimitKey<'a> {
    /// An authenticated tenant.
    Tenant(RateLimitRequest<'a>),
    /// A client address whose tenant is not known.
    Address(IpAddr),
    /// Nothing: the request passes without being counted.
    Exempt,
}

/// What the layer does with a request if the extractor fails.
///
/// Each time an [`Event::KeyNotExtracted`](crate::observer::Event::KeyNotExtracted) says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnExtractError {
    /// Answers with this status and a problem body. The default is 503, because the usual cause
    /// is a layer that is missing; 401 fits an extractor that finds no credentials.
    Reject(StatusCode),
    /// Counts the request for this client address, so that all requests without a key share the
    /// limit of one address.
    CountAs(IpAddr),
    /// Lets the request pass without being counted.
    ///
    /// # Security
    /// A client that can make the extractor fail, for example by leaving a header out, has no
    /// limits.
    Admit,
}

/// The address of the other end of a connection, to be put among the extensions of each request
/// by the server or an earlier layer.
///
/// With axum, serve the router with `into_make_service_with_connect_info::<SocketAddr>()` and add
/// this middleware outside the rate limit (the example `axum_limits` is the whole program):
///
/// ```
/// use std::net::SocketAddr;
///
/// use axum::{
///     extract::{ConnectInfo, Request},
///     middleware::Next,
///     response::Response,
/// };
/// use portcullis_ratelimit::layer::PeerAddress;
///
/// async fn peer_address(
///     ConnectInfo(peer): ConnectInfo<SocketAddr>,
///     mut request: Request,
///     next: Next,
/// ) -> Response {
///     request.extensions_mut().insert(PeerAddress(peer.ip()));
///     next.run(request).await
/// }
/// # let _ = axum::middleware::from_fn::<_, (ConnectInfo<SocketAddr>, Request)>(peer_address);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a name for an address, complete as it is"
)]
pub struct PeerAddress(pub IpAddr);

/// Counts each client address, before authentication: that of [`PeerAddress`], or the one that
/// trusted proxies name in `X-Forwarded-For`.
#[derive(Clone, Debug)]
pub struct ByClientAddress {
    proxies: TrustedProxies,
}

impl Default for OnExtractError {
    fn default() -> Self {
        Self::Reject(StatusCode::SERVICE_UNAVAILABLE)
    }
}

impl ByClientAddress {
    /// Trusts `proxies` to name the client.
    #[must_use]
    pub fn new(proxies: TrustedProxies) -> Self {
        Self { proxies }
    }
}

impl KeyExtractor for ByClientAddress {
    fn extract<'a>(&'a self, head: &'a Parts) -> Result<RateLimitKey<'a>, ExtractError> {
        let peer = head.extensions.get().ok_or(ExtractError::NoPeerAddress)?;
        let PeerAddress(peer) = *peer;
        let client = self.proxies.client_address_in(peer, &head.headers);
        Ok(RateLimitKey::Address(client))
    }
}

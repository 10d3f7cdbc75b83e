use std::fmt::Debug;
use std::net::IpAddr;

use http::request::Parts;

use crate::address::TrustedProxies;
use crate::request::Request;

/// Tells whom a request counts for.
///
/// # Contract
/// Pure and quick: it only reads the head of the request, and what earlier layers left among its
/// extensions.
pub trait Extract: Debug + Send + Sync {
    /// Whom to charge, and how much.
    ///
    /// # Errors
    /// That cannot be told; the request is answered 503.
    fn extract<'a>(&'a self, head: &'a Parts) -> Result<Who<'a>, ExtractError>;
}

/// Whom a request counts for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Who<'a> {
    /// An authenticated tenant.
    Tenant(Request<'a>),
    /// A client address whose tenant is not known.
    Address(IpAddr),
    /// Nobody: the request passes without being counted.
    Exempt,
}

/// The request does not tell whom it counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an earlier layer did not leave what the rate limit counts by; check their order")]
#[expect(
    clippy::exhaustive_structs,
    reason = "implementations of the trait return it"
)]
pub struct ExtractError;

/// The address of the other end of a connection, to be put among the extensions of each request
/// by whoever accepts connections.
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

impl ByClientAddress {
    /// Believes `proxies`.
    #[must_use]
    pub fn new(proxies: TrustedProxies) -> Self {
        Self { proxies }
    }
}

impl Extract for ByClientAddress {
    fn extract<'a>(&'a self, head: &'a Parts) -> Result<Who<'a>, ExtractError> {
        let PeerAddress(peer) = head.extensions.get().ok_or(ExtractError)?;
        // A line that is not ASCII names no address and ends the walk like any other such entry.
        let lines = head.headers.get_all("x-forwarded-for").iter();
        let lines = lines.map(|line| line.to_str().unwrap_or_default());
        Ok(Who::Address(self.proxies.client_address(*peer, lines)))
    }
}

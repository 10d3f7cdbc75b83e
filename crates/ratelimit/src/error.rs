//! Why a request could not be checked.

use crate::store::StoreError;

/// Why a request could be neither admitted nor refused.
///
/// # Security
/// A caller that lets requests pass on an error has no limits while the error lasts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The policies have none for the tier and category of the request.
    #[error("no policy is set for the tier and category of the request; add one")]
    NoPolicy,
    /// What was admitted is an address, which has no second charge.
    #[error("an address was admitted, and no request that more could be charged for")]
    NotARequest,
    /// The store did not decide.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the key of a request could not be extracted.
#[cfg(feature = "tower")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// No earlier layer has put a [`PeerAddress`](crate::layer::PeerAddress) among the extensions of
    /// the request.
    #[error(
        "the request has no PeerAddress extension; add a layer before the rate limit that inserts \
         the address of the connection (the example `axum_limits` shows it)"
    )]
    NoPeerAddress,
    /// Something else that an extractor needs is not there, by its name: `"an API key"`.
    #[error(
        "the request does not carry {0}; check that the layer that adds it runs before the rate limit"
    )]
    Missing(&'static str),
}

//! Where a request carries its key.

use http::{
    HeaderMap,
    header::{AUTHORIZATION, HeaderValue},
};
use thiserror::Error;

use crate::key::{ApiKey, MalformedKey};

const API_KEY: &str = "x-api-key";

impl ApiKey {
    /// The key in `Authorization: Bearer <key>` or `X-API-Key: <key>`.
    ///
    /// `Authorization` of another scheme is left to others.
    ///
    /// # Errors
    ///
    /// If there is no key, one that differs from another, or one that does not parse. The same key
    /// in both headers, as some clients and proxies send it, is one key.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, CredentialError> {
        let bearer = headers
            .get_all(AUTHORIZATION)
            .iter()
            .filter_map(bearer_token);
        let named = headers.get_all(API_KEY).iter();
        let named = named.map(|value| value.as_bytes().trim_ascii());
        let mut credentials = bearer.chain(named);
        let credential = credentials.next().ok_or(CredentialError::Missing)?;
        // Of two, servers in a row might each take another one.
        if credentials.any(|other| other != credential) {
            return Err(CredentialError::Ambiguous);
        }
        let text = str::from_utf8(credential).map_err(|_| MalformedKey::Form)?;
        Ok(Self::parse(text)?)
    }
}

fn bearer_token(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}

/// Why a request carries no usable key. The answer to the caller does not depend on which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// There is none.
    #[error("send an API key as Authorization: Bearer or as X-API-Key")]
    Missing,
    /// There are several that differ.
    #[error("send one API key")]
    Ambiguous,
    /// It cannot be a key.
    #[error(transparent)]
    Malformed(#[from] MalformedKey),
}

#[cfg(test)]
mod tests;

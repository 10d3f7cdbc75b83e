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
    /// If there is no key, more than one, or one that does not parse.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, CredentialError> {
        let bearer = headers
            .get_all(AUTHORIZATION)
            .iter()
            .filter_map(bearer_token);
        let named = headers.get_all(API_KEY).iter().map(HeaderValue::as_bytes);
        let mut credentials = bearer.chain(named);
        let credential = credentials.next().ok_or(CredentialError::Missing)?;
        // Two servers in a row might each take another one.
        if credentials.next().is_some() {
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
    /// There is more than one.
    #[error("send one API key, in one header")]
    Ambiguous,
    /// It cannot be a key.
    #[error(transparent)]
    Malformed(#[from] MalformedKey),
}

#[cfg(test)]
mod tests;

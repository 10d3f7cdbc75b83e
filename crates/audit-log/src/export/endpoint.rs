//! Where requests are sent.

use std::{fmt, str::FromStr};

use http::Uri;

/// A URL that exports are posted to: `https`, or `http` where the caller allows that, without user, password and
/// fragment.
///
/// Its path may be a secret of the receiver, so that only scheme and host are shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Uri);

/// Why a URL is no endpoint. It does not repeat the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEndpoint {
    /// It is no absolute URL.
    #[error("an endpoint must be an absolute URL, as https://siem.example/audit")]
    Malformed,
    /// It is neither `https` nor, where that is allowed, `http`.
    #[error("an endpoint must have the scheme https; http shows what is sent to the whole network")]
    Scheme,
    /// There is a user or password in it.
    #[error("an endpoint must have no user and password in it")]
    Credentials,
}

impl Endpoint {
    /// Reads an `https` URL.
    ///
    /// # Errors
    /// [`InvalidEndpoint`] names what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, InvalidEndpoint> {
        Self::read(url, &["https"])
    }

    /// Reads an `https` or `http` URL: for a receiver on the same machine.
    ///
    /// # Security
    /// Anyone between the two reads what is sent, and with webhooks may send it again until it is too old.
    ///
    /// # Errors
    /// [`InvalidEndpoint`] names what is wrong with it.
    pub fn dangerous_cleartext(url: &str) -> Result<Self, InvalidEndpoint> {
        Self::read(url, &["https", "http"])
    }

    fn read(url: &str, schemes: &[&str]) -> Result<Self, InvalidEndpoint> {
        let uri = Uri::from_str(url).map_err(|_| InvalidEndpoint::Malformed)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(InvalidEndpoint::Malformed);
        };
        if !schemes.contains(&scheme) {
            return Err(InvalidEndpoint::Scheme);
        }
        if authority.as_str().contains('@') {
            return Err(InvalidEndpoint::Credentials);
        }
        if authority.host().is_empty() || url.contains('#') {
            return Err(InvalidEndpoint::Malformed);
        }
        Ok(Self(uri))
    }

    /// The URL.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.0
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let authority = self
            .0
            .authority()
            .map_or("", |authority| authority.as_str());
        write!(f, "Endpoint({scheme}://{authority}/…)")
    }
}

//! Header fields with the types of the `http` crate: those that an answer carries and the one
//! that names a client's address.
//!
//! ```
//! use http::HeaderMap;
//! use portcullis_ratelimit::{address::TrustedProxies, header};
//!
//! let proxies = TrustedProxies::new(["10.0.0.0/8"])?;
//! let mut headers = HeaderMap::new();
//! headers.insert(&header::X_FORWARDED_FOR, "192.0.2.7, 10.0.0.2".parse()?);
//! let client = proxies.client_address_in("10.0.0.1".parse()?, &headers);
//! assert_eq!(client.to_string(), "192.0.2.7");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{address::TrustedProxies, decision::Decision};

/// `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11).
pub static RATE_LIMIT_POLICY: HeaderName =
    HeaderName::from_static(crate::decision::RATE_LIMIT_POLICY);

/// `RateLimit` (same draft).
pub static RATE_LIMIT: HeaderName = HeaderName::from_static(crate::decision::RATE_LIMIT);

/// `X-Forwarded-For`.
pub static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl Decision {
    /// Adds [`fields`](Self::fields) to the headers of an answer.
    ///
    /// They are added to what is there: the fields are lists, and another limiter may have
    /// written its own.
    ///
    /// # Panics
    /// Never: limit names and numbers are ASCII.
    pub fn append_to(&self, headers: &mut HeaderMap) {
        for (name, value) in self.fields() {
            let value = HeaderValue::try_from(value).expect("limit names and numbers are ASCII");
            headers.append(name, value);
        }
    }
}

impl TrustedProxies {
    /// [`client_address`](Self::client_address) from all `X-Forwarded-For` lines of a request.
    ///
    /// A line that is not ASCII ends the walk, as any other entry that is not an address does.
    #[must_use]
    pub fn client_address_in(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lines = headers.get_all(&X_FORWARDED_FOR).iter();
        self.client_address(peer, lines.map(|line| line.to_str().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::{HeaderMap, HeaderValue};

    use super::X_FORWARDED_FOR;
    use crate::address::TrustedProxies;

    #[test]
    fn a_line_that_is_not_ascii_ends_the_walk_and_is_not_skipped() {
        let proxies = TrustedProxies::new(["10.0.0.0/8"]).unwrap();
        let peer = IpAddr::from([10, 0, 0, 1]);
        let mut headers = HeaderMap::new();
        headers.append(&X_FORWARDED_FOR, HeaderValue::from_static("192.0.2.1"));
        assert_eq!(
            proxies.client_address_in(peer, &headers),
            IpAddr::from([192, 0, 2, 1])
        );
        let not_ascii = HeaderValue::from_bytes(b"\xff").unwrap();
        headers.append(&X_FORWARDED_FOR, not_ascii);
        assert_eq!(proxies.client_address_in(peer, &headers), peer);
    }
}

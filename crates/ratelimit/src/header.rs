//! Header fields with the types of the `http` crate: those that an answer carries and those that
//! name a client's address.
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

use crate::{
    address::{TrustedProxies, hops},
    decision::Decision,
};

pub use http::header::FORWARDED;

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
    /// The client of a connection from `peer`, by all `X-Forwarded-For` and `Forwarded` lines of its
    /// request, as [`client_address`](Self::client_address) and
    /// [`client_address_forwarded`](Self::client_address_forwarded) read them.
    ///
    /// A request that has both is followed as far as they agree. Bytes that are no text end the walk
    /// where they stand, as any other entry that is not an address does.
    ///
    /// # Security
    /// Proxies write one of the fields and pass the other on as the client sent it. Which one is not
    /// known here, so neither is believed against the other: a client that adds the field which its
    /// proxy does not write is counted as that proxy. Have proxies remove that field.
    #[must_use]
    pub fn client_address_in(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lines = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes);
        let mut forwarded_for = hops::forwarded_for(lines(&X_FORWARDED_FOR)).peekable();
        let mut forwarded = hops::forwarded(lines(&FORWARDED)).peekable();
        match (forwarded_for.peek(), forwarded.peek()) {
            (_, None) => self.walk(peer, forwarded_for),
            (None, _) => self.walk(peer, forwarded),
            _ => {
                let both = forwarded_for.zip(forwarded);
                self.walk(peer, both.map(|(hop, other)| hop.filter(|_| hop == other)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{FORWARDED, X_FORWARDED_FOR};
    use crate::address::TrustedProxies;

    const PEER: [u8; 4] = [10, 0, 0, 1];

    fn client(lines: &[(&HeaderName, &[u8])]) -> IpAddr {
        let proxies = TrustedProxies::new(["10.0.0.0/8"]).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        proxies.client_address_in(IpAddr::from(PEER), &headers)
    }

    #[test]
    fn what_is_not_text_ends_the_walk_where_it_stands_and_is_not_skipped() {
        let found = IpAddr::from([198, 51, 100, 9]);
        let (peer, field) = (IpAddr::from(PEER), &X_FORWARDED_FOR);
        assert_eq!(client(&[(field, b"evil\xff, 198.51.100.9")]), found);
        assert_eq!(client(&[(field, b"\xff"), (field, b"198.51.100.9")]), found);
        assert_eq!(client(&[(field, b"198.51.100.9, \xff")]), peer);
        assert_eq!(client(&[(field, b"198.51.100.9"), (field, b"\xff")]), peer);
        assert_eq!(
            client(&[(field, b"6.6.6.6, 198.51.100.9\xff, 10.0.0.2")]),
            IpAddr::from([10, 0, 0, 2])
        );
        let field = &FORWARDED;
        assert_eq!(client(&[(field, b"for=\"\xff, for=198.51.100.9")]), found);
        assert_eq!(client(&[(field, b"for=198.51.100.9;host=\"\xff\"")]), peer);
    }

    #[test]
    fn two_fields_are_followed_as_far_as_they_agree() {
        let (for_, forwarded) = (&X_FORWARDED_FOR, &FORWARDED);
        for (x_forwarded_for, forwarded_value, expected) in [
            ("198.51.100.9", "for=198.51.100.9", [198, 51, 100, 9]),
            (
                "198.51.100.9",
                "for=6.6.6.6, for=\"198.51.100.9:80\"",
                [198, 51, 100, 9],
            ),
            (
                "6.6.6.6, 10.0.0.2",
                "for=198.51.100.9, for=10.0.0.2",
                [10, 0, 0, 2],
            ),
            ("198.51.100.9, 10.0.0.2", "for=10.0.0.2", [10, 0, 0, 2]),
            ("198.51.100.9", "for=6.6.6.6", PEER),
            ("198.51.100.9", "for=unknown", PEER),
            ("unknown", "for=198.51.100.9", PEER),
            ("unknown", "for=_hidden", PEER),
            // A field without elements is none.
            ("198.51.100.9", " , ", [198, 51, 100, 9]),
            (",", "for=198.51.100.9", [198, 51, 100, 9]),
        ] {
            let lines = [
                (for_, x_forwarded_for.as_bytes()),
                (forwarded, forwarded_value.as_bytes()),
            ];
            let found = client(&lines);
            assert_eq!(
                found,
                IpAddr::from(expected),
                "{x_forwarded_for} {forwarded_value}"
            );
        }
    }
}

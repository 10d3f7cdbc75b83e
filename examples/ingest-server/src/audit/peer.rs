//! Where a request came from, as it lies beside the entries about it.

use std::{fmt, net::IpAddr, sync::Arc};

use http::{HeaderMap, HeaderValue, header::USER_AGENT};

/// The address of a client, and what it says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    pub(crate) user_agent: Option<UserAgent>,
}

/// What a client says it is: at most [`MOST_BYTES`](Self::MOST_BYTES) of it. Cloning is cheap.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UserAgent(Arc<str>);

impl Peer {
    /// Of somebody who says nothing of the kind.
    #[cfg(test)]
    pub(crate) const fn new(address: IpAddr) -> Self {
        Self {
            address,
            user_agent: None,
        }
    }

    /// Of who has sent a request with these header fields.
    pub(crate) fn of_request(address: IpAddr, headers: &HeaderMap) -> Self {
        Self {
            address,
            user_agent: headers.get(USER_AGENT).and_then(UserAgent::read),
        }
    }
}

impl UserAgent {
    /// Programs of people say less than that; what is longer is cut.
    pub(crate) const MOST_BYTES: usize = 256;

    /// What a header field says, unless that is nothing. What is no UTF-8, and what changes how a line reads, is replaced.
    pub(crate) fn read(value: &HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes().trim_ascii();
        let start = &bytes[..bytes.len().min(Self::MOST_BYTES)];
        let text = String::from_utf8_lossy(start);
        let text = text.replace(char::is_control, "\u{fffd}");
        let end = text.floor_char_boundary(Self::MOST_BYTES);
        (end > 0).then(|| Self(text[..end].into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// It is about a person.
impl fmt::Debug for UserAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserAgent").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says_it_is_has_256_bytes_at_most_and_is_text() {
        let long = "é".repeat(200);
        let at_the_edge = format!("{}é", "a".repeat(255));
        let invalid = [b'\xff'; 300];
        for (bytes, text) in [
            (&b"curl/8.5"[..], Some("curl/8.5".to_owned())),
            (b"  curl/8.5\t", Some("curl/8.5".to_owned())),
            (b"", None),
            (b"  ", None),
            (b"a\tb", Some("a\u{fffd}b".to_owned())),
            (long.as_bytes(), Some("é".repeat(128))),
            // Half of a character is none.
            (at_the_edge.as_bytes(), Some("a".repeat(255))),
            (&invalid, Some("\u{fffd}".repeat(85))),
        ] {
            let value = HeaderValue::from_bytes(bytes).unwrap();
            let read = UserAgent::read(&value);
            let read = read.map(|agent| agent.as_str().to_owned());
            assert_eq!(read, text, "{value:?}");
            assert!(read.is_none_or(|read| read.len() <= UserAgent::MOST_BYTES));
        }
    }

    #[test]
    fn nobody_prints_it() {
        let agent = UserAgent::read(&HeaderValue::from_static("curl/8.5"));
        assert_eq!(format!("{agent:?}"), "Some(UserAgent { .. })");
    }
}

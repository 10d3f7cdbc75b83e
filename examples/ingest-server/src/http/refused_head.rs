//! A request whose head cannot be used: it reaches no route, and is answered like any other.

use std::borrow::Cow;

use http::{Method, Uri};

use crate::{pipeline::rejection::Rejection, quality::Reason};

/// Why, and what could be read all the same.
#[derive(Debug, Clone)]
pub(super) struct RefusedHead {
    pub(super) rejection: Rejection,
    /// Method and target, if they are readable.
    pub(super) request_line: Option<Box<(Method, Uri)>>,
}

impl RefusedHead {
    /// The head is not what HTTP/1.1 says.
    pub(super) fn malformed(detail: &'static str) -> Self {
        Self::new(Reason::TransportMalformed, detail)
    }

    pub(super) fn new(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            rejection: Rejection::new(reason, detail),
            request_line: None,
        }
    }
}

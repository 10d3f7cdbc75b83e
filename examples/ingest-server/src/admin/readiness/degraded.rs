//! The parts that are degraded, with what to do.

use serde::Serialize;

use crate::{degradation::DegradedSince, timestamp};

/// A part that does less than it promises while the rest goes on.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Degraded {
    component: &'static str,
    /// RFC 3339.
    since: String,
    limited: &'static str,
    action: &'static str,
}

impl From<DegradedSince> for Degraded {
    fn from(DegradedSince { part, since }: DegradedSince) -> Self {
        Self {
            component: part.as_str(),
            since: timestamp::format(since),
            limited: part.limited(),
            action: part.action(),
        }
    }
}

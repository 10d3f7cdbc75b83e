use std::fmt::Debug;

use crate::policy::{Policy, PolicyLimit};

/// Where a limiter reports what it decides, for metrics.
///
/// # Contract
/// Called within every check, on its thread: it must be quick and must not block.
pub trait Observer: Debug + Send + Sync {
    /// Takes note of one event.
    fn observe(&self, event: &Event<'_>);
}

/// What happened. None carries a tenant, a key or an address, so every part is fit for a label.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request that costs something was admitted.
    Admitted {
        /// The policy it was checked against.
        policy: &'a Policy,
    },
    /// A request was refused.
    Refused {
        /// The policy it was checked against.
        policy: &'a Policy,
    },
    /// A limit had no room for a request. If the limit is enforced the request was refused; if it
    /// is a shadow, this is all that came of it.
    Exceeded {
        /// The policy of the request.
        policy: &'a Policy,
        /// The limit without room.
        limit: &'a PolicyLimit,
    },
    /// An enforced limit admitted a request and has less than a tenth of its burst left.
    NearLimit {
        /// The policy of the request.
        policy: &'a Policy,
        /// The limit that is nearly used up.
        limit: &'a PolicyLimit,
    },
}

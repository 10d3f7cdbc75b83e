#![doc = include_str!("../README.md")]

mod address;
mod bucket;
mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod decision;
mod jitter;
#[cfg(feature = "tower")]
mod layer;
mod limit;
mod limited;
mod limiter;
mod name;
mod observer;
mod policies;
mod policy;
mod request;
mod store;

pub use crate::address::{ClientNetwork, TrustedProxies, TrustedProxyError};
pub use crate::bucket::{Bucket, Level, Retry};
pub use crate::clock::{Clock, FakeClock, SystemClock, Timestamp};
pub use crate::decision::{Admitted, Decision, LimitStanding, Problem, Refused};
pub use crate::jitter::Jitter;
#[cfg(feature = "tower")]
pub use crate::layer::{
    ByClientAddress, Extract, ExtractError, PeerAddress, RateLimit, RateLimitFuture,
    RateLimitLayer, Who,
};
pub use crate::limit::{Limit, LimitError, Rate};
pub use crate::limited::LimitedTenant;
pub use crate::limiter::{BuildError, CheckError, RateLimiter, RateLimiterBuilder};
pub use crate::name::{Category, LimitName, NameError, Tier};
pub use crate::observer::{Event, Observer};
pub use crate::policies::{Policies, PoliciesBuilder, PolicyError, Rule};
pub use crate::policy::{MAX_LIMITS, Mode, Policy, PolicyLimit, Scope};
pub use crate::request::Request;
pub use crate::store::{
    Answer, Charge, MemoryStats, MemoryStore, Partition, Reading, Readings, Store, StoreError,
    Subject, Target, WhenFull,
};

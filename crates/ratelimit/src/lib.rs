#![doc = include_str!("../README.md")]

pub mod address;
pub mod bucket;
pub mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod decision;
mod error;
#[cfg(feature = "http")]
pub mod header;
mod jitter;
#[cfg(feature = "tower")]
pub mod layer;
mod limited;
mod limiter;
mod name;
pub mod observer;
pub mod policy;
mod request;
pub mod store;

pub use self::{
    decision::{Admitted, Decision, Problem, Refused},
    error::CheckError,
    jitter::Jitter,
    limited::LimitedTenant,
    limiter::{BuildError, RateLimiter, RateLimiterBuilder},
    name::{Category, NameError, Tier},
    request::RateLimitRequest,
};

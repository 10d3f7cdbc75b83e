//! What a cache promises, on clocks that the tests move.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bus;
mod effective;
mod follow;
mod grace;
mod invalidate;
mod late_misses;
#[cfg(feature = "tower")]
mod layer;
mod loads;
mod lossy_bus;
mod manage;
mod peppers;
mod refresh;
mod requests;
mod rotate;
mod support;
mod uses;
mod warm;
mod without_cache;

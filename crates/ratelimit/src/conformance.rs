//! Suites that every implementation of a trait of this crate must pass.
//!
//! ```
//! use std::{num::NonZeroUsize, sync::Arc};
//!
//! use portcullis_ratelimit::{
//!     conformance,
//!     store::{MemoryStore, WhenFull},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let capacity = NonZeroUsize::new(1_000).expect("above zero");
//! conformance::store(
//!     async || Arc::new(MemoryStore::new(capacity, WhenFull::SharedOverflow)),
//!     // This store takes the caller's time. One with a clock of its own has to wait:
//!     // `async |time| tokio::time::sleep(time).await`.
//!     async |_time| {},
//! )
//! .await;
//! # }
//! ```

mod store;

pub use self::store::store;

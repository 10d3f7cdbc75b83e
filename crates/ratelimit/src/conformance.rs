//! Suites that every implementation of a trait of this crate must pass.
//!
//! ```
//! use std::{num::NonZeroUsize, sync::Arc};
//!
//! use portcullis_ratelimit::{
//!     conformance,
//!     store::{MemoryStore, Store, WhenFull},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let capacity = NonZeroUsize::new(1_000).expect("above zero");
//! let make = async || {
//!     let store = MemoryStore::new(capacity, WhenFull::SharedOverflow);
//!     Arc::new(store) as Arc<dyn Store>
//! };
//! // This store takes the caller's time. One with a clock of its own has to wait:
//! // `async |time| tokio::time::sleep(time).await`.
//! conformance::store(make, async |_time| {}).await;
//! # }
//! ```

mod store;

pub use self::store::store;

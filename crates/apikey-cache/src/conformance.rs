//! The contracts of [`KeyStore`](crate::store::KeyStore) and [`ChangeFeed`](crate::feed::ChangeFeed)
//! as tests that every implementation runs.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use std::sync::Arc;
//!
//! use portcullis_apikey_cache::{conformance, store::MemoryKeyStore};
//!
//! conformance::key_store(async || Arc::new(MemoryKeyStore::new()) as _).await;
//! conformance::change_feed(async || {
//!     let store = Arc::new(MemoryKeyStore::new());
//!     (store.clone() as _, store as _)
//! })
//! .await;
//! # }
//! ```

mod change_feed;
mod clause;
mod key_store;
mod records;

pub use self::{change_feed::change_feed, key_store::key_store};

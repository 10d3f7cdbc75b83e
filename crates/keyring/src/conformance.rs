//! Suites for implementations of the backend traits, one for each trait, run by every
//! implementation in this crate and made for yours.
//!
//! Each clause of the contract is checked on an instance of its own, which `make` makes.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use std::sync::Arc;
//!
//! use portcullis_keyring::{conformance, store::MemoryDekStore};
//!
//! conformance::dek_store(async || Arc::new(MemoryDekStore::new()) as _).await;
//! # }
//! ```

mod dek_store;
mod kek_provider;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::{KeyId, Purpose, TenantId, kek::KekContext};

#[cfg(all(test, feature = "sqlite"))]
pub(crate) use self::dek_store::{key, tenant};
#[cfg(test)]
pub(crate) use self::kek_provider::raw;
pub use self::{dek_store::dek_store, kek_provider::kek_provider};

/// Has a failed check name the clause.
async fn clause(name: &str, check: impl Future<Output = ()>) {
    if let Err(panic) = AssertUnwindSafe(check).catch_unwind().await {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        panic!("{name}: {}", text.unwrap_or("it panicked"));
    }
}

/// The context of a key, from good names.
pub(crate) fn context(tenant: &str, purpose: &str, id: u32) -> KekContext {
    let tenant = TenantId::new(tenant).expect("a name");
    let purpose = Purpose::new(purpose).expect("a name");
    KekContext::new(tenant, purpose, KeyId::new(id))
}

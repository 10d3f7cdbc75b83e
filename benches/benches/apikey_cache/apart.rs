//! What every check of a key needs at least, each measured apart: an HMAC of what is presented, and a look-up
//! of that digest in a plain cache.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

pub(crate) type Digest = [u8; 32];

pub(crate) struct Hashing(Hmac<Sha256>);

impl Hashing {
    /// With the key absorbed.
    pub(crate) fn new() -> Self {
        Self(Hmac::new_from_slice(&[7; 32]).expect("every length is good"))
    }

    pub(crate) fn digest(&self, text: &str) -> Digest {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// A cache by digest.
pub(crate) fn moka(digests: &[Digest]) -> moka::sync::Cache<Digest, Arc<str>> {
    let cache = moka::sync::Cache::new(2 * digests.len() as u64);
    fill(digests, |digest, owner| cache.insert(digest, owner));
    cache.run_pending_tasks();
    cache
}

pub(crate) fn quick_cache(digests: &[Digest]) -> quick_cache::sync::Cache<Digest, Arc<str>> {
    let cache = quick_cache::sync::Cache::new(2 * digests.len());
    fill(digests, |digest, owner| cache.insert(digest, owner));
    cache
}

fn fill(digests: &[Digest], insert: impl Fn(Digest, Arc<str>)) {
    for digest in digests {
        insert(*digest, super::ours::TENANT.into());
    }
}

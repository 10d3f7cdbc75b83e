//! The secrets that are in use, which are replaced while the service runs.

use std::sync::Arc;

use arc_swap::ArcSwap;
use portcullis_keyring::kek::LocalKek;
use portcullis_pii_crypto::IndexRoots;
use portcullis_versioned_secrets::VersionedSecrets;

use super::swappable_kek::SwappableKek;
use crate::config::AdminToken;

/// Where each of them is replaced. Peppers are replaced in the cache of API keys.
#[derive(Debug, Clone)]
pub(crate) struct LiveSecrets {
    pub(crate) admin_token: Arc<ArcSwap<AdminToken>>,
    pub(super) index_roots: Arc<ArcSwap<IndexRoots>>,
    /// None where another program holds them.
    pub(super) keks: Option<Arc<SwappableKek>>,
}

impl LiveSecrets {
    pub(super) fn new(
        admin_token: &Arc<AdminToken>,
        index_roots: IndexRoots,
        keks: Option<Arc<SwappableKek>>,
    ) -> Self {
        Self {
            admin_token: Arc::new(ArcSwap::new(Arc::clone(admin_token))),
            index_roots: Arc::new(ArcSwap::from_pointee(index_roots)),
            keks,
        }
    }

    /// From here on requests begin with these.
    pub(super) fn replace(
        &self,
        admin_token: Arc<AdminToken>,
        index_roots: IndexRoots,
        keks: Option<VersionedSecrets>,
    ) {
        if let (Some(live), Some(keks)) = (&self.keks, keks) {
            live.replace(LocalKek::new(keks));
        }
        self.index_roots.store(Arc::new(index_roots));
        self.admin_token.store(admin_token);
    }
}

//! What a tenant has of keys, both for its callers and for its data, as far as erasure is concerned.

use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
};

use portcullis_apikey_cache::{self as apikey_cache, ApiKeyCache, ManageError, store::KeyQuery};
use portcullis_keyring::{
    TenantId,
    store::{DekStore, KeyQuery as DataKeyQuery},
};

use super::DataKeyError;

/// The keys of all tenants.
#[derive(Debug, Clone)]
pub(crate) struct TenantKeys {
    pub(crate) data_keys: Arc<dyn DekStore>,
    pub(crate) api_keys: ApiKeyCache,
}

/// API keys that are read at once.
const PAGE: NonZeroU16 = NonZeroU16::new(500).expect("it is not zero");

impl TenantKeys {
    /// Whether a tenant has a key, or had one.
    pub(super) async fn has_any(&self, tenant: &TenantId) -> Result<bool, DataKeyError> {
        if let Ok(name) = apikey_cache::TenantId::new(tenant.as_str()) {
            let query = KeyQuery::first(NonZeroU16::MIN).of_tenant(name);
            let page = self.api_keys.list(&query).await;
            if !page.map_err(DataKeyError::other)?.keys.is_empty() {
                return Ok(true);
            }
        }
        let query = DataKeyQuery::all(NonZeroU32::MIN).of_tenant(tenant.clone());
        Ok(self.data_keys.list(&query).await?.rows() > 0)
    }
}

/// Revokes every API key of a tenant; how many were good until then. What its callers send is refused for good
/// from then on, rather than for want of a data key.
pub(crate) async fn revoke_all(
    api_keys: &ApiKeyCache,
    tenant: &TenantId,
) -> Result<u64, ManageError> {
    // A tenant of another name has none.
    let Ok(name) = apikey_cache::TenantId::new(tenant.as_str()) else {
        return Ok(0);
    };
    let first = KeyQuery::first(PAGE).of_tenant(name);
    let (mut query, mut revoked) = (first.clone(), 0);
    loop {
        let page = api_keys.list(&query).await?;
        for key in &page.keys {
            revoked += u64::from(api_keys.revoke(key.kid()).await?.was_active());
        }
        match page.next {
            Some(kid) => query = first.clone().after(kid),
            None => return Ok(revoked),
        }
    }
}

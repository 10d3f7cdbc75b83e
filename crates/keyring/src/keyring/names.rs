//! One copy of a name for all the keys that it stands with. A database gives each row its own.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use crate::{Purpose, TenantId, store::StoredKey};

/// The purposes of all tenants. There are a few; what goes beyond [`MOST`] is not shared.
#[derive(Debug, Default)]
pub(super) struct Purposes {
    known: Mutex<HashSet<Purpose>>,
}

impl Purposes {
    /// The same key, with the tenant as it is given, if it is this tenant's, and a purpose that others have too.
    pub(super) fn share(&self, tenant: &TenantId, key: StoredKey) -> StoredKey {
        if key.tenant() != tenant {
            return key;
        }
        let purpose = self.shared(key.purpose());
        key.named(tenant.clone(), purpose)
    }

    fn shared(&self, purpose: &Purpose) -> Purpose {
        // A set is whole between any two steps.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(purpose) {
            return known.clone();
        }
        if known.len() < MOST {
            known.insert(purpose.clone());
        }
        purpose.clone()
    }
}

const MOST: usize = 256;

#[cfg(test)]
mod tests {
    use std::{ptr, time::SystemTime};

    use super::*;
    use crate::{KeyId, kek::KekContext};

    fn row(tenant: &str, purpose: &str, id: u32) -> StoredKey {
        let tenant = TenantId::new(tenant).expect("a name");
        let purpose = Purpose::new(purpose).expect("a name");
        let context = KekContext::new(tenant, purpose, KeyId::new(id));
        StoredKey::tombstone(context, SystemTime::UNIX_EPOCH)
    }

    fn is_one(one: &str, other: &str) -> bool {
        ptr::eq(one, other)
    }

    #[test]
    fn keys_of_a_tenant_or_a_purpose_share_its_name() {
        let (purposes, tenant) = (Purposes::default(), TenantId::new("t").expect("a name"));
        for id in 0..2 {
            let key = purposes.share(&tenant, row("t", "email", id));
            assert_eq!(key, row("t", "email", id));
            assert!(is_one(key.tenant().as_str(), tenant.as_str()));
            let known = purposes.shared(key.purpose());
            assert!(is_one(key.purpose().as_str(), known.as_str()));
        }
        let of_another = purposes.share(&tenant, row("u", "email", 2));
        assert_eq!(of_another, row("u", "email", 2));
    }

    #[test]
    fn no_store_makes_it_grow_without_end() {
        let (purposes, tenant) = (Purposes::default(), TenantId::new("t").expect("a name"));
        for id in 0..1_000 {
            let row = row("t", &format!("purpose-{id}"), id);
            assert_eq!(purposes.share(&tenant, row.clone()), row);
        }
        assert_eq!(purposes.known.lock().expect("no panic").len(), MOST);
    }
}

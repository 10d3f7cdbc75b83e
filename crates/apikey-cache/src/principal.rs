//! Who a request comes from.

use std::{fmt, sync::Arc};

use crate::{
    cache::Entry,
    kid::Kid,
    scope::{Scope, Scopes},
    tenant::TenantId,
    tier::Tier,
};

/// The owner of a key that was verified. Cloning shares it.
#[derive(Clone)]
pub struct Principal {
    // Shared with the cache: a hit costs one reference count.
    entry: Arc<Entry>,
    /// What is left of the scopes of the record, if it was not confirmed.
    in_grace: Option<Arc<Scopes>>,
}

impl Principal {
    pub(crate) fn new(entry: Arc<Entry>) -> Self {
        Self {
            entry,
            in_grace: None,
        }
    }

    /// Accepted by a record that was not confirmed: no other scopes are left.
    pub(crate) fn restricted_to(self, scopes: &Scopes) -> Self {
        Self {
            in_grace: Some(Arc::new(self.scopes().common_with(scopes))),
            ..self
        }
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Whom the key belongs to.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.entry.record.tenant
    }

    /// The id of the key, not secret.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.entry.record.kid
    }

    /// Which limits apply.
    #[must_use]
    pub fn tier(&self) -> &Tier {
        &self.entry.record.tier
    }

    /// What the key may do. If it is not [confirmed](Self::is_confirmed), of that only what the cache has a
    /// grace for.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        self.in_grace
            .as_deref()
            .unwrap_or(&self.entry.record.scopes)
    }

    /// Whether it is known that the key was good moments ago. If not, neither the feed nor the store could be
    /// asked, and the cache has a [grace](crate::ApiKeyCacheBuilder::grace) for the scopes that were needed.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.in_grace.is_none()
    }

    /// Whether the key may do this.
    #[must_use]
    pub fn allows(&self, scope: &Scope) -> bool {
        self.has_scope(scope.as_str())
    }

    /// Whether the key may do all of this.
    #[must_use]
    pub fn allows_all(&self, scopes: &Scopes) -> bool {
        self.scopes().contains_all(scopes)
    }

    /// Whether the key has the scope of that name.
    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        self.scopes().contains(name)
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("tenant", &self.tenant())
            .field("kid", self.kid())
            .field("tier", self.tier())
            .field("scopes", self.scopes())
            .field("is_confirmed", &self.is_confirmed())
            .finish()
    }
}

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
}

impl Principal {
    pub(crate) fn new(entry: Arc<Entry>) -> Self {
        Self { entry }
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

    /// What the key may do.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.entry.record.scopes
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
            .finish()
    }
}

//! Which keys are asked for.

use std::num::NonZeroU32;

use super::StoredKey;
use crate::{KeyId, KeyState, Purpose, TenantId};

/// Which keys are asked for, in pages by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct KeyQuery {
    tenant: Option<TenantId>,
    purpose: Option<Purpose>,
    states: Vec<KeyState>,
    after: Option<KeyId>,
    limit: NonZeroU32,
}

impl KeyQuery {
    /// Every key, at most `limit` of them.
    pub const fn all(limit: NonZeroU32) -> Self {
        Self {
            tenant: None,
            purpose: None,
            states: Vec::new(),
            after: None,
            limit,
        }
    }

    /// Those of one tenant.
    pub fn of_tenant(self, tenant: TenantId) -> Self {
        let tenant = Some(tenant);
        Self { tenant, ..self }
    }

    /// Those of one purpose.
    pub fn of_purpose(self, purpose: Purpose) -> Self {
        let purpose = Some(purpose);
        Self { purpose, ..self }
    }

    /// Those in one of these states; without a state, those in any.
    pub fn in_states(self, states: impl IntoIterator<Item = KeyState>) -> Self {
        let states = states.into_iter().collect();
        Self { states, ..self }
    }

    /// Those whose ids are greater: the next page.
    pub fn after(self, id: KeyId) -> Self {
        let after = Some(id);
        Self { after, ..self }
    }

    /// Whose keys are asked for; `None`: everybody's.
    #[must_use]
    pub const fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// What they are for; `None`: anything.
    #[must_use]
    pub const fn purpose(&self) -> Option<&Purpose> {
        self.purpose.as_ref()
    }

    /// In which states; empty: in any.
    #[must_use]
    pub fn states(&self) -> &[KeyState] {
        &self.states
    }

    /// The id that the page begins behind.
    #[must_use]
    pub const fn begins_after(&self) -> Option<KeyId> {
        self.after
    }

    /// The greatest number of keys.
    #[must_use]
    pub const fn limit(&self) -> NonZeroU32 {
        self.limit
    }

    /// Whether a key is asked for, wherever the page begins.
    #[must_use]
    pub fn matches(&self, key: &StoredKey) -> bool {
        self.tenant.as_ref().is_none_or(|it| it == key.tenant())
            && self.purpose.as_ref().is_none_or(|it| it == key.purpose())
            && (self.states.is_empty() || self.states.contains(&key.state()))
    }
}

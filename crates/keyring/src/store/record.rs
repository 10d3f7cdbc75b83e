//! A data key as a store keeps it.

use std::time::{Duration, SystemTime};

use crate::{
    KeyId, KeyState, Purpose, TenantId,
    kek::{KekContext, WrappedKey},
};

/// A data key as a store keeps it: wrapped, with its state. A store of your own makes it of a row
/// with [`new`](Self::new) or [`tombstone`](Self::tombstone).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    context: KekContext,
    state: KeyState,
    // None exactly when destroyed.
    wrapped: Option<WrappedKey>,
    created_at: SystemTime,
    state_since: SystemTime,
}

impl StoredKey {
    /// A key that is in `state` since it was made; one that is `Destroyed` drops the wrapped bytes.
    #[must_use]
    pub fn new(
        context: KekContext,
        state: KeyState,
        wrapped: WrappedKey,
        created_at: SystemTime,
    ) -> Self {
        let wrapped = (state != KeyState::Destroyed).then_some(wrapped);
        Self {
            context,
            state,
            wrapped,
            created_at,
            state_since: created_at,
        }
    }

    /// What is left of a destroyed key.
    #[must_use]
    pub const fn tombstone(context: KekContext, created_at: SystemTime) -> Self {
        Self {
            context,
            state: KeyState::Destroyed,
            wrapped: None,
            created_at,
            state_since: created_at,
        }
    }

    /// The same key, in its state since that time.
    #[must_use]
    pub fn since(self, state_since: SystemTime) -> Self {
        Self {
            state_since,
            ..self
        }
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.context.key_id()
    }

    /// Whose key it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        self.context.tenant()
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(&self) -> &Purpose {
        self.context.purpose()
    }

    /// What its wrapped bytes are bound to.
    #[must_use]
    pub const fn context(&self) -> &KekContext {
        &self.context
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> KeyState {
        self.state
    }

    /// The wrapped bytes; a destroyed key has none.
    #[must_use]
    pub const fn wrapped(&self) -> Option<&WrappedKey> {
        self.wrapped.as_ref()
    }

    /// When the key was made. Stores keep whole milliseconds.
    #[must_use]
    pub const fn created_at(&self) -> SystemTime {
        self.created_at
    }

    /// Since when it is in its state; since it was made, where that is not known. Stores keep whole milliseconds.
    #[must_use]
    pub fn state_since(&self) -> SystemTime {
        // A process of an earlier version adds keys without this time.
        self.state_since.max(self.created_at)
    }

    /// How long ago the key was made; zero for one from the future, made where the clock is ahead.
    #[must_use]
    pub fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.created_at).unwrap_or_default()
    }

    /// For how long it has been in its state; zero for one that is so since a time in the future.
    #[must_use]
    pub fn in_state_for(&self, now: SystemTime) -> Duration {
        now.duration_since(self.state_since()).unwrap_or_default()
    }

    /// Whether it seals and was made more than `period` ago.
    #[must_use]
    pub fn is_overdue(&self, now: SystemTime, period: Duration) -> bool {
        self.state == KeyState::Primary && self.age(now) > period
    }

    /// The same key with copies of its names that are shared.
    pub(crate) fn named(self, tenant: TenantId, purpose: Purpose) -> Self {
        let context = KekContext::new(tenant, purpose, self.id());
        Self { context, ..self }
    }

    pub(super) fn set_state(&mut self, state: KeyState, at: SystemTime) {
        self.state = state;
        self.state_since = at;
        if state == KeyState::Destroyed {
            self.wrapped = None;
        }
    }

    pub(super) fn set_wrapped(&mut self, wrapped: WrappedKey) {
        self.wrapped = Some(wrapped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_whose_state_has_no_time_is_in_it_since_it_was_made() {
        let name = "acme".parse().unwrap();
        let context = KekContext::new(name, "email".parse().unwrap(), KeyId::new(1));
        let made = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let wrapped = WrappedKey::from_bytes(vec![1]);
        let key = StoredKey::new(context, KeyState::Primary, wrapped, made);
        let key = key.since(SystemTime::UNIX_EPOCH);
        assert_eq!(key.state_since(), made);
        let second = Duration::from_secs(1);
        assert_eq!(key.in_state_for(made + second), second);
        assert_eq!(key.since(made + second).state_since(), made + second);
    }
}

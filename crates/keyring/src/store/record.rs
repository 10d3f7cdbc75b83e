//! A data key as a store keeps it.

use std::time::SystemTime;

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
}

impl StoredKey {
    /// A key in `state`; one that is `Destroyed` drops the wrapped bytes.
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

    pub(super) fn set_state(&mut self, state: KeyState) {
        self.state = state;
        if state == KeyState::Destroyed {
            self.wrapped = None;
        }
    }

    pub(super) fn set_wrapped(&mut self, wrapped: WrappedKey) {
        self.wrapped = Some(wrapped);
    }
}

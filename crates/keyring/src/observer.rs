//! What a keyring tells the application about itself.

use std::{fmt::Debug, time::Duration};

use crate::{
    KeyId, KeyState, KeyStates, Purpose, TenantId,
    kek::{KekContext, KekError},
    store::StoreError,
};

/// Receives events, to count, measure and log them.
///
/// # Contract
/// Called inline, on the path of a request: it neither blocks nor panics.
pub trait Observer: Debug + Send + Sync {
    /// Something happened.
    fn observe(&self, event: &Event<'_>);
}

/// Something that happened. None carries a key, wrapped or not; the errors are the ones that the
/// key-encryption key and the store gave.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A data key was made and stored.
    KeyGenerated {
        /// Which one.
        key: &'a KekContext,
        /// `Primary` for the first of a tenant and purpose, `Pending` for a rotation.
        state: KeyState,
    },
    /// A key seals from now on.
    KeyPromoted {
        /// The new primary.
        key: &'a KekContext,
        /// The primary before, which still opens.
        demoted: KeyId,
    },
    /// A key was taken from one state to another, not by a promotion.
    StateChanged {
        /// Which one.
        key: &'a KekContext,
        /// The state before.
        from: KeyState,
        /// The state now.
        to: KeyState,
    },
    /// A key was wrapped again under the primary version of the key-encryption key.
    KeyRewrapped {
        /// Which one.
        key: &'a KekContext,
    },
    /// Every key of a tenant was destroyed.
    TenantErased {
        /// Whose.
        tenant: &'a TenantId,
    },
    /// The key-encryption key was called, and answered or failed.
    KekCalled {
        /// What it was asked to do.
        operation: KekOperation,
        /// For which data key.
        key: &'a KekContext,
        /// How it ended, from a closed set: a label of a metric.
        outcome: KekOutcome,
        /// Why it failed, for a log line.
        error: Option<&'a KekError>,
        /// From the call to its end, by the clock of the keyring, which may be coarse; the wait for
        /// its turn is not in it.
        took: Duration,
    },
    /// The key-encryption key was not called: the budget of calls was used up for 5 s.
    CallsExhausted {
        /// What it was to do.
        operation: KekOperation,
        /// For which data key.
        key: &'a KekContext,
    },
    /// What was asked for in vain a moment ago was asked for again, and neither the store nor the
    /// key-encryption key was asked.
    NegativeHit {
        /// By whom.
        tenant: &'a TenantId,
        /// The key.
        key: KeyId,
        /// What is known of it.
        cause: NegativeCause,
    },
    /// All keys of the store were counted, by [`Keyring::key_states`].
    ///
    /// [`Keyring::key_states`]: crate::Keyring::key_states
    KeysCounted {
        /// How many there are, and how old.
        states: &'a KeyStates,
    },
    /// A key was found unwrapped.
    CacheHit {
        /// Which one.
        key: &'a KekContext,
    },
    /// A key was not found unwrapped, nor made here a moment ago: the key-encryption key is asked, or is being asked already.
    CacheMiss {
        /// Which one.
        key: &'a KekContext,
    },
    /// A key that was unwrapped about an hour ago was unwrapped again.
    KeyRefreshed {
        /// Which one.
        key: &'a KekContext,
    },
    /// A key could not be unwrapped again.
    RefreshFailed {
        /// Which one.
        key: &'a KekContext,
        /// How long the unwrapped one still serves: up to 24 h in an outage, zero after a refusal.
        serves_for: Duration,
    },
    /// An unwrapped key was dropped from the cache, and is wiped when nobody holds it any more.
    KeyEvicted {
        /// Which one.
        key: &'a KekContext,
        /// Why.
        cause: EvictionCause,
    },
    /// The states of a tenant's keys were read from the store.
    StatesRead {
        /// Whose.
        tenant: &'a TenantId,
        /// How many keys it has, in all states.
        keys: usize,
    },
    /// The states of a tenant's keys could not be read.
    StatesUnavailable {
        /// Whose.
        tenant: &'a TenantId,
        /// Why.
        error: &'a StoreError,
    },
    /// Prepared keys were used 10 s after their states were read, and refused.
    StatesStale {
        /// Whose.
        tenant: &'a TenantId,
    },
    /// A caller wants to open what was sealed under a key that is disabled, waits for its
    /// destruction, or was destroyed: an alarm.
    RefusedKeyRequested {
        /// Whose.
        tenant: &'a TenantId,
        /// What the key is for.
        purpose: &'a Purpose,
        /// The key.
        key: KeyId,
        /// Its state.
        state: KeyState,
    },
    /// A caller wants to open what was sealed under a key that the tenant does not have: a forged
    /// value, or one of another tenant or database.
    UnknownKeyRequested {
        /// Whose.
        tenant: &'a TenantId,
        /// The key.
        key: KeyId,
    },
}

/// What a key-encryption key was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KekOperation {
    /// To make and wrap a data key.
    Generate,
    /// To open a wrapped data key.
    UnwrapKey,
    /// To wrap a data key again under the primary version.
    Rewrap,
}

/// How a call of a key-encryption key ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KekOutcome {
    /// It did what was asked.
    Ok,
    /// [`KekError::Rejected`].
    Rejected,
    /// [`KekError::UnknownVersion`] or [`KekError::UnknownKey`].
    UnknownVersion,
    /// [`KekError::Unavailable`].
    Unavailable,
    /// [`KekError::Entropy`].
    NoEntropy,
}

/// Why an unwrapped key was dropped from the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EvictionCause {
    /// The cache is full.
    Capacity,
    /// It was unwrapped 24 h ago.
    Age,
    /// The state of the key does not let it open any more.
    State,
}

/// What is known of a key that was asked for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NegativeCause {
    /// The tenant has no key with this id.
    UnknownId,
    /// The key-encryption key has refused to unwrap it.
    Refused,
}

impl KekOperation {
    /// Every operation.
    pub const ALL: [Self; 3] = [Self::Generate, Self::UnwrapKey, Self::Rewrap];

    /// The label: `generate`, `unwrap_key`, `rewrap`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::UnwrapKey => "unwrap_key",
            Self::Rewrap => "rewrap",
        }
    }
}

impl KekOutcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [
        Self::Ok,
        Self::Rejected,
        Self::UnknownVersion,
        Self::Unavailable,
        Self::NoEntropy,
    ];

    /// The label: `ok`, `rejected`, `unknown_version`, `unavailable`, `no_entropy`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::UnknownVersion => "unknown_version",
            Self::Unavailable => "unavailable",
            Self::NoEntropy => "no_entropy",
        }
    }

    pub(crate) const fn of(error: Option<&KekError>) -> Self {
        match error {
            None => Self::Ok,
            Some(KekError::Rejected) => Self::Rejected,
            Some(KekError::UnknownVersion(_) | KekError::UnknownKey(_)) => Self::UnknownVersion,
            Some(KekError::Unavailable(_)) => Self::Unavailable,
            Some(KekError::Entropy(_)) => Self::NoEntropy,
        }
    }
}

impl EvictionCause {
    /// Every cause.
    pub const ALL: [Self; 3] = [Self::Capacity, Self::Age, Self::State];

    /// The label: `capacity`, `age`, `state`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capacity => "capacity",
            Self::Age => "age",
            Self::State => "state",
        }
    }
}

impl NegativeCause {
    /// Every cause.
    pub const ALL: [Self; 2] = [Self::UnknownId, Self::Refused];

    /// The label: `unknown_id`, `refused`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownId => "unknown_id",
            Self::Refused => "refused",
        }
    }
}

/// Nobody listens.
#[derive(Debug)]
pub(crate) struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _: &Event<'_>) {}
}

//! Keys that are ready for use, without waiting.

use std::{
    any::Any,
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    sync::Arc,
    time::Duration,
};

use crate::{
    DataKey, DerivedKeys, KeyId, Purpose, TenantId,
    clock::Clock,
    entropy::Entropy,
    keyring::UnwrappedKey,
    observer::{Event, Observer},
};

/// Unwrapped keys of one tenant: what a cipher is made from.
///
/// They are owned: no cache can take them away in the middle of a request. They serve until the
/// states they rest on are 10 s old; then they are [`KeyMissing::Stale`] and have to be prepared
/// again.
#[derive(Debug, Clone)]
pub struct PreparedKeys {
    tenant: TenantId,
    primaries: Vec<Held<PreparedKey>>,
    by_id: BTreeMap<KeyId, Held<KeyStatus>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn Observer>,
}

/// One unwrapped data key. Cheap to clone.
#[derive(Clone)]
pub struct PreparedKey(Arc<UnwrappedKey>);

/// Why prepared keys do not have a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a cipher has to tell every case apart"
)]
pub enum KeyMissing {
    /// It was not prepared.
    #[error("the key was not prepared: prepare its purpose or its id")]
    NotPrepared,
    /// It was prepared on states that are 10 s old by now.
    #[error("the key was prepared 10 s ago or earlier: prepare it again")]
    Stale,
    /// The tenant has no such key for this purpose.
    #[error("the tenant has no such key for this purpose")]
    Unknown,
    /// The key is disabled, waits for its destruction, or cannot be read from the store.
    #[error(
        "the key is disabled, or its row is damaged: take it back into use, restore the row, or find out who still needs it"
    )]
    Unavailable,
    /// The key was destroyed.
    #[error("the key was destroyed, and what it sealed with it")]
    Destroyed,
    /// The key-encryption key refuses to open it.
    #[error(
        "the data key does not open: its row was changed, or a version of the key-encryption key is missing"
    )]
    NotOpened,
}

impl PreparedKeys {
    /// Whose keys they are.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The clock of the keyring; [`primary`](Self::primary) and [`find`](Self::find) take its
    /// `monotonic` reading.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The random source of the keyring.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// The key that seals for a purpose.
    ///
    /// # Errors
    /// [`KeyMissing::NotPrepared`] or [`KeyMissing::Stale`].
    pub fn primary(&self, purpose: &str, now: Duration) -> Result<&PreparedKey, KeyMissing> {
        let held = self
            .primaries
            .iter()
            .find(|held| held.what.purpose().as_str() == purpose);
        let held = held.ok_or(KeyMissing::NotPrepared)?;
        self.fresh(held, now)
    }

    /// The key with an id, to open what was sealed for a purpose.
    ///
    /// # Errors
    /// [`KeyMissing`] says why there is none; a key of another purpose is `Unknown`, whatever its
    /// state.
    pub fn find(
        &self,
        id: KeyId,
        purpose: &str,
        now: Duration,
    ) -> Result<&PreparedKey, KeyMissing> {
        let held = self.by_id.get(&id).ok_or(KeyMissing::NotPrepared)?;
        match self.fresh(held, now)? {
            KeyStatus::Usable(key) if key.purpose().as_str() == purpose => Ok(key),
            KeyStatus::Refused(of, why) if of.as_str() == purpose => Err(*why),
            KeyStatus::Usable(_) | KeyStatus::Refused(..) | KeyStatus::Unknown => {
                Err(KeyMissing::Unknown)
            }
            KeyStatus::Damaged => Err(KeyMissing::Unavailable),
        }
    }

    /// Whether a key with an id was prepared and is one of the tenant whose row in the store cannot be read: what
    /// it has sealed is neither lost nor forged.
    #[must_use]
    pub fn is_damaged(&self, id: KeyId) -> bool {
        let held = self.by_id.get(&id);
        held.is_some_and(|held| matches!(held.what, KeyStatus::Damaged))
    }

    /// What a key with an id is for, if it was prepared and is one of the tenant, whatever its state and however
    /// old that is: for a reader of sealed values that are not told apart by where they stand.
    #[must_use]
    pub fn purpose_of(&self, id: KeyId) -> Option<&Purpose> {
        match &self.by_id.get(&id)?.what {
            KeyStatus::Usable(key) => Some(key.purpose()),
            KeyStatus::Refused(purpose, _) => Some(purpose),
            KeyStatus::Damaged | KeyStatus::Unknown => None,
        }
    }

    /// The keys of both; where both hold a key, what was read later counts.
    ///
    /// # Panics
    /// When they are of different tenants: such a set would have no context to seal in.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        assert!(
            self.tenant == other.tenant,
            "prepared keys of different tenants are never merged"
        );
        for held in other.primaries {
            self.hold_primary(held);
        }
        for (id, held) in other.by_id {
            self.hold(id, held);
        }
        self
    }

    pub(crate) fn none(
        tenant: TenantId,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            tenant,
            primaries: Vec::new(),
            by_id: BTreeMap::new(),
            clock,
            entropy,
            observer,
        }
    }

    pub(crate) fn add_primary(&mut self, key: PreparedKey, read_at: Duration) {
        self.add(key.clone(), read_at);
        self.hold_primary(Held { what: key, read_at });
    }

    pub(crate) fn add(&mut self, key: PreparedKey, read_at: Duration) {
        self.hold(
            key.id(),
            Held {
                what: KeyStatus::Usable(key),
                read_at,
            },
        );
    }

    pub(crate) fn add_refused(
        &mut self,
        id: KeyId,
        purpose: Purpose,
        why: KeyMissing,
        read_at: Duration,
    ) {
        self.hold(
            id,
            Held {
                what: KeyStatus::Refused(purpose, why),
                read_at,
            },
        );
    }

    pub(crate) fn add_damaged(&mut self, id: KeyId, read_at: Duration) {
        let what = KeyStatus::Damaged;
        self.hold(id, Held { what, read_at });
    }

    pub(crate) fn add_unknown(&mut self, id: KeyId, read_at: Duration) {
        self.hold(
            id,
            Held {
                what: KeyStatus::Unknown,
                read_at,
            },
        );
    }

    /// What is held, unless its state was read too long ago.
    fn fresh<'a, T>(&self, held: &'a Held<T>, now: Duration) -> Result<&'a T, KeyMissing> {
        if now.saturating_sub(held.read_at) < STATES_SERVE_FOR {
            return Ok(&held.what);
        }
        let tenant = &self.tenant;
        self.observer.observe(&Event::StatesStale { tenant });
        Err(KeyMissing::Stale)
    }

    fn hold_primary(&mut self, held: Held<PreparedKey>) {
        let known = self
            .primaries
            .iter_mut()
            .find(|known| known.what.purpose() == held.what.purpose());
        match known {
            Some(known) if known.read_at > held.read_at => {}
            Some(known) => *known = held,
            None => self.primaries.push(held),
        }
    }

    fn hold(&mut self, id: KeyId, held: Held<KeyStatus>) {
        match self.by_id.entry(id) {
            Entry::Occupied(known) if known.get().read_at > held.read_at => {}
            Entry::Occupied(mut known) => {
                known.insert(held);
            }
            Entry::Vacant(vacant) => {
                vacant.insert(held);
            }
        }
    }
}

impl PreparedKey {
    pub(crate) const fn new(key: Arc<UnwrappedKey>) -> Self {
        Self(key)
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.context.key_id()
    }

    /// What the key is for.
    #[must_use]
    pub fn purpose(&self) -> &Purpose {
        self.0.context.purpose()
    }

    /// What a cipher derives from the key and wants to keep: made at the first call, shared by all
    /// who hold the key, dropped with it.
    ///
    /// # Panics
    /// When another type was derived before: a key serves one cipher.
    pub fn derived<T: DerivedKeys>(&self, derive: impl FnOnce(&DataKey) -> T) -> &T {
        let derived = &self.0.derived;
        let derived: &dyn Any = &**derived.get_or_init(|| Box::new(derive(&self.0.key)));
        derived
            .downcast_ref()
            .expect("a key serves one cipher, which derives one type")
    }

    /// The key itself, to derive from.
    #[must_use]
    pub fn data_key(&self) -> &DataKey {
        &self.0.key
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PreparedKey").field(&self.0.context).finish()
    }
}

#[derive(Debug, Clone)]
enum KeyStatus {
    Usable(PreparedKey),
    Refused(Purpose, KeyMissing),
    Damaged,
    Unknown,
}

#[derive(Debug, Clone)]
struct Held<T> {
    what: T,
    read_at: Duration,
}

/// A state that was read longer ago than this neither seals nor opens.
const STATES_SERVE_FOR: Duration = Duration::from_secs(10);

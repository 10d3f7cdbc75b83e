//! How many keys there are, how old, and which are to be replaced.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use super::Keyring;
use crate::{
    KeyState,
    observer::Event,
    store::{KeyQuery, StoreError, StoredKey},
};

/// For how long a data key seals before it is to be rotated: 90 days.
pub const DATA_KEY_PERIOD: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// For how long a version of the key-encryption key wraps before it is to be replaced: 365 days.
pub const KEK_PERIOD: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// All keys of a store, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct KeyStates {
    /// How many keys are in each state that any is in.
    pub keys: BTreeMap<KeyState, u64>,
    /// For how long the one that has been in each state longest has been in it.
    pub longest: BTreeMap<KeyState, Duration>,
    /// How long ago the oldest of the keys that seal was made.
    pub oldest_primary: Option<Duration>,
    /// How many keys each version of the key-encryption key has wrapped, in the words of
    /// [`KekProvider::version_of`](crate::kek::KekProvider::version_of): a version that is not here is
    /// needed no more. Destroyed keys are not wrapped.
    pub kek_versions: BTreeMap<Option<String>, u64>,
    /// How many keys cannot be read from the store; they are in no other count. Their wrapped bytes are not known,
    /// so that no version can be called needless while there are any.
    pub damaged: u64,
}

impl Keyring {
    /// Counts the keys of the store. It reads every one of them: for a gauge once in some minutes, not for
    /// each request.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn key_states(&self) -> Result<KeyStates, StoreError> {
        let now = self.shared.clock.wall();
        let mut states = KeyStates::default();
        let mut query = KeyQuery::all(PAGE);
        loop {
            let page = self.shared.store.list(&query).await?;
            let Some(last) = page.last_id() else { break };
            query = query.after(last);
            states.damaged += u64::try_from(page.damaged.len()).unwrap_or(u64::MAX);
            for key in &page.keys {
                *states.keys.entry(key.state()).or_default() += 1;
                let longest = states.longest.entry(key.state()).or_default();
                *longest = key.in_state_for(now).max(*longest);
                if key.state() == KeyState::Primary {
                    states.oldest_primary = states.oldest_primary.max(Some(key.age(now)));
                }
                if let Some(wrapped) = key.wrapped() {
                    let version = self.shared.keys.kek().version_of(wrapped);
                    *states.kek_versions.entry(version).or_default() += 1;
                }
            }
        }
        let counted = Event::KeysCounted { states: &states };
        self.shared.observer.observe(&counted);
        Ok(states)
    }

    /// The keys that seal and were made more than `period` ago (see [`DATA_KEY_PERIOD`]), the oldest first, at
    /// most `limit` of them: rotate them, and ask again. It reads every primary key of the store, and passes over
    /// those that cannot be read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn overdue(
        &self,
        period: Duration,
        limit: NonZeroU32,
    ) -> Result<Vec<StoredKey>, StoreError> {
        let now = self.shared.clock.wall();
        let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let mut overdue = Vec::new();
        let mut query = KeyQuery::all(PAGE).in_states([KeyState::Primary]);
        loop {
            let page = self.shared.store.list(&query).await?;
            let Some(last) = page.last_id() else { break };
            query = query.after(last);
            let keys = page.keys.into_iter();
            overdue.extend(keys.filter(|key| key.is_overdue(now, period)));
            overdue.sort_by_key(|key| (key.created_at(), key.id()));
            overdue.truncate(limit);
        }
        Ok(overdue)
    }
}

const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("it is not zero");

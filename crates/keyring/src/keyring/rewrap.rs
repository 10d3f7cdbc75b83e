//! Rotation of the key-encryption key.

use std::{num::NonZeroU32, time::Duration};

use tokio::time;

use super::Keyring;
use crate::{
    KeyId, KeyState,
    kek::KekError,
    observer::{Event, KekOperation},
    store::{ChangeError, KeyQuery, StoreError, StoredKey},
    sweep::{Pace, Progress},
};

/// Why a key was not wrapped again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RewrapError {
    /// The store has no key with this id.
    #[error("there is no data key {0}")]
    UnknownKey(KeyId),
    /// The key-encryption key did not unwrap or wrap it.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// The key has changed in the meantime.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of wrapping all keys again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rewrapped {
    /// Its figures: keys that have something wrapped, of those that there are.
    pub progress: Progress,
    /// The keys that are wrapped as they were, and why; the first 1,000 of them.
    pub failed: Vec<(KeyId, RewrapError)>,
}

impl Keyring {
    /// Wraps a key again, under the primary version of the key-encryption key. The data key stays
    /// the same, and so does all that is sealed with it; a destroyed key stays destroyed.
    ///
    /// Doing it again is harmless. To retire a version of the key-encryption key, see
    /// [`rewrap_all`](Self::rewrap_all).
    ///
    /// # Errors
    /// [`RewrapError`]; the key is wrapped as it was then.
    pub async fn rewrap(&self, id: KeyId) -> Result<(), RewrapError> {
        let stored = self.shared.store.load(id).await?;
        self.rewrap_stored(&stored.ok_or(RewrapError::UnknownKey(id))?)
            .await
    }

    /// Wraps every key again that is not wrapped under the primary version of the key-encryption key, one after
    /// the other; `progress` is told after each page of keys.
    ///
    /// Configure the new version everywhere, make it primary everywhere, and then run this; when
    /// [`key_states`](Self::key_states) counts no key under the old version, drop that from the
    /// configuration. What is wrapped already is skipped: run again after a crash, or by several at
    /// once, it ends the same. A key that fails is listed and does not stop the others.
    ///
    /// # Errors
    /// [`RewrapError`] when the store does not list its keys, when the key-encryption key does not say which
    /// of its versions wraps, or when ten keys in a row fail because either is unavailable: run it again.
    pub async fn rewrap_all(
        &self,
        pace: Pace,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<Rewrapped, RewrapError> {
        let mut run = Run {
            keyring: self,
            pace,
            started: self.shared.clock.monotonic(),
            progress: Progress {
                total: self.count_wrapped().await?,
                ..Progress::default()
            },
            failed: Vec::new(),
            outages: 0,
            primary: None,
        };
        let mut query = wrapped_keys(pace.batch());
        loop {
            let page = self.shared.store.list(&query).await?;
            let Some(last) = page.last() else { break };
            query = query.after(last.id());
            // Before each page: it may be rotated meanwhile, where it is kept.
            run.primary = self.shared.keys.kek().primary().await?;
            for key in page {
                run.rewrap(key).await?;
            }
            progress(&run.progress);
        }
        Ok(Rewrapped {
            progress: run.progress,
            failed: run.failed,
        })
    }

    async fn count_wrapped(&self) -> Result<u64, StoreError> {
        let (mut query, mut count) = (wrapped_keys(PAGE), 0);
        loop {
            let page = self.shared.store.list(&query).await?;
            let Some(last) = page.last() else { break };
            query = query.after(last.id());
            count += u64::try_from(page.len()).unwrap_or(u64::MAX);
        }
        Ok(count)
    }

    async fn rewrap_stored(&self, stored: &StoredKey) -> Result<(), RewrapError> {
        let shared = &*self.shared;
        let Some(old) = stored.wrapped() else {
            return Ok(());
        };
        let key = stored.context();
        let kek = &shared.keys;
        let new = kek.call(KekOperation::Rewrap, key, |kek| kek.rewrap(key, old));
        shared.store.rewrap(key.key_id(), old, &new.await?).await?;
        // What this process reads next is what the primary version has wrapped.
        shared.states.forget(key.tenant());
        shared.observer.observe(&Event::KeyRewrapped { key });
        Ok(())
    }
}

/// A run over all keys.
struct Run<'a> {
    keyring: &'a Keyring,
    pace: Pace,
    started: Duration,
    progress: Progress,
    failed: Vec<(KeyId, RewrapError)>,
    /// How many keys in a row have failed because somebody was unavailable.
    outages: u32,
    /// The version that wraps, if its key-encryption key says so.
    primary: Option<String>,
}

enum Outcome {
    InOrder,
    Changed,
    /// Somebody else was first.
    Skipped,
}

impl Run<'_> {
    async fn rewrap(&mut self, key: StoredKey) -> Result<(), RewrapError> {
        let id = key.id();
        let outcome = self.outcome(key).await;
        self.progress.done += 1;
        self.outages = match &outcome {
            Err(error) if is_outage(error) => self.outages + 1,
            _ => 0,
        };
        match outcome {
            Ok(Outcome::InOrder) => {}
            Ok(Outcome::Changed) => self.progress.changed += 1,
            Ok(Outcome::Skipped) => self.progress.skipped += 1,
            Err(error) if self.outages == OUTAGES => return Err(error),
            Err(error) => {
                self.progress.failed += 1;
                if self.failed.len() < LISTED {
                    self.failed.push((id, error));
                }
            }
        }
        self.wait().await;
        Ok(())
    }

    async fn outcome(&self, mut key: StoredKey) -> Result<Outcome, RewrapError> {
        let Keyring { shared } = self.keyring;
        if self.is_in_order(&key) {
            return Ok(Outcome::InOrder);
        }
        for _ in 1..ATTEMPTS {
            match self.keyring.rewrap_stored(&key).await {
                Err(RewrapError::Change(ChangeError::Conflict)) => {}
                answer => return answer.map(|()| Outcome::Changed),
            }
            let id = key.id();
            let now = shared.store.load(id).await?;
            key = now.ok_or(RewrapError::UnknownKey(id))?;
            if self.is_in_order(&key) {
                return Ok(Outcome::Skipped);
            }
        }
        self.keyring.rewrap_stored(&key).await?;
        Ok(Outcome::Changed)
    }

    /// Whether there is nothing to do for a key.
    fn is_in_order(&self, key: &StoredKey) -> bool {
        let kek = self.keyring.shared.keys.kek();
        key.wrapped()
            .is_none_or(|wrapped| self.primary.is_some() && kek.version_of(wrapped) == self.primary)
    }

    /// Until the pace allows the next key. Keys that are in order cost next to nothing, and do not count.
    async fn wait(&mut self) {
        let clock = &self.keyring.shared.clock;
        let Progress {
            changed,
            skipped,
            failed,
            ..
        } = self.progress;
        let not_before = self.pace.not_before(changed + skipped + failed);
        let elapsed = clock.monotonic().saturating_sub(self.started);
        let early = not_before.saturating_sub(elapsed);
        if !early.is_zero() {
            time::sleep(early).await;
        }
        self.progress.elapsed = clock.monotonic().saturating_sub(self.started);
    }
}

fn is_outage(error: &RewrapError) -> bool {
    matches!(
        error,
        RewrapError::Kek(KekError::Unavailable(_))
            | RewrapError::Store(StoreError::Unavailable(_))
            | RewrapError::Change(ChangeError::Store(StoreError::Unavailable(_)))
    )
}

/// The keys of a page that have something wrapped: destroyed ones have not.
fn wrapped_keys(limit: NonZeroU32) -> KeyQuery {
    let wrapped = KeyState::ALL.into_iter();
    KeyQuery::all(limit).in_states(wrapped.filter(|state| *state != KeyState::Destroyed))
}

/// How often a key is tried that others keep changing.
const ATTEMPTS: u32 = 4;
/// With so many keys in a row, it is not the keys.
const OUTAGES: u32 = 10;
const LISTED: usize = 1000;
const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("it is not zero");

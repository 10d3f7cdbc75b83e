//! For how long the version of the key-encryption key has wrapped that wraps now.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use portcullis_keyring::kek::{KekError, KekProvider};

use crate::{
    clock::Clock,
    config::KEKS,
    store::{Store, StoreError},
};

/// The oldest data key that each version wraps, by when it was made.
pub(super) type OldestWrapped = BTreeMap<Option<String>, SystemTime>;

/// Since when there is the version that wraps: as its keeper says; as the database remembers of keys of this process;
/// or, in a database of an earlier version, since the oldest data key under it was made. That one may have been
/// wrapped before by another version: so said, it is never too young.
#[derive(Debug)]
pub(super) struct KekAge {
    kek: Arc<dyn KekProvider>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    asked: Mutex<Asked>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    /// When another program was asked last, and what it said.
    at: Option<(Duration, Option<SystemTime>)>,
    is_told: bool,
}

#[derive(Debug, thiserror::Error)]
enum UnknownAge {
    #[error(transparent)]
    Kek(#[from] KekError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Programs elsewhere are not asked for each count.
const ASK_EVERY: Duration = Duration::from_secs(10 * 60);

impl KekAge {
    pub(super) fn new(
        kek: Arc<dyn KekProvider>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            kek,
            store,
            clock,
            asked: Mutex::default(),
        }
    }

    /// Nothing if nobody knows; that it cannot be found out is told once.
    pub(super) async fn now(&self, oldest: &OldestWrapped) -> Option<Duration> {
        let since = match self.since(oldest).await {
            Ok(since) => {
                self.asked().is_told = false;
                since
            }
            Err(error) => {
                if !std::mem::replace(&mut self.asked().is_told, true) {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the age of the key-encryption key is not known");
                }
                None
            }
        };
        let now: SystemTime = self.clock.wall().into();
        Some(now.duration_since(since?).unwrap_or_default())
    }

    async fn since(&self, oldest: &OldestWrapped) -> Result<Option<SystemTime>, UnknownAge> {
        let now = self.clock.monotonic();
        let asked = self.asked().at;
        if let Some((at, since)) = asked
            && now.saturating_sub(at) < ASK_EVERY
        {
            return Ok(since);
        }
        let mut since = self.kek.primary_since().await?;
        if since.is_none() {
            let version = self.kek.primary().await?;
            since = match version.as_deref().and_then(|version| version.parse().ok()) {
                Some(number) => self.store.secret_first_used(KEKS, number).await?,
                None => None,
            };
            since = since.or_else(|| oldest.get(&version).copied());
        } else {
            self.asked().at = Some((now, since));
        }
        Ok(since)
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

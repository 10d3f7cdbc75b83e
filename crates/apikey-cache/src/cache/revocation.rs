//! What has become of a revocation elsewhere.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use super::{CONFIRMED_FOR, Published, Shared, follow::IGNORED_AFTER};
use crate::{
    feed::{ChangeFeed, FeedSeq},
    observer::{Event, StoreTask},
};

/// From one look at the readers to the next, at first and at most.
const LOOK_FIRST: Duration = Duration::from_millis(5);
const LOOK_LAST: Duration = Duration::from_millis(200);

/// That a key is revoked, durably, and not accepted by this cache any more.
#[derive(Clone)]
pub struct Revocation {
    shared: Arc<Shared>,
    /// The change; `None` if the key had been revoked before.
    seq: Option<FeedSeq>,
    committed_by: Duration,
    published: Published,
}

/// That a revoked key is accepted by no cache any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Effective {
    /// How long that took, from when the revocation was committed.
    pub took: Duration,
    /// How it is known.
    pub how: EffectiveBy,
}

/// How it is known that a change is in effect everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EffectiveBy {
    /// All other readers of the feed have said that they applied it.
    Acknowledged,
    /// Every lease that began before the commit has ended. A lease is for how long a cache may use its memory:
    /// 3 s from a moment before which all changes are proved to have been applied, and the
    /// [grace](super::ApiKeyCacheBuilder::grace) after that.
    LeasesExpired,
}

impl Revocation {
    /// Of what was good until `committed_by`, at the latest, and was withdrawn by this change: the revocation of a
    /// key, or an invalidation.
    pub(super) fn of_change(
        shared: Arc<Shared>,
        seq: FeedSeq,
        committed_by: Duration,
        published: Published,
    ) -> Self {
        Self {
            shared,
            seq: Some(seq),
            committed_by,
            published,
        }
    }

    /// Of a key that had been revoked before `committed_by`.
    pub(super) fn of_earlier(
        shared: Arc<Shared>,
        committed_by: Duration,
        published: Published,
    ) -> Self {
        Self {
            shared,
            seq: None,
            committed_by,
            published,
        }
    }

    /// Whether the key was good until now; otherwise it had been revoked before.
    #[must_use]
    pub fn was_active(&self) -> bool {
        self.seq.is_some()
    }

    /// Whether the bus has told the others. If not, each learns of it when it reads the feed, and one of them
    /// tells the bus.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.published == Published::Yes
    }

    /// Whether the others were told, and if not, why.
    #[must_use]
    pub fn published(&self) -> Published {
        self.published
    }

    /// Waits until no cache on this store accepts the key any more: until all others have said that they
    /// applied the change, or for 3 s from the commit, and the longest grace, after which none trusts its memory.
    /// A store that does not answer makes it wait for that, no longer.
    ///
    /// After the store was restored from a copy this may not wait for caches that have not noted themselves in it
    /// since, which takes them up to 20 s; those that are cut off from it use their memory for a minute at most.
    ///
    /// The clocks on the wall of all processes must not differ by more than a minute, and their longest
    /// grace must not be longer than that of this cache. Dropping the future and calling this again is fine.
    ///
    /// # Security
    ///
    /// A request that was accepted before may still be under way.
    pub async fn effective(&self) -> Effective {
        let how = self.wait().await;
        let now = self.shared.clock.monotonic();
        let took = now.saturating_sub(self.committed_by);
        // Of a key that was revoked before, nobody knows for how long it has been in effect.
        if self.was_active() {
            self.shared.emit(&Event::Effective { took, how });
        }
        Effective { took, how }
    }

    async fn wait(&self) -> EffectiveBy {
        let shared = &self.shared;
        let deadline = self.committed_by + shared.longest_lease();
        let mut head = self.seq;
        let left = || deadline.saturating_sub(shared.clock.monotonic());
        let mut pause = LOOK_FIRST;
        loop {
            if timeout(left(), shared.all_have_applied(&mut head)).await == Ok(true) {
                return EffectiveBy::Acknowledged;
            }
            if left().is_zero() {
                return EffectiveBy::LeasesExpired;
            }
            sleep(pause.min(left())).await;
            pause = (pause * 2).min(LOOK_LAST);
        }
    }
}

impl Shared {
    /// How long a cache may accept a key after its revocation was committed, whatever is cut off from what.
    fn longest_lease(&self) -> Duration {
        CONFIRMED_FOR + self.longest_grace()
    }

    /// Whether every other reader has applied this change, or if that is `None`, the last one.
    async fn all_have_applied(&self, seq: &mut Option<FeedSeq>) -> bool {
        let Some(feed) = &self.feed else {
            // Changes of a store that has a feed are numbered.
            return *seq == Some(FeedSeq::START);
        };
        let applied = self.applied_by_all(feed.as_ref(), seq).await;
        applied.unwrap_or(false)
    }

    async fn applied_by_all(
        &self,
        feed: &dyn ChangeFeed,
        seq: &mut Option<FeedSeq>,
    ) -> Option<bool> {
        let awaited = match *seq {
            Some(seq) => seq,
            None => self.within_timeout(StoreTask::Readers, feed.head()).await?,
        };
        *seq = Some(awaited);
        // A note that is too old to trust its memory on may still leave it a grace.
        let ignored_after = IGNORED_AFTER + self.longest_grace();
        let readers = feed.readers(self.wall().saturating_sub(ignored_after));
        let readers = self.within_timeout(StoreTask::Readers, readers).await?;
        let own = self.following.reader_id();
        let mut others = readers.iter().filter(|reader| Some(reader.id) != own);
        Some(others.all(|reader| reader.applied >= awaited))
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation")
            .field("was_active", &self.was_active())
            .field("published", &self.published)
            .finish_non_exhaustive()
    }
}

//! How long leaves and what lies beside them are kept.

use std::time::Duration;

use super::{
    Audit, ClockAhead, EraseError,
    own_events::{self, ERASED},
    shared::Shared,
    trusted_time::last_time,
};
use crate::{
    checkpoint::Checkpoint,
    clock::timestamp,
    event::{Id, Timestamp, first_entry},
    observer,
    store::{Store, StoreError, cursor_in_log, first_since},
    tile::WIDTH,
};

/// How long things are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    leaves: Duration,
    personal: Duration,
    followers: Vec<Id>,
    passable: Vec<Id>,
    is_held: bool,
    is_clock_confirmed: bool,
}

/// Whose entries go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Of the log that has it on record, before they do: what is missing at its beginning is explained by itself.
    Own,
    /// Of a log that nobody writes any more, and when that had its last.
    Other {
        /// Unknown of an empty one.
        last: Option<Timestamp>,
    },
}

/// What went by its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Retained {
    /// How many personal parts were erased.
    pub erased: u64,
    /// How many leaves were taken away, by this call.
    pub pruned: u64,
    /// The first leaf that is left.
    pub first: u64,
    /// The date that was not believed, if the clock says more than the log vouches for.
    pub clock_ahead: Option<ClockAhead>,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The name of the cursor that an archive has: the size of the tree that is archived.
pub const ARCHIVE_CURSOR: Id = Id::constant("audit.archive");

/// How far personal parts are erased.
const ERASED_BEFORE: Id = Id::constant("audit.personal");

/// Leaves are taken away by whole bundles.
const WIDE: u64 = WIDTH as u64;

/// How many are erased at once: 16 bundles.
const STEP: u64 = 4_096;

impl Default for Retention {
    /// Leaves for 400 days, personal parts for 90.
    fn default() -> Self {
        Self {
            leaves: 400 * DAY,
            personal: 90 * DAY,
            followers: Vec::new(),
            passable: Vec::new(),
            is_held: false,
            is_clock_confirmed: false,
        }
    }
}

impl Retention {
    /// How long leaves are kept, at least.
    #[must_use]
    pub const fn leaves(mut self, age: Duration) -> Self {
        self.leaves = age;
        self
    }

    /// How long personal parts are kept.
    #[must_use]
    pub const fn personal(mut self, age: Duration) -> Self {
        self.personal = age;
        self
    }

    /// Somebody who follows the log under that name: no leaf goes before they have it.
    #[must_use]
    pub fn follower(mut self, cursor: Id) -> Self {
        self.followers.push(cursor);
        self
    }

    /// Somebody who follows the log under that name and is not waited for. How many leaves go before they have them is on
    /// record, as `audit.gap`.
    #[must_use]
    pub fn passable(mut self, cursor: Id) -> Self {
        self.passable.push(cursor);
        self
    }

    /// No leaf goes before it is archived, as [`ARCHIVE_CURSOR`] says: the cursor that
    /// `Archive::fill` moves. Without an archive that was ever filled, none does.
    #[must_use]
    pub fn archived(self) -> Self {
        self.follower(ARCHIVE_CURSOR)
    }

    /// A legal hold: nothing goes, however old it is.
    #[must_use]
    pub const fn held(mut self, is_held: bool) -> Self {
        self.is_held = is_held;
        self
    }

    /// Somebody has looked at the clock, and says that it is right: what it says is now, however far that is from the
    /// last leaf.
    #[must_use]
    pub const fn clock_confirmed(mut self, is_confirmed: bool) -> Self {
        self.is_clock_confirmed = is_confirmed;
        self
    }
}

impl Audit {
    /// Erases and takes away what is older than it may be. What went is on record, as `audit.erased`. What goes is before
    /// it does: as `audit.pruned`, which names the first entry that is left, and as `audit.gap` what a
    /// [`passable`](Retention::passable) follower misses by it.
    ///
    /// The clock is not believed where it jumps: now is at most the time of the last leaf that the log had when it was
    /// opened, the time that has passed since, and a day. What the clock says more is told, as
    /// [`ClockAhead`](observer::Event::ClockAhead), once a day. A log that was empty goes by the clock when it was opened.
    ///
    /// # Errors
    /// [`EraseError`]; what was not done is done by the next call.
    pub async fn retain(&self, retention: &Retention) -> Result<Retained, EraseError> {
        self.retain_by(&*self.store, retention, Whose::Own).await
    }

    /// The same of a log that this one has followed, which nobody writes any more: what went is on record in this one.
    ///
    /// # Errors
    /// [`EraseError`]; what was not done is done by the next call.
    pub async fn retain_in(
        &self,
        store: &dyn Store,
        retention: &Retention,
    ) -> Result<Retained, EraseError> {
        let last = last_time(store).await?;
        self.retain_by(store, retention, Whose::Other { last })
            .await
    }

    async fn retain_by(
        &self,
        store: &dyn Store,
        retention: &Retention,
        whose: Whose,
    ) -> Result<Retained, EraseError> {
        let first = store.first().await?;
        if retention.is_held {
            return Ok(Retained {
                first,
                ..Retained::default()
            });
        }
        let last = match whose {
            Whose::Own => None,
            Whose::Other { last } => last,
        };
        let (now, clock_ahead) = self.now(retention, last);
        let erased = retention.erase_older(&self.shared, store, now).await?;
        let before = retention.prunable(&self.shared, store, now).await?;
        let left = before / WIDE * WIDE;
        for (follower, missed) in retention.gaps(store, first, left).await? {
            let draft = own_events::gap(&self.shared, follower, missed);
            self.record(draft, None).await?;
        }
        if erased > 0 {
            let draft = own_events::draft(&self.shared, Id::SYSTEM_TENANT, ERASED);
            self.record(draft.count(erased), None).await?;
        }
        if whose == Whose::Own && left > first {
            let draft = own_events::pruned(&self.shared, left - first);
            self.record(draft.resources([first_entry(left)]), None)
                .await?;
            // Who verifies at the checkpoint that is published, finds why they are gone.
            self.checkpoint().await?;
        }
        let pruned = store.prune(before).await?;
        if matches!(whose, Whose::Other { .. }) && pruned > 0 {
            self.record(own_events::pruned(&self.shared, pruned), None)
                .await?;
        }
        Ok(Retained {
            erased,
            pruned,
            first: store.first().await?,
            clock_ahead,
        })
    }

    fn now(
        &self,
        retention: &Retention,
        last: Option<Timestamp>,
    ) -> (Timestamp, Option<ClockAhead>) {
        let (clock, time) = (&*self.shared.clock, &self.shared.time);
        if retention.is_clock_confirmed {
            return (timestamp(clock), None);
        }
        let (now, ahead) = time.now(clock, last);
        if let Some(found) = ahead.filter(|_| time.is_news(clock)) {
            self.shared.tell(observer::Event::ClockAhead { found });
        }
        (now, ahead)
    }
}

impl Retention {
    async fn erase_older(
        &self,
        shared: &Shared,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let end = first_younger(store, self.personal, now).await?;
        let done = told_cursor(shared, store, &ERASED_BEFORE).await?;
        let mut from = done.max(store.first().await?);
        let mut erased = 0;
        while from < end {
            let next = end.min(from + STEP);
            let leaves: Vec<_> = (from..next).collect();
            erased += store.erase(&leaves).await?;
            store.move_cursor(&ERASED_BEFORE, next).await?;
            from = next;
        }
        Ok(erased)
    }

    /// Who misses how many of the leaves from `first` that go before `left`.
    async fn gaps(
        &self,
        store: &dyn Store,
        first: u64,
        left: u64,
    ) -> Result<Vec<(Id, u64)>, StoreError> {
        let mut gaps = Vec::new();
        for follower in &self.passable {
            let (read, _) = cursor_in_log(store, follower).await?;
            let read = read.unwrap_or(0);
            let missed = left.saturating_sub(read.max(first));
            if missed > 0 {
                gaps.push((follower.clone(), missed));
            }
        }
        Ok(gaps)
    }

    /// Before which leaf nothing is young, unread or unpublished.
    async fn prunable(
        &self,
        shared: &Shared,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let published = store.checkpoint().await?;
        let published = published.and_then(|note| Checkpoint::parse(note.unverified_text()).ok());
        let published = published.map_or(0, |checkpoint| checkpoint.size());
        let mut before = first_younger(store, self.leaves, now).await?.min(published);
        for follower in &self.followers {
            before = before.min(told_cursor(shared, store, follower).await?);
        }
        Ok(before)
    }
}

/// How far somebody has come. Who is said to be behind the end of the log has come nowhere, and that is told.
async fn told_cursor(shared: &Shared, store: &dyn Store, name: &Id) -> Result<u64, StoreError> {
    let (next, beyond) = cursor_in_log(store, name).await?;
    if let Some(found) = beyond {
        let cursor = name;
        shared.tell(observer::Event::CursorBeyond { cursor, found });
    }
    Ok(next.unwrap_or(0))
}

/// The first leaf that is not older.
async fn first_younger(
    store: &dyn Store,
    age: Duration,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let age = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
    let oldest = Timestamp::from_unix_micros(now.unix_micros().saturating_sub(age));
    match oldest {
        Some(oldest) => first_since(store, oldest).await,
        None => store.first().await,
    }
}

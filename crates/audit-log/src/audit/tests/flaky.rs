//! A store that fails and hangs when it is told to.

use std::{
    future::pending,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    event::Id,
    note::SignedNote,
    search::{Page, Query},
    store::{Appending, EntryBatch, Group, LogState, MemoryStore, Store, StoreError},
    tile::TilePath,
};

#[derive(Debug)]
pub(super) struct FlakyStore {
    kept: MemoryStore,
    mood: Arc<Mutex<Mood>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Works,
    /// Nothing is taken.
    Refuses,
    /// A group is not written.
    LosesGroups,
    /// A group is written, and said not to be.
    HidesGroups,
    /// The same, and somebody else writes behind it.
    HidesGroupsAmongOthers,
    /// A group is not written, and somebody else writes.
    LosesGroupsAmongOthers,
    /// An older copy is in its place: it has nothing.
    HasForgotten,
    /// It answers never, as a disk that hangs does.
    Hangs,
    /// The same, once a group is there.
    HangsInGroups,
}

#[derive(Debug)]
struct Taken {
    inner: Box<dyn Appending>,
    kept: MemoryStore,
    mood: Arc<Mutex<Mood>>,
}

fn error() -> StoreError {
    StoreError::unavailable("the disk is full")
}

impl FlakyStore {
    pub(super) fn new(kept: MemoryStore) -> Self {
        Self {
            kept,
            mood: Arc::new(Mutex::new(Mood::Works)),
        }
    }

    pub(super) fn is_to(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// Others write so many events, and what is old enough is pruned.
    pub(super) async fn grow_and_prune(&self, events: usize) {
        for _ in 0..events {
            write_one(&self.kept).await.expect("it is kept in memory");
        }
        let pruned = self.kept.prune(u64::MAX).await;
        pruned.expect("it is kept in memory");
    }

    fn mood(&self) -> Mood {
        mood_of(&self.mood)
    }
}

fn mood_of(mood: &Mutex<Mood>) -> Mood {
    *mood.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until it is told something else.
async fn hang(mood: &Mutex<Mood>) {
    let hangs_in = mood_of(mood);
    while mood_of(mood) == hangs_in {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[async_trait]
impl Store for FlakyStore {
    async fn lock(&self, tenants: &[Id]) -> Result<Box<dyn Appending>, StoreError> {
        let mood = self.mood();
        match mood {
            Mood::Refuses => return Err(error()),
            Mood::Hangs => hang(&self.mood).await,
            _ => {}
        }
        let kept = match mood {
            Mood::HasForgotten => MemoryStore::new(),
            _ => self.kept.clone(),
        };
        Ok(Box::new(Taken {
            inner: kept.lock(tenants).await?,
            kept: self.kept.clone(),
            mood: Arc::clone(&self.mood),
        }))
    }

    async fn size(&self) -> Result<u64, StoreError> {
        self.kept.size().await
    }

    async fn entries(&self, from: u64, most: NonZeroUsize) -> Result<EntryBatch, StoreError> {
        self.kept.entries(from, most).await
    }

    async fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, StoreError> {
        self.kept.tile(path).await
    }

    async fn checkpoint(&self) -> Result<Option<SignedNote>, StoreError> {
        self.kept.checkpoint().await
    }

    async fn publish(&self, checkpoint: &SignedNote) -> Result<(), StoreError> {
        match self.mood() {
            Mood::Works => self.kept.publish(checkpoint).await,
            Mood::Hangs | Mood::HangsInGroups => pending().await,
            _ => Err(error()),
        }
    }

    async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        self.kept.search(query).await
    }

    async fn personal(&self, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.kept.personal(n).await
    }

    async fn erase(&self, leaves: &[u64]) -> Result<u64, StoreError> {
        self.kept.erase(leaves).await
    }

    async fn prune(&self, before: u64) -> Result<u64, StoreError> {
        self.kept.prune(before).await
    }

    async fn first(&self) -> Result<u64, StoreError> {
        self.kept.first().await
    }

    async fn cursor(&self, name: &Id) -> Result<Option<u64>, StoreError> {
        self.kept.cursor(name).await
    }

    async fn move_cursor(&self, name: &Id, next: u64) -> Result<(), StoreError> {
        self.kept.move_cursor(name, next).await
    }
}

#[async_trait]
impl Appending for Taken {
    fn state(&self) -> LogState {
        self.inner.state()
    }

    async fn commit(self: Box<Self>, group: &Group) -> Result<(), StoreError> {
        let Self { inner, kept, mood } = *self;
        if mood_of(&mood) == Mood::HangsInGroups {
            hang(&mood).await;
        }
        let mood = mood_of(&mood);
        if mood == Mood::LosesGroups {
            return Err(error());
        }
        if mood == Mood::LosesGroupsAmongOthers {
            drop(inner);
            write_one(&kept).await?;
            return Err(error());
        }
        inner.commit(group).await?;
        if mood == Mood::HidesGroupsAmongOthers {
            write_one(&kept).await?;
        }
        match mood {
            Mood::HidesGroups | Mood::HidesGroupsAmongOthers => Err(error()),
            _ => Ok(()),
        }
    }
}

/// An event of another process.
async fn write_one(kept: &MemoryStore) -> Result<(), StoreError> {
    use crate::event::{Delivery, EventId, Stamp, Timestamp};

    let time = Timestamp::from_unix_micros(1).expect("it is after 1970");
    let id = EventId::new(time, [9; 10]);
    let stamp = Stamp::new(id, time, Delivery::Must, Id::constant("node-b"));
    let event = super::draft(super::LOGIN).build(stamp).expect("short");
    let taken = kept.lock(&[event.tenant().clone()]).await?;
    let mut group = Group::new(taken.state());
    group.push(&event, None).expect("there is room");
    taken.commit(&group).await
}

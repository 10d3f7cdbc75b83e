//! The database as one node reaches it: the way there can be lost, and answers can be held back.

use std::{
    collections::BTreeMap,
    num::NonZeroU16,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use portcullis_apikey_cache::{
    Kid, PepperVersion, TenantId,
    feed::{Change, ChangeFeed, FeedId, FeedPage, FeedSeq, Invalidation, Reader, ReaderId},
    store::{
        KeyQuery, KeyRecord, KeyStore, PepperRows, RecordVersion, Revoked, SqliteKeyStore,
        StoreError, UnixMillis, Verifier,
    },
};
use tokio::sync::watch;

/// When keys were revoked: as soon as the database had committed it.
pub(crate) type Commits = Arc<Mutex<BTreeMap<Kid, Instant>>>;

/// The way to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Up,
    /// Whatever is asked fails at once.
    Refuses,
    /// Whatever is asked is not answered.
    Hangs,
}

/// What becomes of the answers to loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loads {
    Answered,
    /// They are read from the database, and on their way for as long as this lasts.
    Held,
}

/// A store, and its feed, at the end of a link.
#[derive(Debug)]
pub(crate) struct LinkedStore {
    store: SqliteKeyStore,
    link: watch::Sender<Link>,
    loads: watch::Sender<Loads>,
    commits: Commits,
    slowest_reading: Mutex<Duration>,
    held: AtomicUsize,
}

impl LinkedStore {
    pub(crate) fn new(store: SqliteKeyStore, commits: Commits) -> Self {
        Self {
            store,
            link: watch::Sender::new(Link::Up),
            loads: watch::Sender::new(Loads::Answered),
            commits,
            slowest_reading: Mutex::default(),
            held: AtomicUsize::new(0),
        }
    }

    /// The longest that the feed took to answer, but for what the link did: a round trip.
    pub(crate) fn slowest_reading(&self) -> Duration {
        *self.slowest_reading.lock().unwrap()
    }

    pub(crate) fn set_link(&self, link: Link) {
        self.link.send_replace(link);
    }

    pub(crate) fn set_loads(&self, loads: Loads) {
        self.loads.send_replace(loads);
    }

    /// Loads whose answers are on their way.
    pub(crate) fn loads_held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// There and back again.
    async fn ask<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.pass().await?;
        let answer = answer.await;
        self.pass().await?;
        answer
    }

    async fn pass(&self) -> Result<(), StoreError> {
        let mut link = self.link.subscribe();
        let passed = link.wait_for(|link| *link != Link::Hangs).await;
        let link = *passed.expect("the link is there as long as the store");
        match link {
            Link::Refuses => Err(StoreError::Unavailable(None)),
            Link::Up | Link::Hangs => Ok(()),
        }
    }
}

#[async_trait]
impl KeyStore for LinkedStore {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        let record = self.ask(self.store.load(kid)).await;
        let mut loads = self.loads.subscribe();
        self.held.fetch_add(1, Ordering::SeqCst);
        drop(loads.wait_for(|loads| *loads == Loads::Answered).await);
        self.held.fetch_sub(1, Ordering::SeqCst);
        record
    }

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        self.ask(self.store.insert(record)).await
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        let revoke = async {
            let revoked = self.store.revoke(kid, at).await?;
            self.commits.lock().unwrap().insert(*kid, Instant::now());
            Ok(revoked)
        };
        self.ask(revoke).await
    }

    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        self.ask(self.store.rotate(old, new)).await
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        self.ask(self.store.rehash(kid, version, under, verifier))
            .await
    }

    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        self.ask(self.store.update_last_used(uses)).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        self.ask(self.store.list(query)).await
    }

    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        self.ask(self.store.recently_used(since, limit)).await
    }

    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        self.ask(self.store.rows_by_pepper(at)).await
    }

    async fn tenant_alike(&self, tenant: &TenantId) -> Result<Option<TenantId>, StoreError> {
        self.ask(self.store.tenant_alike(tenant)).await
    }
}

#[async_trait]
impl ChangeFeed for LinkedStore {
    async fn id(&self) -> Result<FeedId, StoreError> {
        self.ask(self.store.id()).await
    }

    async fn head(&self) -> Result<FeedSeq, StoreError> {
        self.ask(self.store.head()).await
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        let read = async {
            let asked = Instant::now();
            let page = self.store.changes_after(seq, limit).await;
            let mut slowest = self.slowest_reading.lock().unwrap();
            *slowest = asked.elapsed().max(*slowest);
            page
        };
        self.ask(read).await
    }

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        self.ask(self.store.invalidate(what, at)).await
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        self.ask(self.store.note_reader(reader)).await
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        self.ask(self.store.readers(since)).await
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        self.ask(self.store.forget_reader(reader)).await
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        self.ask(self.store.trim(before)).await
    }
}

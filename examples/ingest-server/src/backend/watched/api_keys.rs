//! The store of API keys and the feed of their changes, whose faults are remembered.

use std::{collections::BTreeMap, num::NonZeroU16};

use async_trait::async_trait;
use portcullis_apikey_cache::{
    self as apikeys, Kid, PepperVersion,
    feed::{Change, ChangeFeed, FeedId, FeedPage, FeedSeq, Invalidation, Reader, ReaderId},
    store::{
        KeyQuery, KeyRecord, KeyStore, PepperRows, RecordVersion, Revoked, StoreError, UnixMillis,
        Verifier,
    },
};

use super::Watched;

impl<T: ?Sized> Watched<T> {
    /// Passes an answer on, remembers the fault it tells of, and tells when a task begins to fail.
    async fn watch_task<R>(
        &self,
        task: &'static str,
        answer: impl Future<Output = Result<R, StoreError>>,
    ) -> Result<R, StoreError> {
        self.watch(self.outages.watch(task, answer).await)
    }
}

#[async_trait]
impl KeyStore for Watched<dyn KeyStore> {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        self.watch_task("load", self.store.load(kid)).await
    }

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        self.check_api_keys()?;
        self.watch(self.turns.write(|| self.store.insert(record)).await)
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        self.check_api_keys()?;
        self.watch(self.turns.write(|| self.store.revoke(kid, at)).await)
    }

    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        self.check_api_keys()?;
        self.watch(self.turns.write(|| self.store.rotate(old, new)).await)
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        self.check_api_keys()?;
        let done = self
            .turns
            .write(|| self.store.rehash(kid, version, under, verifier));
        self.watch_task("rehash", done).await
    }

    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        self.check_api_keys()?;
        let done = self.turns.write(|| self.store.update_last_used(uses));
        self.watch_task("update_last_used", done).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        self.watch(self.store.list(query).await)
    }

    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        self.watch_task("recently_used", self.store.recently_used(since, limit))
            .await
    }

    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        self.watch(self.store.rows_by_pepper(at).await)
    }

    async fn tenant_alike(
        &self,
        tenant: &apikeys::TenantId,
    ) -> Result<Option<apikeys::TenantId>, StoreError> {
        self.watch(self.store.tenant_alike(tenant).await)
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.check_api_keys()?;
        self.watch(self.turns.write(|| self.store.check()).await)
    }
}

#[async_trait]
impl ChangeFeed for Watched<dyn ChangeFeed> {
    async fn id(&self) -> Result<FeedId, StoreError> {
        self.watch_task("identify", self.store.id()).await
    }

    async fn head(&self) -> Result<FeedSeq, StoreError> {
        self.watch_task("head", self.store.head()).await
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        self.watch_task("follow", self.store.changes_after(seq, limit))
            .await
    }

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        self.check_api_keys()?;
        self.watch(self.turns.write(|| self.store.invalidate(what, at)).await)
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        self.check_api_keys()?;
        let done = self.turns.write(|| self.store.note_reader(reader));
        self.watch_task("note_reader", done).await
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        self.watch_task("readers", self.store.readers(since)).await
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        self.check_api_keys()?;
        let done = self.turns.write(|| self.store.forget_reader(reader));
        self.watch_task("forget_reader", done).await
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        self.check_api_keys()?;
        let done = self.turns.write(|| self.store.trim(before));
        self.watch_task("trim", done).await
    }

    async fn changed(&self, seq: FeedSeq) {
        self.store.changed(seq).await;
    }
}

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
use portcullis_telemetry::Statement;

use super::Watched;

/// Their tables, as `docs/formats.md` names them.
const KEYS: &str = "apikey_cache_api_key";
const FEED: &str = "apikey_cache_feed";
const CHANGES: &str = "apikey_cache_outbox";
const READERS: &str = "apikey_cache_reader";

impl<T: ?Sized> Watched<T> {
    fn check_api_keys(&self) -> Result<(), StoreError> {
        let checked = self.watch.check();
        checked.map_err(StoreError::unavailable)
    }

    /// The same for a task of the cache, of which it is told when it begins to fail.
    async fn ask_for<R>(
        &self,
        statement: Statement,
        table: &'static str,
        task: &'static str,
        answer: impl Future<Output = Result<R, StoreError>>,
    ) -> Result<R, StoreError> {
        let answer = self.outages.watch(task, answer);
        self.watch.ask(statement, table, answer).await
    }
}

#[async_trait]
impl KeyStore for Watched<dyn KeyStore> {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        self.ask_for(Statement::Select, KEYS, "load", self.store.load(kid))
            .await
    }

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        self.check_api_keys()?;
        self.watch
            .ask(
                Statement::Insert,
                KEYS,
                self.turns.write(|| self.store.insert(record)),
            )
            .await
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        self.check_api_keys()?;
        self.watch
            .ask(
                Statement::Update,
                KEYS,
                self.turns.write(|| self.store.revoke(kid, at)),
            )
            .await
    }

    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        self.check_api_keys()?;
        self.watch
            .ask(
                Statement::Insert,
                KEYS,
                self.turns.write(|| self.store.rotate(old, new)),
            )
            .await
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
        self.ask_for(Statement::Update, KEYS, "rehash", done).await
    }

    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        self.check_api_keys()?;
        let done = self.turns.write(|| self.store.update_last_used(uses));
        self.ask_for(Statement::Update, KEYS, "update_last_used", done)
            .await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        self.watch
            .ask(Statement::Select, KEYS, self.store.list(query))
            .await
    }

    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        self.ask_for(
            Statement::Select,
            KEYS,
            "recently_used",
            self.store.recently_used(since, limit),
        )
        .await
    }

    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        self.watch
            .ask(Statement::Select, KEYS, self.store.rows_by_pepper(at))
            .await
    }

    async fn tenant_alike(
        &self,
        tenant: &apikeys::TenantId,
    ) -> Result<Option<apikeys::TenantId>, StoreError> {
        self.watch
            .ask(Statement::Select, KEYS, self.store.tenant_alike(tenant))
            .await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.check_api_keys()?;
        self.watch
            .ask(
                Statement::Insert,
                KEYS,
                self.turns.write(|| self.store.check()),
            )
            .await
    }
}

#[async_trait]
impl ChangeFeed for Watched<dyn ChangeFeed> {
    async fn id(&self) -> Result<FeedId, StoreError> {
        self.ask_for(Statement::Select, FEED, "identify", self.store.id())
            .await
    }

    async fn head(&self) -> Result<FeedSeq, StoreError> {
        self.ask_for(Statement::Select, FEED, "head", self.store.head())
            .await
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        self.ask_for(
            Statement::Select,
            CHANGES,
            "follow",
            self.store.changes_after(seq, limit),
        )
        .await
    }

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        self.check_api_keys()?;
        self.watch
            .ask(
                Statement::Insert,
                CHANGES,
                self.turns.write(|| self.store.invalidate(what, at)),
            )
            .await
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        self.check_api_keys()?;
        let done = self.turns.write(|| self.store.note_reader(reader));
        self.ask_for(Statement::Insert, READERS, "note_reader", done)
            .await
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        self.ask_for(
            Statement::Select,
            READERS,
            "readers",
            self.store.readers(since),
        )
        .await
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        self.check_api_keys()?;
        let done = self.turns.write(|| self.store.forget_reader(reader));
        self.ask_for(Statement::Delete, READERS, "forget_reader", done)
            .await
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        self.check_api_keys()?;
        let done = self.turns.write(|| self.store.trim(before));
        self.ask_for(Statement::Delete, CHANGES, "trim", done).await
    }

    async fn changed(&self, seq: FeedSeq) {
        self.store.changed(seq).await;
    }
}

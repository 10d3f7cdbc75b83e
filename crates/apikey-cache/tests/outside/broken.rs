//! What breaks a contract, each found by its suite.

use super::*;

/// A feed that leaves out revocations.
#[derive(Debug)]
struct WithoutRevocations(Arc<TextFeed>);

#[async_trait]
impl ChangeFeed for WithoutRevocations {
    async fn head(&self) -> Result<FeedSeq, StoreError> {
        self.0.head().await
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        let mut page = self.0.changes_after(seq, limit).await?;
        let is_new = |change: &Change| change.version == RecordVersion::FIRST;
        page.changes.retain(is_new);
        Ok(page)
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        self.0.trim(before).await
    }
}

#[tokio::test]
#[should_panic(expected = "`ChangeFeed`: every change is told once in order from 1: ")]
async fn the_suite_finds_a_feed_that_leaves_out_revocations() {
    conformance::change_feed(async || {
        let (store, feed) = open();
        (store as _, Arc::new(WithoutRevocations(feed)) as _)
    })
    .await;
}

/// A feed that grows for ever.
#[derive(Debug)]
struct WithoutTrimming(Arc<TextFeed>);

#[async_trait]
impl ChangeFeed for WithoutTrimming {
    async fn head(&self) -> Result<FeedSeq, StoreError> {
        self.0.head().await
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        self.0.changes_after(seq, limit).await
    }

    async fn trim(&self, _: UnixMillis) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::test]
#[should_panic(
    expected = "`ChangeFeed`: trimming drops every change before the first that is not older: two \
                are older: [1, 2, 3, 4], not [3, 4]"
)]
async fn the_suite_finds_a_feed_that_never_trims() {
    conformance::change_feed(async || {
        let (store, feed) = open();
        (store as _, Arc::new(WithoutTrimming(feed)) as _)
    })
    .await;
}

/// A store that ignores revocations, and answers as if it did not.
#[derive(Debug)]
struct WithoutRevoking(Arc<TextStore>);

#[async_trait]
impl KeyStore for WithoutRevoking {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        self.0.load(kid).await
    }

    async fn insert(&self, record: &KeyRecord) -> Result<(), StoreError> {
        self.0.insert(record).await
    }

    async fn revoke(&self, kid: &Kid, _: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        let record = self.0.load(kid).await?;
        Ok(record.map(|record| Revoked::Now(record.version.next())))
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        self.0.rehash(kid, version, under, verifier).await
    }

    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        self.0.update_last_used(uses).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        self.0.list(query).await
    }
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: a revocation is permanent")]
async fn the_suite_finds_a_store_that_ignores_revocations() {
    conformance::key_store(async || Arc::new(WithoutRevoking(open().0)) as _).await;
}

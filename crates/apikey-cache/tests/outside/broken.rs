//! What breaks a contract, each found by its suite.

use super::*;

/// A feed that leaves out revocations.
#[derive(Debug)]
struct WithoutRevocations(Arc<TextFeed>);

#[async_trait]
impl ChangeFeed for WithoutRevocations {
    async fn id(&self) -> Result<FeedId, StoreError> {
        self.0.id().await
    }

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        self.0.invalidate(what, at).await
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        self.0.note_reader(reader).await
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        self.0.readers(since).await
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        self.0.forget_reader(reader).await
    }

    async fn head(&self) -> Result<FeedSeq, StoreError> {
        self.0.head().await
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        let mut page = self.0.changes_after(seq, limit).await?;
        page.changes.retain(|change| match change.kind {
            ChangeKind::Record { version, .. } => version == RecordVersion::FIRST,
            ChangeKind::Invalidation(_) => true,
        });
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
    async fn id(&self) -> Result<FeedId, StoreError> {
        self.0.id().await
    }

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        self.0.invalidate(what, at).await
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        self.0.note_reader(reader).await
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        self.0.readers(since).await
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        self.0.forget_reader(reader).await
    }

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

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        self.0.insert(record).await
    }

    async fn revoke(&self, kid: &Kid, _: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        let record = self.0.load(kid).await?;
        Ok(record.map(|record| {
            let kind = ChangeKind::Record {
                kid: record.kid,
                version: record.version.next(),
            };
            let seq = FeedSeq::START;
            Revoked::Now(Change { seq, kind })
        }))
    }

    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        self.0.rotate(old, new).await
    }

    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        self.0.recently_used(since, limit).await
    }

    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        self.0.rows_by_pepper(at).await
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

    async fn tenant_alike(&self, tenant: &TenantId) -> Result<Option<TenantId>, StoreError> {
        self.0.tenant_alike(tenant).await
    }
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: a revocation is permanent")]
async fn the_suite_finds_a_store_that_ignores_revocations() {
    conformance::key_store(async || Arc::new(WithoutRevoking(open().0)) as _).await;
}

/// How a store that is wrong about names finds a tenant among those that have keys.
type FindTenant = fn(&[TenantId], &TenantId) -> Option<TenantId>;

/// A store that is wrong about names alone.
#[derive(Debug)]
struct WrongNames(Arc<TextStore>, FindTenant);

#[async_trait]
impl KeyStore for WrongNames {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        self.0.load(kid).await
    }

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        self.0.insert(record).await
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        self.0.revoke(kid, at).await
    }

    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        self.0.rotate(old, new).await
    }

    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        self.0.recently_used(since, limit).await
    }

    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        self.0.rows_by_pepper(at).await
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

    async fn tenant_alike(&self, tenant: &TenantId) -> Result<Option<TenantId>, StoreError> {
        let all = KeyQuery::first(NonZeroU16::MAX);
        let records = self.0.list(&all).await?;
        let tenants: Vec<_> = records.into_iter().map(|record| record.tenant).collect();
        Ok((self.1)(&tenants, tenant))
    }
}

async fn check_names(find: FindTenant) {
    conformance::key_store(async || Arc::new(WrongNames(open().0, find)) as _).await;
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: a tenant is found by its name in any case: acme-az: None")]
async fn the_suite_finds_a_store_that_tells_names_apart_by_case() {
    check_names(|tenants, name| tenants.iter().find(|tenant| *tenant == name).cloned()).await;
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: a tenant is found by its name in any case: at`z: Some")]
async fn the_suite_finds_a_store_that_folds_more_than_letters() {
    check_names(|tenants, name| {
        let fold: fn(&TenantId) -> Vec<u8> =
            |name| name.as_str().bytes().map(|byte| byte | 0x20).collect();
        let mut tenants = tenants.iter();
        tenants.find(|tenant| fold(tenant) == fold(name)).cloned()
    })
    .await;
}

#[tokio::test]
#[should_panic(
    expected = "`KeyStore`: a tenant is found rather than another whose name differs in \
                           case: of four alike: "
)]
async fn the_suite_finds_a_store_that_takes_a_tenant_for_another() {
    check_names(|tenants, name| {
        let mut tenants = tenants.iter();
        let is_alike = |tenant: &&TenantId| tenant.as_str().eq_ignore_ascii_case(name.as_str());
        tenants.find(is_alike).cloned()
    })
    .await;
}

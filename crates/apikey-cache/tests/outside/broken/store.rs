//! Stores that break the contract of a store, each in one way.

use super::*;

/// How a store that is wrong about names finds a tenant among those that have keys.
type FindTenant = fn(&[TenantId], &TenantId) -> Option<TenantId>;

#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// It answers as if it revoked.
    RevokesNothing,
    WrongNames(FindTenant),
    /// Of the old record, whatever version it has.
    RotatesAnyVersion,
    RotatesRevoked,
    /// The old record, though the new one cannot be added.
    RotatesHalf,
    /// It adds the new record, and leaves the old one.
    AddsAlone,
    UndoesRehash,
    LosesLastUse,
    /// Where the old record is to be revoked.
    KeepsVerifier,
    AnswersNewRecordFirst,
    /// The number of a change is the one before.
    AnswersOtherNumber,
    FindsRevokedUsed,
    FindsOldestFirst,
    CountsExpired,
    CountsTagsAsHashes,
}

/// A store with one fault.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) store: Arc<TextStore>,
    pub(super) fault: Fault,
}

impl Broken {
    async fn add(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        let mut change = self.store.insert(record).await?;
        if let Fault::AnswersOtherNumber = self.fault {
            change.seq = FeedSeq::new(change.seq.value() - 1);
        }
        Ok(change)
    }

    fn write(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let mut database = self.store.database.lock().map_err(|_| poisoned())?;
        database.rows.insert(record.kid.to_string(), encode(record));
        Ok(())
    }

    /// Rotates whatever is there, unless the new kid is taken.
    fn force(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
        present: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        let mut database = self.store.database.lock().map_err(|_| poisoned())?;
        if database.rows.contains_key(new.kid.as_str()) {
            return Err(StoreError::KidTaken);
        }
        let replaced = KeyRecord {
            created_at: present.created_at,
            last_used: present.last_used,
            ..old.clone()
        };
        database.rows.insert(old.kid.to_string(), encode(&replaced));
        let old = database.append_record(old, new.created_at);
        Ok(Some([old, database.add(new)]))
    }
}

#[async_trait]
impl KeyStore for Broken {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        self.store.load(kid).await
    }

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        self.add(record).await
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        let Fault::RevokesNothing = self.fault else {
            return self.store.revoke(kid, at).await;
        };
        let record = self.store.load(kid).await?;
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
        let Some(present) = self.store.load(&old.kid).await? else {
            return self.store.rotate(old, new).await;
        };
        let is_revoked = matches!(present.state, RecordState::Revoked);
        let is_taken = self.store.load(&new.kid).await?.is_some();
        match self.fault {
            Fault::RotatesAnyVersion if !is_revoked => self.force(old, new, &present),
            Fault::RotatesRevoked if is_revoked => self.force(old, new, &present),
            Fault::RotatesHalf if is_taken => {
                self.write(old)?;
                Err(StoreError::KidTaken)
            }
            Fault::AddsAlone => {
                let changes = self.store.rotate(old, new).await;
                self.write(&present)?;
                changes
            }
            Fault::UndoesRehash if !is_revoked && present.version.next() == old.version => {
                self.force(old, new, &present)
            }
            Fault::LosesLastUse => {
                let changes = self.store.rotate(old, new).await;
                let created_at = present.created_at;
                self.write(&KeyRecord {
                    created_at,
                    ..old.clone()
                })?;
                changes
            }
            Fault::KeepsVerifier => {
                let changes = self.store.rotate(old, new).await;
                self.write(&KeyRecord {
                    state: present.state,
                    ..old.clone()
                })?;
                changes
            }
            Fault::AnswersNewRecordFirst => {
                let changes = self.store.rotate(old, new).await?;
                Ok(changes.map(|[old, new]| [new, old]))
            }
            _ => self.store.rotate(old, new).await,
        }
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        self.store.rehash(kid, version, under, verifier).await
    }

    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        self.store.update_last_used(uses).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        self.store.list(query).await
    }

    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        let mut kids = self.store.recently_used(since, limit).await?;
        match self.fault {
            Fault::FindsRevokedUsed => {
                let used = |record: &KeyRecord| record.last_used.filter(|date| *date >= since);
                let records = self.store.records()?;
                let mut used: Vec<_> = records
                    .iter()
                    .filter_map(|record| Some((used(record)?, record.kid)))
                    .collect();
                used.sort_unstable_by(|one, other| other.cmp(one));
                used.truncate(limit.get().into());
                kids = used.into_iter().map(|(_, kid)| kid).collect();
            }
            Fault::FindsOldestFirst => kids.reverse(),
            _ => {}
        }
        Ok(kids)
    }

    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        let at = match self.fault {
            Fault::CountsExpired => UnixMillis::new(i64::MIN),
            _ => at,
        };
        let mut rows = self.store.rows_by_pepper(at).await?;
        if let Fault::CountsTagsAsHashes = self.fault {
            for rows in rows.values_mut() {
                rows.hashed = rows.hashed.max(rows.tagged);
            }
        }
        Ok(rows)
    }

    async fn tenant_alike(&self, tenant: &TenantId) -> Result<Option<TenantId>, StoreError> {
        let Fault::WrongNames(find) = self.fault else {
            return self.store.tenant_alike(tenant).await;
        };
        let records = self.store.records()?;
        let tenants: Vec<_> = records.into_iter().map(|record| record.tenant).collect();
        Ok(find(&tenants, tenant))
    }
}

async fn check(fault: Fault) {
    conformance::key_store(async || {
        let (store, _) = open();
        Arc::new(Broken { store, fault }) as _
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: a revocation is permanent")]
async fn the_suite_finds_a_store_that_ignores_revocations() {
    check(Fault::RevokesNothing).await;
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: a tenant is found by its name in any case: acme-az: None")]
async fn the_suite_finds_a_store_that_tells_names_apart_by_case() {
    let exactly: FindTenant =
        |tenants, name| tenants.iter().find(|tenant| *tenant == name).cloned();
    check(Fault::WrongNames(exactly)).await;
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: a tenant is found by its name in any case: at`z: Some")]
async fn the_suite_finds_a_store_that_folds_more_than_letters() {
    check(Fault::WrongNames(|tenants, name| {
        let fold: fn(&TenantId) -> Vec<u8> =
            |name| name.as_str().bytes().map(|byte| byte | 0x20).collect();
        let mut tenants = tenants.iter();
        tenants.find(|tenant| fold(tenant) == fold(name)).cloned()
    }))
    .await;
}

#[tokio::test]
#[should_panic(
    expected = "`KeyStore`: a tenant is found rather than another whose name differs in \
                           case: of four alike: "
)]
async fn the_suite_finds_a_store_that_takes_a_tenant_for_another() {
    check(Fault::WrongNames(|tenants, name| {
        let mut tenants = tenants.iter();
        let is_alike = |tenant: &&TenantId| tenant.as_str().eq_ignore_ascii_case(name.as_str());
        tenants.find(is_alike).cloned()
    }))
    .await;
}

#[tokio::test]
#[should_panic(
    expected = "`KeyStore`: a rotation of another version changes nothing: to version 1"
)]
async fn the_suite_finds_a_store_that_rotates_whatever_version() {
    check(Fault::RotatesAnyVersion).await;
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: a rotation of a revoked record changes nothing: revoked: ")]
async fn the_suite_finds_a_store_that_rotates_what_is_revoked() {
    check(Fault::RotatesRevoked).await;
}

#[tokio::test]
#[should_panic(
    expected = "`KeyStore`: a rotation to a taken kid leaves both records as they are: "
)]
async fn the_suite_finds_a_store_that_rotates_half() {
    check(Fault::RotatesHalf).await;
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: a rotation replaces the old record and adds the new one: ")]
async fn the_suite_finds_a_store_that_leaves_the_old_record() {
    check(Fault::AddsAlone).await;
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: a rotation does not undo a new hash: another pepper: ")]
async fn the_suite_finds_a_store_that_undoes_a_new_hash() {
    check(Fault::UndoesRehash).await;
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: a rotation keeps when the old key was issued and used: ")]
async fn the_suite_finds_a_store_that_loses_a_last_use() {
    check(Fault::LosesLastUse).await;
}

#[tokio::test]
#[should_panic(
    expected = "`KeyStore`: a rotation without an overlap leaves the old record revoked: "
)]
async fn the_suite_finds_a_store_that_revokes_nothing_by_rotating() {
    check(Fault::KeepsVerifier).await;
}

#[tokio::test]
#[should_panic(
    expected = "`KeyStore`: a rotation replaces the old record and adds the new one: \
                           the answer: "
)]
async fn the_suite_finds_a_store_that_answers_in_another_order() {
    check(Fault::AnswersNewRecordFirst).await;
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: active keys used last come first: all: ")]
async fn the_suite_finds_a_store_that_warms_with_revoked_keys() {
    check(Fault::FindsRevokedUsed).await;
}

#[tokio::test]
#[should_panic(expected = "`KeyStore`: active keys used last come first: all: ")]
async fn the_suite_finds_a_store_that_warms_with_the_oldest() {
    check(Fault::FindsOldestFirst).await;
}

#[tokio::test]
#[should_panic(
    expected = "`KeyStore`: rows are counted by the peppers that they need: at the end of two: "
)]
async fn the_suite_finds_a_store_that_counts_what_has_expired() {
    check(Fault::CountsExpired).await;
}

#[tokio::test]
#[should_panic(
    expected = "`KeyStore`: rows are counted by the peppers that they need: before any end: "
)]
async fn the_suite_finds_a_store_that_counts_tags_as_hashes() {
    check(Fault::CountsTagsAsHashes).await;
}

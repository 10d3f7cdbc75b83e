//! A store and a feed that nobody in the crate knows: two types on one database of text, as a
//! server out of process would keep it, made from public items alone.

mod broken;

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU16,
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use portcullis_apikey_cache::{
    ApiKeyCache, Denied, Kid, NewKey, PepperVersion, Peppers, TenantId, Tier, conformance,
    feed::{
        Change, ChangeFeed, ChangeKind, FeedId, FeedPage, FeedSeq, Invalidation, Reader, ReaderId,
    },
    secrets::VersionedSecrets,
    store::{
        KeyHash, KeyQuery, KeyRecord, KeyStore, PepperRows, RecordState, RecordVersion, Revoked,
        RowMac, StoreError, UnixMillis, Verifier,
    },
};
use secrecy::SecretBox;
use tokio::sync::watch;

/// Rows by kid and lines of a log, all of them text.
#[derive(Debug, Default)]
struct Database {
    rows: BTreeMap<String, String>,
    /// The date of a change and what it is.
    log: VecDeque<String>,
    trimmed: u64,
    readers: BTreeMap<ReaderId, Reader>,
}

impl Database {
    fn append(&mut self, kind: ChangeKind, at: UnixMillis) -> Change {
        let text = match &kind {
            ChangeKind::Record { kid, version } => format!("record {kid} {version}"),
            ChangeKind::Invalidation(Invalidation::Key(kid)) => format!("key {kid}"),
            ChangeKind::Invalidation(Invalidation::Tenant(tenant)) => format!("tenant {tenant}"),
            ChangeKind::Invalidation(Invalidation::All) => "all".to_owned(),
        };
        self.log.push_back(format!("{at} {text}"));
        let seq = FeedSeq::new(self.head());
        Change { seq, kind }
    }

    fn append_record(&mut self, record: &KeyRecord, at: UnixMillis) -> Change {
        let kind = ChangeKind::Record {
            kid: record.kid,
            version: record.version,
        };
        self.append(kind, at)
    }

    fn add(&mut self, record: &KeyRecord) -> Change {
        self.rows.insert(record.kid.to_string(), encode(record));
        self.append_record(record, record.created_at)
    }

    fn head(&self) -> u64 {
        self.trimmed + self.log.len() as u64
    }
}

#[derive(Debug)]
struct TextStore {
    database: Arc<Mutex<Database>>,
    head: watch::Sender<u64>,
}

#[derive(Debug)]
struct TextFeed {
    database: Arc<Mutex<Database>>,
    head: watch::Receiver<u64>,
}

fn open() -> (Arc<TextStore>, Arc<TextFeed>) {
    let database = Arc::new(Mutex::new(Database::default()));
    let (sender, receiver) = watch::channel(0);
    let store = TextStore {
        database: Arc::clone(&database),
        head: sender,
    };
    let feed = TextFeed {
        database,
        head: receiver,
    };
    (Arc::new(store), Arc::new(feed))
}

impl TextStore {
    /// Changes the record of a kid if there is one, as one transaction.
    fn update<T>(
        &self,
        kid: &Kid,
        change: impl FnOnce(&mut KeyRecord, &mut Database) -> T,
    ) -> Result<Option<T>, StoreError> {
        let mut database = self.database.lock().map_err(|_| poisoned())?;
        let Some(row) = database.rows.get(kid.as_str()) else {
            return Ok(None);
        };
        let mut record = decode(row)?;
        let answer = change(&mut record, &mut database);
        database.rows.insert(kid.to_string(), encode(&record));
        self.head.send_replace(database.head());
        Ok(Some(answer))
    }
}

impl TextStore {
    fn records(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let database = self.database.lock().map_err(|_| poisoned())?;
        database.rows.values().map(|row| decode(row)).collect()
    }
}

#[async_trait]
impl KeyStore for TextStore {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        let database = self.database.lock().map_err(|_| poisoned())?;
        let row = database.rows.get(kid.as_str());
        row.map(|row| decode(row)).transpose()
    }

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        let mut database = self.database.lock().map_err(|_| poisoned())?;
        if database.rows.contains_key(record.kid.as_str()) {
            return Err(StoreError::KidTaken);
        }
        let change = database.add(record);
        self.head.send_replace(database.head());
        Ok(change)
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        self.update(kid, |record, database| {
            if matches!(record.state, RecordState::Revoked) {
                return Revoked::Before(record.version);
            }
            record.state = RecordState::Revoked;
            record.version = record.version.next();
            Revoked::Now(database.append_record(record, at))
        })
    }

    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        let mut database = self.database.lock().map_err(|_| poisoned())?;
        let Some(row) = database.rows.get(old.kid.as_str()) else {
            return Ok(None);
        };
        let present = decode(row)?;
        let is_as_expected = match (&present.state, &old.state) {
            (RecordState::Active(one), RecordState::Active(other)) => one.pepper == other.pepper,
            (RecordState::Active(_), RecordState::Revoked) => true,
            (RecordState::Revoked, _) => false,
        };
        if !is_as_expected || present.version.next() != old.version {
            return Ok(None);
        }
        if database.rows.contains_key(new.kid.as_str()) {
            return Err(StoreError::KidTaken);
        }
        let replaced = KeyRecord {
            created_at: present.created_at,
            last_used: present.last_used,
            ..old.clone()
        };
        database.rows.insert(old.kid.to_string(), encode(&replaced));
        let changes = [
            database.append_record(old, new.created_at),
            database.add(new),
        ];
        self.head.send_replace(database.head());
        Ok(Some(changes))
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        self.update(kid, |record, _| match &mut record.state {
            RecordState::Active(current)
                if current.pepper == under && record.version == version =>
            {
                *current = *verifier;
            }
            _ => {}
        })
        .map(drop)
    }

    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        for (kid, date) in uses {
            self.update(kid, |record, _| {
                record.last_used = record.last_used.max(Some(*date));
            })?;
        }
        Ok(())
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        let database = self.database.lock().map_err(|_| poisoned())?;
        let records = database.rows.values().map(|row| decode(row));
        let asked_for = |record: &KeyRecord| {
            query.after.is_none_or(|after| record.kid > after)
                && (query.tenant.as_ref()).is_none_or(|tenant| record.tenant == *tenant)
        };
        let records = records.filter(|record| record.as_ref().map_or(true, asked_for));
        records.take(query.limit.get().into()).collect()
    }

    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        let mut used = Vec::new();
        for record in self.records()? {
            let is_active = matches!(record.state, RecordState::Active(_));
            if is_active && let Some(date) = record.last_used.filter(|date| *date >= since) {
                used.push((date, record.kid));
            }
        }
        used.sort_unstable_by(|one, other| other.cmp(one));
        used.truncate(limit.get().into());
        Ok(used.into_iter().map(|(_, kid)| kid).collect())
    }

    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        let mut rows = BTreeMap::<_, PepperRows>::new();
        for record in self.records()? {
            let has_ended = record.expires_at.is_some_and(|end| end <= at);
            if !has_ended && let RecordState::Active(verifier) = &record.state {
                rows.entry(verifier.pepper).or_default().hashed += 1;
                if let Some(version) = record.kid.tag_version() {
                    rows.entry(version).or_default().tagged += 1;
                }
            }
        }
        Ok(rows)
    }

    async fn tenant_alike(&self, tenant: &TenantId) -> Result<Option<TenantId>, StoreError> {
        let database = self.database.lock().map_err(|_| poisoned())?;
        let tenants = database.rows.values().map(|row| Ok(decode(row)?.tenant));
        let tenants = tenants.collect::<Result<Vec<_>, StoreError>>()?;
        let is_alike = |other: &&TenantId| other.as_str().eq_ignore_ascii_case(tenant.as_str());
        let exact = tenants.iter().find(|other| *other == tenant);
        Ok(exact.or_else(|| tenants.iter().find(is_alike)).cloned())
    }
}

#[async_trait]
impl ChangeFeed for TextFeed {
    async fn id(&self) -> Result<FeedId, StoreError> {
        Ok(FeedId::new([7; 16]))
    }

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        let mut database = self.database.lock().map_err(|_| poisoned())?;
        Ok(database.append(ChangeKind::Invalidation(what.clone()), at))
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        let mut database = self.database.lock().map_err(|_| poisoned())?;
        let noted = database.readers.entry(reader.id).or_insert(*reader);
        let applied = noted.applied.max(reader.applied);
        *noted = Reader { applied, ..*reader };
        Ok(())
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        let database = self.database.lock().map_err(|_| poisoned())?;
        let readers = database.readers.values();
        Ok(readers
            .filter(|reader| reader.at >= since)
            .copied()
            .collect())
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        let mut database = self.database.lock().map_err(|_| poisoned())?;
        database.readers.remove(reader);
        Ok(())
    }

    async fn head(&self) -> Result<FeedSeq, StoreError> {
        let database = self.database.lock().map_err(|_| poisoned())?;
        Ok(FeedSeq::new(database.head()))
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        let database = self.database.lock().map_err(|_| poisoned())?;
        let numbered = (database.trimmed + 1..).zip(&database.log);
        let later = numbered.filter(|(number, _)| *number > seq.value());
        let changes = later.take(limit.get().into()).map(|(number, line)| {
            let mut columns = line.split(' ').skip(1);
            let kind = match columns.next() {
                Some("record") => ChangeKind::Record {
                    kid: parse(columns.next(), "kid")?,
                    version: RecordVersion::new(parse(columns.next(), "version")?),
                },
                Some("key") => {
                    ChangeKind::Invalidation(Invalidation::Key(parse(columns.next(), "kid")?))
                }
                Some("tenant") => {
                    ChangeKind::Invalidation(Invalidation::Tenant(parse(columns.next(), "tenant")?))
                }
                Some("all") => ChangeKind::Invalidation(Invalidation::All),
                _ => return Err(StoreError::unreadable("kind")),
            };
            Ok(Change {
                seq: FeedSeq::new(number),
                kind,
            })
        });
        Ok(FeedPage {
            head: FeedSeq::new(database.head()),
            changes: changes.collect::<Result<_, StoreError>>()?,
        })
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        let mut database = self.database.lock().map_err(|_| poisoned())?;
        while let Some(line) = database.log.front() {
            let at: i64 = parse(line.split(' ').next(), "at")?;
            if UnixMillis::new(at) >= before {
                break;
            }
            database.log.pop_front();
            database.trimmed += 1;
        }
        database.readers.retain(|_, reader| reader.at >= before);
        Ok(())
    }

    async fn changed(&self, seq: FeedSeq) {
        let mut head = self.head.clone();
        if head.wait_for(|head| *head > seq.value()).await.is_err() {
            std::future::pending().await
        }
    }
}

/// Every column as text, one a line; hash and row MAC are bytes that the store does not look into.
fn encode(record: &KeyRecord) -> String {
    let date = |date: Option<UnixMillis>| date.map_or_else(String::new, |date| date.to_string());
    let (pepper, hash, row_mac) = match &record.state {
        RecordState::Revoked => Default::default(),
        RecordState::Active(verifier) => (
            verifier.pepper.to_string(),
            hex::encode(verifier.hash.as_bytes()),
            hex::encode(verifier.row_mac.as_bytes()),
        ),
    };
    [
        record.kid.to_string(),
        record.tenant.to_string(),
        record.tier.to_string(),
        record.scopes.to_string(),
        record.version.to_string(),
        date(record.not_before),
        date(record.expires_at),
        record.created_at.to_string(),
        date(record.last_used),
        pepper,
        hash,
        row_mac,
    ]
    .join("\n")
}

fn decode(row: &str) -> Result<KeyRecord, StoreError> {
    let mut columns = row.split('\n');
    let mut next = |column| columns.next().ok_or_else(|| StoreError::unreadable(column));
    let date = |text: &str, column| match text {
        "" => Ok(None),
        text => parse(Some(text), column).map(|date| Some(UnixMillis::new(date))),
    };
    Ok(KeyRecord {
        kid: parse(Some(next("kid")?), "kid")?,
        tenant: parse(Some(next("tenant")?), "tenant")?,
        tier: parse(Some(next("tier")?), "tier")?,
        scopes: parse(Some(next("scopes")?), "scopes")?,
        version: RecordVersion::new(parse(Some(next("version")?), "version")?),
        not_before: date(next("not_before")?, "not_before")?,
        expires_at: date(next("expires_at")?, "expires_at")?,
        created_at: UnixMillis::new(parse(Some(next("created_at")?), "created_at")?),
        last_used: date(next("last_used")?, "last_used")?,
        state: match next("pepper_version")? {
            "" => RecordState::Revoked,
            pepper => RecordState::Active(Verifier {
                pepper: PepperVersion::new(parse(Some(pepper), "pepper_version")?),
                hash: KeyHash::new(bytes(next("hash")?, "hash")?),
                row_mac: RowMac::new(bytes(next("row_mac")?, "row_mac")?),
            }),
        },
    })
}

fn parse<T: FromStr>(text: Option<&str>, column: &'static str) -> Result<T, StoreError> {
    let parsed = text.and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| StoreError::unreadable(column))
}

fn bytes(text: &str, column: &'static str) -> Result<[u8; 32], StoreError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| StoreError::unreadable(column))?;
    Ok(bytes)
}

fn poisoned() -> StoreError {
    StoreError::unavailable("another task panicked with the database open")
}

#[tokio::test]
async fn a_store_from_outside_keeps_the_contract_of_a_key_store() {
    conformance::key_store(async || open().0 as _).await;
}

#[tokio::test]
async fn a_feed_from_outside_keeps_the_contract_of_a_change_feed() {
    conformance::change_feed(async || {
        let (store, feed) = open();
        (store as _, feed as _)
    })
    .await;
}

#[tokio::test]
async fn two_caches_on_them_learn_of_each_others_revocations() {
    let (store, feed) = open();
    let cache = || {
        let secret = SecretBox::new(Box::new([7; 32]));
        let peppers = Peppers::new(VersionedSecrets::single(secret)).unwrap();
        let (store, feed) = (Arc::clone(&store), Arc::clone(&feed));
        ApiKeyCache::builder(store, feed, peppers).build()
    };
    let (server, admin) = (cache(), cache());
    let follow = tokio::spawn(server.follow());
    let new = NewKey::new("tenant-7".parse().unwrap(), Tier::FREE, "".parse().unwrap());
    let key = admin.issue(new).await.unwrap().into_key();
    let served = async {
        while server.stats().hits == 0 {
            server.validate(&key).await.unwrap();
            tokio::task::yield_now().await;
        }
        admin.revoke(key.kid()).await.unwrap();
        while server.validate(&key).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), served)
        .await
        .unwrap();
    assert_eq!(
        server.validate(&key).await.unwrap_err(),
        Denied::Unauthorized
    );
    assert!(server.stats().confirmed_for > Duration::ZERO);
    drop(server);
    follow.await.unwrap();
}

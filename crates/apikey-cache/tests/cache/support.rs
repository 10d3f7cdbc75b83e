//! A cache on a store that can be slowed down, cut off and counted.

use std::{
    collections::BTreeMap,
    future::{Future, pending},
    num::NonZeroU16,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::FutureExt;
use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, ApiKeyCacheBuilder, Issued, Kid, NewKey, PepperVersion, Peppers, TenantId,
    Tier,
    clock::FakeClock,
    feed::{Change, ChangeFeed, FeedId, FeedPage, FeedSeq, Invalidation, Reader, ReaderId},
    observer::{DenialReason, Event, Observer},
    secrets::{SecretVersion, VersionedSecrets},
    store::{
        KeyQuery, KeyRecord, KeyStore, MemoryKeyStore, PepperRows, RecordVersion, Revoked,
        StoreError, UnixMillis, Verifier,
    },
};
use secrecy::SecretBox;
use tokio::{sync::Semaphore, task::JoinHandle};

/// How long anything that has to happen may take, in real time.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// One process: a cache, its clock, its connection to the store, and its events.
pub(crate) struct Node {
    pub(crate) cache: ApiKeyCache,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: Arc<FlakyStore>,
    pub(crate) events: Arc<Recorder>,
    follower: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Node {
    /// A node alone, which has read the feed.
    pub(crate) fn new() -> Self {
        let mut node = Self::on(Arc::new(MemoryKeyStore::new()), |builder| builder);
        node.follow();
        node
    }

    /// A node alone, which has read the feed and waits long for a slow store.
    pub(crate) fn with_long_timeout() -> Self {
        let store = Arc::new(MemoryKeyStore::new());
        let mut node = Self::on(store, |builder| builder.store_timeout(DEADLINE));
        node.follow();
        node
    }

    /// A node on a store, which has not read the feed yet.
    pub(crate) fn on(
        store: Arc<MemoryKeyStore>,
        build: impl FnOnce(ApiKeyCacheBuilder) -> ApiKeyCacheBuilder,
    ) -> Self {
        Self::with_peppers(store, peppers(1, &[1]), build)
    }

    pub(crate) fn with_peppers(
        store: Arc<MemoryKeyStore>,
        peppers: Peppers,
        build: impl FnOnce(ApiKeyCacheBuilder) -> ApiKeyCacheBuilder,
    ) -> Self {
        let clock = Arc::new(FakeClock::default());
        let store = Arc::new(FlakyStore::on(store));
        let events = Arc::new(Recorder::default());
        let builder =
            ApiKeyCache::builder(Arc::clone(&store) as _, Arc::clone(&store) as _, peppers)
                .clock(Arc::clone(&clock) as _)
                .observer(Arc::clone(&events) as _);
        let cache = build(builder).build();
        let follower = Box::pin(cache.follow());
        Self {
            cache,
            clock,
            store,
            events,
            follower,
        }
    }

    /// Lets the follower read the feed once, if it is due.
    pub(crate) fn follow(&mut self) {
        assert_eq!(
            (&mut self.follower).now_or_never(),
            None,
            "the follower does not end"
        );
    }

    /// Lets time pass on all clocks, and the follower read when it is due.
    pub(crate) async fn pass(&mut self, time: Duration) {
        const STEP: Duration = Duration::from_millis(100);
        let mut left = time;
        while !left.is_zero() {
            let step = left.min(STEP);
            self.clock.advance(step);
            tokio::time::advance(step).await;
            self.follow();
            left -= step;
        }
    }

    /// Lets time pass on all clocks while the follower stands still.
    pub(crate) async fn pass_without_following(&self, time: Duration) {
        self.clock.advance(time);
        tokio::time::advance(time).await;
    }

    pub(crate) async fn issue(&self) -> Issued {
        self.cache.issue(new_key()).await.unwrap()
    }

    pub(crate) async fn accepts(&self, key: &ApiKey) -> bool {
        self.cache.validate(key).await.is_ok()
    }

    /// Why the key is denied.
    pub(crate) async fn denial(&self, key: &ApiKey) -> DenialReason {
        self.cache.validate(key).await.unwrap_err();
        self.events.last_denial().unwrap()
    }
}

pub(crate) fn new_key() -> NewKey {
    let scopes = "events:write leads:read".parse().unwrap();
    NewKey::new("tenant-7".parse().unwrap(), Tier::STANDARD, scopes)
}

/// Peppers of these versions, each of its version's number as every byte.
pub(crate) fn peppers(primary: u8, versions: &[u8]) -> Peppers {
    let secrets: Vec<_> = versions
        .iter()
        .map(|version| (*version, *version))
        .collect();
    peppers_of(primary, &secrets)
}

/// Peppers of these versions, each of one byte throughout.
pub(crate) fn peppers_of(primary: u8, secrets: &[(u8, u8)]) -> Peppers {
    let version = |number: u8| SecretVersion::try_from(u32::from(number)).unwrap();
    let secret = |(number, byte): &(u8, u8)| {
        let secret = SecretBox::new(Box::new([*byte; 32]));
        (version(*number), secret)
    };
    let secrets = VersionedSecrets::new(version(primary), secrets.iter().map(secret));
    Peppers::new(secrets.unwrap()).unwrap()
}

/// The same kid with another secret.
pub(crate) fn with_wrong_secret(issued: &Issued) -> ApiKey {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let text = issued.key().hazmat_expose();
    let content = &text[..text.len() - 6];
    let last = if content.ends_with('x') { 'y' } else { 'x' };
    let mut changed = format!("{}{last}", &content[..content.len() - 1]);
    let mut checksum = crc32fast::hash(changed.as_bytes()) as usize;
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[checksum % 62];
        checksum /= 62;
    }
    changed.push_str(str::from_utf8(&digits).unwrap());
    ApiKey::parse(&changed).unwrap()
}

/// Validates a key in a task of its own.
pub(crate) fn request(node: &Node, key: &ApiKey) -> JoinHandle<bool> {
    let cache = node.cache.clone();
    let key = ApiKey::parse(key.hazmat_expose()).unwrap();
    tokio::spawn(async move { cache.validate(&key).await.is_ok() })
}

/// Waits in real time until something is so.
pub(crate) async fn eventually(is_so: impl Fn() -> bool) {
    let polling = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, polling)
        .await
        .expect("it happens before the deadline");
}

/// Keeps events.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Vec<Event>>);

impl Recorder {
    pub(crate) fn count(&self, is_it: impl Fn(&Event) -> bool) -> usize {
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter(|event| is_it(event))
            .count()
    }

    fn last_denial(&self) -> Option<DenialReason> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Denied(reason) => Some(*reason),
                _ => None,
            })
    }
}

impl Observer for Recorder {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// A connection to a store and its feed, which may be slow or cut.
#[derive(Debug)]
pub(crate) struct FlakyStore {
    store: Mutex<Arc<MemoryKeyStore>>,
    state: Mutex<State>,
    /// While the connection is slow, as many loads answer as there are permits.
    answers: Semaphore,
    loads: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    rehashes: AtomicUsize,
    /// Whether no hash can be renewed, because somebody holds a lock.
    rehashes_wait: AtomicBool,
    /// How many dates of last use each call brought.
    uses: Mutex<Vec<usize>>,
    /// Whether the feed tells of changes at once.
    tells: AtomicBool,
    /// What becomes of notes of readers.
    notes: Mutex<Calls>,
    /// What becomes of the question which feed it is.
    ids: Mutex<Calls>,
    /// What becomes of readings of the feed.
    readings: Mutex<Calls>,
}

/// What becomes of calls of one kind while the connection is open.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Calls {
    #[default]
    Answered,
    Failing,
    /// They never get an answer.
    Silent,
    Slow(Duration),
}

impl Calls {
    async fn pass(this: &Mutex<Self>) -> Result<(), StoreError> {
        let this = *this.lock().unwrap();
        match this {
            Self::Answered => Ok(()),
            Self::Failing => Err(StoreError::Unavailable(None)),
            Self::Silent => pending().await,
            Self::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Open,
    /// Loads read at once, and wait with their answer.
    Slow,
    /// Loads fail, and nothing else.
    LoadsCut,
    /// Every call fails.
    Cut,
    /// No call ever answers.
    Silent,
}

impl FlakyStore {
    fn on(store: Arc<MemoryKeyStore>) -> Self {
        Self {
            store: Mutex::new(store),
            state: Mutex::new(State::Open),
            answers: Semaphore::new(0),
            loads: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            rehashes: AtomicUsize::new(0),
            rehashes_wait: AtomicBool::new(false),
            uses: Mutex::new(Vec::new()),
            tells: AtomicBool::new(false),
            notes: Mutex::default(),
            ids: Mutex::default(),
            readings: Mutex::default(),
        }
    }

    pub(crate) fn open(&self) {
        *self.state.lock().unwrap() = State::Open;
    }

    pub(crate) fn slow_down(&self) {
        *self.state.lock().unwrap() = State::Slow;
    }

    pub(crate) fn cut(&self) {
        *self.state.lock().unwrap() = State::Cut;
    }

    pub(crate) fn cut_loads(&self) {
        *self.state.lock().unwrap() = State::LoadsCut;
    }

    pub(crate) fn silence(&self) {
        *self.state.lock().unwrap() = State::Silent;
    }

    /// The store behind the connection.
    pub(crate) fn current(&self) -> Arc<MemoryKeyStore> {
        Arc::clone(&self.store.lock().unwrap())
    }

    /// From now on a connection to another store.
    pub(crate) fn switch_to(&self, store: Arc<MemoryKeyStore>) {
        *self.store.lock().unwrap() = store;
    }

    /// From now on the feed tells of changes at once.
    pub(crate) fn tell_at_once(&self) {
        self.tells.store(true, Ordering::SeqCst);
    }

    /// From now on this becomes of notes of readers.
    pub(crate) fn set_notes(&self, calls: Calls) {
        *self.notes.lock().unwrap() = calls;
    }

    /// From now on this becomes of the question which feed it is.
    pub(crate) fn set_ids(&self, calls: Calls) {
        *self.ids.lock().unwrap() = calls;
    }

    /// From now on this becomes of readings of the feed.
    pub(crate) fn set_readings(&self, calls: Calls) {
        *self.readings.lock().unwrap() = calls;
    }

    /// Lets so many slow loads answer.
    pub(crate) fn let_answer(&self, loads: usize) {
        self.answers.add_permits(loads);
    }

    /// Loads that have read the store.
    pub(crate) fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    /// Attempts to renew a hash.
    pub(crate) fn rehashes(&self) -> usize {
        self.rehashes.load(Ordering::SeqCst)
    }

    /// From now on attempts to renew a hash do not end, or they do.
    pub(crate) fn let_rehashes_wait(&self, wait: bool) {
        self.rehashes_wait.store(wait, Ordering::SeqCst);
    }

    /// How many dates of last use came at once, each time.
    pub(crate) fn uses(&self) -> Vec<usize> {
        self.uses.lock().unwrap().clone()
    }

    pub(crate) fn most_loads_at_once(&self) -> usize {
        self.most_in_flight.load(Ordering::SeqCst)
    }

    async fn connect(&self) -> Result<Arc<MemoryKeyStore>, StoreError> {
        let state = *self.state.lock().unwrap();
        match state {
            State::Open | State::Slow | State::LoadsCut => {
                Ok(Arc::clone(&self.store.lock().unwrap()))
            }
            State::Cut => Err(StoreError::Unavailable(None)),
            State::Silent => pending().await,
        }
    }
}

#[async_trait]
impl KeyStore for FlakyStore {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        let store = self.connect().await?;
        let state = *self.state.lock().unwrap();
        if state == State::LoadsCut {
            return Err(StoreError::Unavailable(None));
        }
        let slow = state == State::Slow;
        let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_in_flight.fetch_max(in_flight, Ordering::SeqCst);
        let record = store.load(kid).await;
        self.loads.fetch_add(1, Ordering::SeqCst);
        // Anything may happen before the answer arrives.
        tokio::task::yield_now().await;
        if slow {
            self.answers.acquire().await.unwrap().forget();
        }
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        record
    }

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        self.connect().await?.insert(record).await
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        self.connect().await?.revoke(kid, at).await
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        self.rehashes.fetch_add(1, Ordering::SeqCst);
        if self.rehashes_wait.load(Ordering::SeqCst) {
            return pending().await;
        }
        self.connect()
            .await?
            .rehash(kid, version, under, verifier)
            .await
    }

    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        self.connect().await?.rotate(old, new).await
    }

    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        self.connect().await?.recently_used(since, limit).await
    }

    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        self.connect().await?.rows_by_pepper(at).await
    }

    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        self.uses.lock().unwrap().push(uses.len());
        self.connect().await?.update_last_used(uses).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        self.connect().await?.list(query).await
    }

    async fn tenant_alike(&self, tenant: &TenantId) -> Result<Option<TenantId>, StoreError> {
        self.connect().await?.tenant_alike(tenant).await
    }
}

#[async_trait]
impl ChangeFeed for FlakyStore {
    async fn id(&self) -> Result<FeedId, StoreError> {
        Calls::pass(&self.ids).await?;
        self.connect().await?.id().await
    }

    async fn invalidate(&self, what: &Invalidation, at: UnixMillis) -> Result<Change, StoreError> {
        self.connect().await?.invalidate(what, at).await
    }

    async fn note_reader(&self, reader: &Reader) -> Result<(), StoreError> {
        let store = self.connect().await?;
        Calls::pass(&self.notes).await?;
        store.note_reader(reader).await
    }

    async fn readers(&self, since: UnixMillis) -> Result<Vec<Reader>, StoreError> {
        self.connect().await?.readers(since).await
    }

    async fn forget_reader(&self, reader: &ReaderId) -> Result<(), StoreError> {
        self.connect().await?.forget_reader(reader).await
    }

    async fn head(&self) -> Result<FeedSeq, StoreError> {
        self.connect().await?.head().await
    }

    async fn changes_after(&self, seq: FeedSeq, limit: NonZeroU16) -> Result<FeedPage, StoreError> {
        Calls::pass(&self.readings).await?;
        self.connect().await?.changes_after(seq, limit).await
    }

    async fn trim(&self, before: UnixMillis) -> Result<(), StoreError> {
        self.connect().await?.trim(before).await
    }

    async fn changed(&self, seq: FeedSeq) {
        if !self.tells.load(Ordering::SeqCst) {
            return pending().await;
        }
        let store = Arc::clone(&self.store.lock().unwrap());
        store.changed(seq).await;
    }
}

//! A cache on a store that can be slowed down, cut off and counted.

use std::future::Future;
use std::num::NonZeroU16;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, ApiKeyCacheBuilder, Event, FakeClock, Issued, KeyQuery, KeyRecord,
    KeyStore, Kid, MemoryKeyStore, NewKey, Observer, OutboxPage, OutboxSeq, PepperVersion, Peppers,
    RecordVersion, Refusal, Revoked, StoreError, Tier, UnixMillis, Verifier,
};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// How long anything that has to happen may take, in real time.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// One process: a cache, its clock, its way to the store, and what it said.
pub(crate) struct Node {
    pub(crate) cache: ApiKeyCache,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: Arc<Way>,
    pub(crate) events: Arc<Recorder>,
    follow: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Node {
    /// A node alone, which hears of revocations.
    pub(crate) fn new() -> Self {
        let mut node = Self::on(Arc::new(MemoryKeyStore::new()), |builder| builder);
        node.hear();
        node
    }

    /// A node alone, which hears of revocations and waits long for a slow store.
    pub(crate) fn patient() -> Self {
        let store = Arc::new(MemoryKeyStore::new());
        let mut node = Self::on(store, |builder| builder.store_timeout(DEADLINE));
        node.hear();
        node
    }

    /// A node on a store, which has heard nothing yet.
    pub(crate) fn on(
        store: Arc<dyn KeyStore>,
        build: impl FnOnce(ApiKeyCacheBuilder) -> ApiKeyCacheBuilder,
    ) -> Self {
        Self::with_peppers(store, peppers(1, &[1]), build)
    }

    pub(crate) fn with_peppers(
        store: Arc<dyn KeyStore>,
        peppers: Peppers,
        build: impl FnOnce(ApiKeyCacheBuilder) -> ApiKeyCacheBuilder,
    ) -> Self {
        let clock = Arc::new(FakeClock::default());
        let store = Arc::new(Way::to(store));
        let events = Arc::new(Recorder::default());
        let builder = ApiKeyCache::builder(Arc::clone(&store) as Arc<dyn KeyStore>, peppers)
            .clock(Arc::clone(&clock) as _)
            .observer(Arc::clone(&events) as _);
        let cache = build(builder).build();
        let follow = Box::pin(cache.follow());
        Self {
            cache,
            clock,
            store,
            events,
            follow,
        }
    }

    /// Lets the follower read the outbox once, if it is due.
    pub(crate) fn hear(&mut self) {
        assert_eq!(
            (&mut self.follow).now_or_never(),
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
            self.hear();
            left -= step;
        }
    }

    /// Lets time pass on all clocks while the follower stands still.
    pub(crate) async fn pass_unheard(&self, time: Duration) {
        self.clock.advance(time);
        tokio::time::advance(time).await;
    }

    pub(crate) async fn issue(&self) -> Issued {
        self.cache.issue(new_key()).await.unwrap()
    }

    pub(crate) async fn accepts(&self, key: &ApiKey) -> bool {
        self.cache.validate(key).await.is_ok()
    }

    /// Why the key is refused.
    pub(crate) async fn refusal(&self, key: &ApiKey) -> Refusal {
        self.cache.validate(key).await.unwrap_err();
        self.events.last_refusal().unwrap()
    }
}

pub(crate) fn new_key() -> NewKey {
    let scopes = "events:write leads:read".parse().unwrap();
    NewKey::new("tenant-7".parse().unwrap(), Tier::Standard, scopes)
}

pub(crate) fn peppers(primary: u16, versions: &[u16]) -> Peppers {
    let pepper = |version: &u16| {
        let [_, byte] = version.to_be_bytes();
        (PepperVersion::from(*version), Zeroizing::new([byte; 32]))
    };
    Peppers::new(primary.into(), versions.iter().map(pepper)).unwrap()
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

    fn last_refusal(&self) -> Option<Refusal> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Refused(refusal) => Some(*refusal),
                _ => None,
            })
    }
}

impl Observer for Recorder {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// The way to a store, which may be slow or cut.
#[derive(Debug)]
pub(crate) struct Way {
    store: Mutex<Arc<dyn KeyStore>>,
    state: Mutex<State>,
    /// Loads may bring their answer home: as many as there are permits while the way is slow.
    answers: Semaphore,
    loads: AtomicUsize,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
    rehashes: AtomicUsize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Open,
    /// Loads read at once, and wait with their answer.
    Slow,
    /// Every call fails.
    Cut,
    /// No call ever answers.
    Silent,
}

impl Way {
    fn to(store: Arc<dyn KeyStore>) -> Self {
        Self {
            store: Mutex::new(store),
            state: Mutex::new(State::Open),
            answers: Semaphore::new(0),
            loads: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
            rehashes: AtomicUsize::new(0),
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

    pub(crate) fn silence(&self) {
        *self.state.lock().unwrap() = State::Silent;
    }

    /// Leads to another store.
    pub(crate) fn lead_to(&self, store: Arc<dyn KeyStore>) {
        *self.store.lock().unwrap() = store;
    }

    /// Lets so many slow loads bring their answer home.
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

    pub(crate) fn most_loads_at_once(&self) -> usize {
        self.most_under_way.load(Ordering::SeqCst)
    }

    async fn travel(&self) -> Result<Arc<dyn KeyStore>, StoreError> {
        let state = *self.state.lock().unwrap();
        match state {
            State::Open | State::Slow => Ok(Arc::clone(&self.store.lock().unwrap())),
            State::Cut => Err(StoreError::Unavailable(None)),
            State::Silent => std::future::pending().await,
        }
    }
}

#[async_trait]
impl KeyStore for Way {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        let store = self.travel().await?;
        let slow = *self.state.lock().unwrap() == State::Slow;
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(under_way, Ordering::SeqCst);
        let record = store.load(kid).await;
        self.loads.fetch_add(1, Ordering::SeqCst);
        // On the way home anything may happen.
        tokio::task::yield_now().await;
        if slow {
            self.answers.acquire().await.unwrap().forget();
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        record
    }

    async fn insert(&self, record: &KeyRecord) -> Result<(), StoreError> {
        self.travel().await?.insert(record).await
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        self.travel().await?.revoke(kid, at).await
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        self.rehashes.fetch_add(1, Ordering::SeqCst);
        self.travel()
            .await?
            .rehash(kid, version, under, verifier)
            .await
    }

    async fn touch(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        self.travel().await?.touch(uses).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        self.travel().await?.list(query).await
    }

    async fn changes_after(
        &self,
        seq: OutboxSeq,
        limit: NonZeroU16,
    ) -> Result<OutboxPage, StoreError> {
        self.travel().await?.changes_after(seq, limit).await
    }
}

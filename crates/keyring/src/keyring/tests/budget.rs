//! How often a key-encryption key behind a network is asked.

use std::{sync::Mutex, time::SystemTime};

use tokio::time::{Instant, advance};

use super::{observer::Recorder, *};

/// The time of the runtime, which goes to the next timer as soon as everybody waits for one.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuntimeClock(Instant);

impl RuntimeClock {
    #[expect(clippy::disallowed_methods, reason = "time that a test has stopped")]
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RuntimeClock {
    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + 50 * 365 * 24 * HOUR + self.0.elapsed()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Takes some time for each call, and notes when it began.
#[derive(Debug)]
struct SlowKek {
    inner: MemoryKek,
    takes: Duration,
    clock: RuntimeClock,
    starts: Mutex<Vec<Duration>>,
}

impl SlowKek {
    fn new(takes: Duration, clock: RuntimeClock) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryKek::new().expect("a KEK"),
            takes,
            clock,
            starts: Mutex::default(),
        })
    }

    async fn enter(&self) {
        let now = self.clock.monotonic();
        self.starts.lock().expect("no panic").push(now);
        time::sleep(self.takes).await;
    }
}

#[async_trait]
impl KekProvider for SlowKek {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        self.enter().await;
        self.inner.generate(context).await
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.enter().await;
        self.inner.wrap(context, key).await
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        self.enter().await;
        self.inner.unwrap_key(context, key).await
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        self.enter().await;
        self.inner.rewrap(context, key).await
    }
}

fn on(kek: Arc<dyn KekProvider>, clock: RuntimeClock) -> KeyringBuilder {
    Keyring::builder(kek, Arc::new(MemoryDekStore::new())).clock(Arc::new(clock))
}

/// How many of that many tenants get their keys, when all come at once.
async fn first_requests(keyring: &Keyring, tenants: usize) -> usize {
    let names: Vec<_> = (0..tenants)
        .map(|at| tenant(&format!("tenant-{at}")))
        .collect();
    let purposes = [purpose("email")];
    let prepared = names.iter().map(|at| keyring.prepare(at, &purposes));
    let answers = join_all(prepared).await;
    answers.iter().filter(|answer| answer.is_ok()).count()
}

#[tokio::test(start_paused = true)]
async fn in_no_second_more_than_50_calls_begin() {
    let clock = RuntimeClock::new();
    let kek = SlowKek::new(Duration::from_millis(1), clock);
    let keyring = on(kek.clone(), clock).build();
    assert_eq!(first_requests(&keyring, 200).await, 200);

    let starts = kek.starts.lock().expect("no panic");
    assert_eq!(starts.len(), 200, "to make each");
    for (first, last) in starts.iter().zip(&starts[50..]) {
        assert!(*last - *first >= SECOND, "51 calls from {first:?} on");
    }
    // Nor fewer than it may: 50 at once, and 150 in the three seconds after.
    assert!(starts[199] < 4 * SECOND, "{:?}", starts[199]);
}

#[tokio::test(start_paused = true)]
async fn a_call_counts_for_a_whole_second() {
    let clock = RuntimeClock::new();
    let kek = SlowKek::new(Duration::ZERO, clock);
    let keyring = on(kek.clone(), clock).build();
    assert_eq!(first_requests(&keyring, 50).await, 50);
    advance(SECOND - Duration::from_millis(1)).await;
    let late = keyring.prepare(&tenant("late"), &[purpose("email")]).await;
    late.expect("it has waited for its turn");
    assert_eq!(clock.monotonic(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_number_of_calls_in_a_second_is_a_setting() {
    let clock = RuntimeClock::new();
    let kek = SlowKek::new(Duration::ZERO, clock);
    let five = NonZeroU32::new(5).expect("not zero");
    let keyring = on(kek.clone(), clock).calls_per_second(five).build();
    assert_eq!(first_requests(&keyring, 6).await, 6);
    let starts = kek.starts.lock().expect("no panic");
    assert_eq!(starts[5] - starts[0], SECOND);
}

#[tokio::test(start_paused = true)]
async fn who_waits_5_s_for_a_turn_is_told_why() {
    let clock = RuntimeClock::new();
    let kek = SlowKek::new(HOUR, clock);
    let recorder = Arc::new(Recorder::default());
    let keyring = on(kek.clone(), clock).observer(recorder.clone()).build();
    let busy = keyring.clone();
    let busy = tokio::spawn(async move { first_requests(&busy, 16).await });
    while kek.starts.lock().expect("no panic").len() < 16 {
        tokio::task::yield_now().await;
    }

    let before = clock.monotonic();
    let answer = keyring.prepare(&tenant("late"), &[purpose("email")]).await;
    let waited = clock.monotonic() - before;
    let Err(PrepareError::Kek(error @ KekError::Unavailable(_))) = answer else {
        panic!("{answer:?}")
    };
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source());
    let why = causes.last().expect("there is one").to_string();
    assert!(
        why.contains("16 at once, 50 a second") && why.contains("used up for 5 s"),
        "{why}"
    );
    assert!(waited >= 5 * SECOND && waited < 6 * SECOND, "{waited:?}");
    let told = recorder.names();
    let exhausted = told.iter().filter(|name| *name == "CallsExhausted").count();
    assert_eq!(exhausted, 1);

    // And afterwards all goes on.
    advance(HOUR).await;
    assert_eq!(busy.await.expect("no panic"), 16);
    assert!(
        keyring
            .prepare(&tenant("late"), &[purpose("email")])
            .await
            .is_ok()
    );
}

/// The last permit in time comes after 4.5 s, and the next start is that of the 6th second.
#[tokio::test(start_paused = true)]
async fn a_permit_and_a_start_are_waited_for_5_s_together() {
    let clock = RuntimeClock::new();
    let kek = SlowKek::new(Duration::from_millis(1500), clock);
    let one = NonZeroU32::new(1).expect("not zero");
    let three = NonZeroUsize::new(3).expect("not zero");
    let keyring = on(kek.clone(), clock)
        .calls_per_second(one)
        .max_calls(three)
        .build();
    let names: Vec<_> = (0..20).map(|at| tenant(&format!("tenant-{at}"))).collect();
    let purposes = [purpose("email")];
    let timed = names.iter().map(|at| async {
        let answer = keyring.prepare(at, &purposes).await;
        (answer.is_ok(), clock.monotonic())
    });
    for (is_ok, ended) in join_all(timed).await {
        let waited = if is_ok {
            ended - Duration::from_millis(1500)
        } else {
            ended
        };
        assert!(waited <= 5 * SECOND, "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_kek_in_memory_needs_no_budget() {
    let clock = RuntimeClock::new();
    let kek = MemoryKek::new().expect("a KEK");
    let keyring = on(Arc::new(kek), clock).build();
    assert_eq!(first_requests(&keyring, 1000).await, 1000);
    assert_eq!(clock.monotonic(), Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_1_000_first_requests_one_makes_the_key_of_each_purpose_and_none_unwraps_it() {
    let world = World::new();
    let keyring = world.keyring();
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let keyring = keyring.clone();
            tokio::spawn(async move {
                let purposes = ["email", "phone", "name"].map(purpose);
                keyring.prepare(&tenant("t"), &purposes).await.is_ok()
            })
        })
        .collect();
    for caller in callers {
        assert!(caller.await.expect("no panic"));
    }
    assert_eq!(world.kek.generates.load(Ordering::SeqCst), 3);
    assert_eq!(world.kek.unwraps(), 0);
}

#[tokio::test]
async fn all_who_wait_for_a_kek_that_fails_wait_for_one_call() {
    let world = World::new();
    world.keyring().primary("there", "email").await;
    let keyring = world.keyring();
    world.kek.set_unreachable(true);
    let before = (
        world.kek.generates.load(Ordering::SeqCst),
        world.kek.unwraps(),
    );
    for at in ["there", "new"] {
        let (at, purposes) = (tenant(at), [purpose("email")]);
        let prepared = (0..1000).map(|_| keyring.prepare(&at, &purposes));
        for answer in join_all(prepared).await {
            assert!(
                matches!(answer, Err(PrepareError::Kek(KekError::Unavailable(_)))),
                "{answer:?}"
            );
        }
    }
    let after = (
        world.kek.generates.load(Ordering::SeqCst),
        world.kek.unwraps(),
    );
    assert_eq!(after, (before.0 + 1, before.1 + 1));
}

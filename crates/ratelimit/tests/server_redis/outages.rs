//! Servers and networks that fail: no charge takes longer than its deadline, none is sent twice, and
//! everything works again by itself.

use std::{
    future::pending,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use portcullis_ratelimit::{
    Category, RateLimitRequest, Tier,
    clock::Timestamp,
    observer::{Event, Observer, RoundTripEnd},
    policy::{Limit, Policies, Policy, Rate, Rule},
    store::{Charge, ChargeOutcome, RedisStore, RedisStoreBuilder, Source, Store as _, StoreError},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};

use crate::{
    proxy::{Delivers, Proxy},
    servers::Server,
};

static TIER: Tier = Tier::STANDARD;
static CATEGORY: Category = Category::INGEST;

/// That of a store which is told no other.
const DEADLINE: Duration = Duration::from_millis(25);

/// Enough for a busy machine, where a test is not about time.
const AMPLE: Duration = Duration::from_secs(10);

const BURST: u32 = 1_000_000;

/// A burst that does not refill noticeably while a test runs.
fn policy() -> Policy {
    let rule = Rule::new(Limit::new(Rate::tokens_per_hour(1), BURST).unwrap());
    let policies = Policies::builder().category(TIER.clone(), CATEGORY.clone(), rule);
    let policies = policies.build().unwrap();
    policies.policy(&TIER, &CATEGORY).unwrap().as_ref().clone()
}

fn at(url: &str) -> RedisStoreBuilder {
    RedisStore::builder([url]).unwrap()
}

async fn take(store: &RedisStore, tokens: u32) -> Result<ChargeOutcome, StoreError> {
    let policy = policy();
    let request = RateLimitRequest::new("acme", &TIER, &CATEGORY).with_cost(tokens);
    store
        .charge(&Charge::for_request(
            &policy,
            &request,
            Timestamp::default(),
        ))
        .await
}

fn left(outcome: &ChargeOutcome) -> u32 {
    outcome.status(&policy(), 0).unwrap().remaining()
}

/// Takes a token, beside deadlines of the same length and more that nothing meets, so that what the machine is slow
/// at counts for them too, also when it stops between two of them.
async fn take_in_time(store: &RedisStore) -> Result<ChargeOutcome, StoreError> {
    let started = Instant::now();
    let charge = async {
        let outcome = take(store, 1).await;
        (outcome, started.elapsed())
    };
    let late = async |after| {
        drop(timeout(after, pending::<()>()).await);
        started.elapsed().saturating_sub(after)
    };
    let later = DEADLINE + Duration::from_millis(10);
    let ((outcome, elapsed), first, second) = tokio::join!(charge, late(DEADLINE), late(later));
    let late = first.max(second);
    assert!(elapsed <= 2 * DEADLINE + late, "{elapsed:?}, {late:?} late");
    outcome
}

/// Fails in time for `while_it_lasts`, at least ten times.
async fn fails_in_time(store: &RedisStore, while_it_lasts: Duration) {
    let started = Instant::now();
    let mut tries = 0;
    while tries < 10 || started.elapsed() < while_it_lasts {
        let failed = take_in_time(store).await;
        assert!(
            matches!(failed, Err(StoreError::Unavailable(_))),
            "{failed:?}"
        );
        // So that a store which fails at once is not asked without pause.
        tokio::time::sleep(Duration::from_millis(5)).await;
        tries += 1;
    }
}

async fn works_again(store: &RedisStore) -> ChargeOutcome {
    let started = Instant::now();
    loop {
        if let Ok(outcome) = take_in_time(store).await {
            return outcome;
        }
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "it never works again"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Asks for nothing until that is answered within a deadline that a busy machine may miss.
async fn answers(store: &RedisStore) {
    let answered = async { while take(store, 0).await.is_err() {} };
    let answered = timeout(Duration::from_secs(30), answered).await;
    answered.expect("it never answers");
}

#[derive(Debug, Default)]
struct Ends(Mutex<Vec<RoundTripEnd>>);

impl Observer for Ends {
    fn observe(&self, event: &Event<'_>) {
        if let Event::RoundTrip { end, .. } = event {
            self.0.lock().unwrap().push(*end);
        }
    }
}

#[tokio::test]
async fn a_paused_server_holds_nobody_longer_than_the_deadline() {
    let server = Server::redis();
    let store = at(&server.url()).build().unwrap();
    works_again(&store).await;
    // Nothing that a client says ends it: it has to be longer than what the machine makes of the tries.
    server.cli(&["client", "pause", "5000", "all"]);
    fails_in_time(&store, Duration::from_millis(600)).await;
    works_again(&store).await;
}

#[tokio::test]
async fn scripts_that_the_server_has_forgotten_are_sent_again_within_the_charge() {
    let server = Server::redis();
    let ends = Arc::new(Ends::default());
    let store = at(&server.url()).deadline(AMPLE).observer(ends.clone());
    let store = store.build().unwrap();
    for taken in 1..=5 {
        let outcome = take(&store, 1).await.unwrap();
        assert_eq!(left(&outcome), BURST - taken);
        assert_eq!(outcome.source(), Source::Redis);
        assert_eq!(server.cli(&["script", "flush"]), "OK");
    }
    assert_eq!(*ends.0.lock().unwrap(), [RoundTripEnd::Answered; 5]);
}

#[tokio::test]
async fn closed_connections_are_made_again() {
    let server = Server::redis();
    let store = at(&server.url()).build().unwrap();
    works_again(&store).await;
    for _ in 0..3 {
        let closed: u32 = server
            .cli(&["client", "kill", "type", "normal", "skipme", "yes"])
            .parse()
            .unwrap();
        assert!(closed > 0);
        works_again(&store).await;
    }
}

#[tokio::test]
async fn a_server_that_was_killed_fails_fast_and_works_once_it_is_back() {
    let mut server = Server::redis();
    let store = at(&server.url()).build().unwrap();
    works_again(&store).await;
    let direct = at(&server.url()).deadline(AMPLE).build().unwrap();
    take(&direct, BURST / 2).await.unwrap();
    server.kill();
    fails_in_time(&store, Duration::from_millis(400)).await;
    server.restart();
    // All is forgotten, the script too, but what a busy machine has tried since.
    assert!(left(&works_again(&store).await) > BURST / 2);
}

#[tokio::test]
async fn a_store_is_built_before_its_server_is_up() {
    let mut server = Server::redis();
    server.kill();
    let store = at(&server.url()).build().unwrap();
    fails_in_time(&store, Duration::from_millis(200)).await;
    assert!(store.ping().await.is_err());
    server.restart();
    works_again(&store).await;
}

#[tokio::test]
async fn a_network_that_delivers_nothing_holds_nobody_longer_than_the_deadline() {
    let server = Server::redis();
    let proxy = Proxy::before(server.port()).await;
    let store = at(&proxy.url()).build().unwrap();
    works_again(&store).await;
    proxy.delivers(Delivers::Nothing);
    // Long enough for the connection to be given up, and others not to come about.
    fails_in_time(&store, Duration::from_millis(1_500)).await;
    proxy.delivers(Delivers::Everything);
    works_again(&store).await;
}

#[tokio::test]
async fn a_connection_whose_peer_has_vanished_is_given_up() {
    let server = Server::redis();
    let proxy = Proxy::before(server.port()).await;
    let store = at(&proxy.url())
        .deadline(Duration::from_millis(500))
        .build()
        .unwrap();
    answers(&store).await;
    proxy.delivers(Delivers::AllButTheFirst(1));
    let started = Instant::now();
    assert!(take(&store, 1).await.is_err());
    while take(&store, 1).await.is_err() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "it never works again"
        );
    }
}

#[tokio::test]
async fn a_charge_whose_answer_was_lost_is_not_sent_again() {
    const CHARGES: u32 = 5;
    let server = Server::redis();
    let proxy = Proxy::before(server.port()).await;
    let ends = Arc::new(Ends::default());
    let store = at(&proxy.url())
        .deadline(Duration::from_secs(1))
        .observer(ends.clone());
    let store = store.build().unwrap();
    let direct = at(&server.url()).deadline(AMPLE).build().unwrap();
    answers(&store).await;
    let before = ends.0.lock().unwrap().len();
    proxy.delivers(Delivers::Commands);
    for _ in 0..CHARGES {
        let failed = take(&store, 1).await;
        assert!(
            matches!(failed, Err(StoreError::Unavailable(_))),
            "{failed:?}"
        );
    }
    proxy.delivers(Delivers::Everything);
    answers(&store).await;
    assert_eq!(left(&take(&direct, 0).await.unwrap()), BURST - CHARGES);
    let seen = ends.0.lock().unwrap().clone();
    let charges = &seen[before..][..CHARGES as usize];
    assert_eq!(charges, [RoundTripEnd::TimedOut; CHARGES as usize]);
}

#[tokio::test]
async fn more_than_may_wait_are_turned_away_at_once() {
    let server = Server::redis();
    let proxy = Proxy::before(server.port()).await;
    let ends = Arc::new(Ends::default());
    let store = at(&proxy.url()).deadline(AMPLE).observer(ends.clone());
    let store = store
        .most_in_flight(NonZeroUsize::MIN.saturating_add(1))
        .build()
        .unwrap();
    take(&store, 1).await.unwrap();
    proxy.delivers(Delivers::Nothing);
    let crowd = async {
        let started = Instant::now();
        let failed = take(&store, 1).await;
        assert!(matches!(failed, Err(StoreError::NotAsked(_))), "{failed:?}");
        assert!(started.elapsed() < Duration::from_secs(1));
        proxy.delivers(Delivers::Everything);
    };
    // Polled in this order.
    let (first, second, ()) = tokio::join!(take(&store, 1), take(&store, 1), crowd);
    first.and(second).unwrap();
    let seen = ends.0.lock().unwrap().clone();
    let (answered, crowded) = (RoundTripEnd::Answered, RoundTripEnd::Crowded);
    assert_eq!(seen, [answered, crowded, answered, answered]);
}

#[tokio::test]
async fn a_server_that_talks_something_else_is_malformed() {
    for reply in [
        "+OK\r\n",
        "*2\r\n:1\r\n:2\r\n",
        "*4\r\n:1\r\n:9\r\n:0\r\n:0\r\n",
        "$-1\r\n",
        "HTTP/1.1 400\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut bytes = vec![0; 65_536];
                    while let Ok(length @ 1..) = stream.read(&mut bytes).await {
                        let asked = String::from_utf8_lossy(&bytes[..length]).into_owned();
                        let greets = asked.matches("SETINFO").count();
                        let answer = if greets > 0 {
                            "+OK\r\n".repeat(greets)
                        } else {
                            reply.to_owned()
                        };
                        drop(stream.write_all(answer.as_bytes()).await);
                    }
                });
            }
        });
        let store = at(&url).deadline(AMPLE).build().unwrap();
        let failed = take(&store, 1).await;
        assert!(
            matches!(failed, Err(StoreError::Malformed(_))),
            "{reply:?}: {failed:?}"
        );
    }
}

#[tokio::test]
async fn a_store_outlives_the_runtime_that_it_connected_on() {
    let server = Server::redis();
    let store = Arc::new(at(&server.url()).deadline(AMPLE).build().unwrap());
    for _ in 0..3 {
        let store = store.clone();
        let on_a_runtime_of_its_own = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(answers(&store));
        };
        tokio::task::spawn_blocking(on_a_runtime_of_its_own)
            .await
            .unwrap();
    }
}

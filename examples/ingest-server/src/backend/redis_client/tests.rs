//! A failing Redis is told of once, and its round trips are spans.

use std::{
    fmt,
    io::Error as IoError,
    num::NonZeroUsize,
    sync::atomic::{AtomicBool, Ordering},
};

use portcullis_ratelimit::{
    Category, RateLimitRequest, RateLimiter, Tier,
    clock::{Clock, FakeClock},
    policy::{Limit, Policies, Rate, Rule},
    store::{MemoryStore, WhenFull},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

use super::*;

/// Fails while it is told to, after its deadline.
#[derive(Debug)]
struct Switched {
    memory: MemoryStore,
    fails: Arc<AtomicBool>,
    clock: Arc<FakeClock>,
}

const DEADLINE: Duration = Duration::from_millis(25);

impl Store for Switched {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        if self.fails.load(Ordering::Relaxed) {
            self.clock.advance(DEADLINE);
            let cause = IoError::other("READONLY");
            return ChargeFuture::ready(Err(StoreError::Unavailable(cause.into())));
        }
        self.memory.charge(charge)
    }
}

/// What this process told of spans, and of lines in the log.
#[derive(Clone, Debug, Default)]
struct Told {
    spans: Arc<Mutex<Vec<String>>>,
    lines: Arc<Mutex<Vec<String>>>,
}

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let cause = value.source().map(ToString::to_string);
        self.0.push_str(&format!("{field}={value} {cause:?} "));
    }
}

impl<S: Subscriber> Layer<S> for Told {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut text = String::new();
        span.record(&mut Text(&mut text));
        self.spans.lock().unwrap().push(text);
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut spans = self.spans.lock().unwrap();
        values.record(&mut Text(spans.last_mut().unwrap()));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = String::new();
        event.record(&mut Text(&mut text));
        self.lines.lock().unwrap().push(text);
    }
}

/// A limiter on such a store, its clock, and the switch.
fn limiter() -> (RateLimiter, Arc<FakeClock>, Arc<AtomicBool>) {
    let (clock, fails) = (Arc::new(FakeClock::new()), Arc::new(AtomicBool::new(false)));
    let capacity = NonZeroUsize::new(100).unwrap();
    let store = Switched {
        memory: MemoryStore::new(capacity, WhenFull::SharedOverflow),
        fails: Arc::clone(&fails),
        clock: Arc::clone(&clock),
    };
    let endpoint = Endpoint {
        host: "cache.example".to_owned(),
        port: 6379,
    };
    let rule = Rule::new(Limit::new(Rate::tokens_per_second(1_000), 1_000).unwrap());
    let policies =
        Policies::builder()
            .client_address(rule.clone())
            .category(Tier::FREE, Category::READ, rule);
    let limiter = RateLimiter::builder()
        .policies(policies.build().unwrap())
        .store(Arc::new(RedisClient::new(
            Arc::new(store),
            database(&endpoint, None),
        )))
        .clock(Arc::clone(&clock) as Arc<dyn Clock>);
    (limiter.build().unwrap(), clock, fails)
}

#[tokio::test]
async fn an_outage_is_one_line_with_its_cause_until_redis_was_well_for_a_while() {
    let told = Told::default();
    let subscriber = tracing_subscriber::registry().with(told.clone());
    let _active = tracing::subscriber::set_default(subscriber);
    let (limiter, clock, fails) = limiter();
    let check = async |seconds, failing| {
        clock.advance(Duration::from_secs(seconds));
        fails.store(failing, Ordering::Relaxed);
        let decision = limiter.check_address([192, 0, 2, 7].into()).await;
        assert_eq!(decision.is_err(), failing);
        told.lines.lock().unwrap().len()
    };
    assert_eq!(check(0, false).await, 0);
    for _ in 0..50 {
        assert_eq!(check(1, true).await, 1);
    }
    // An answer in between makes no new outage.
    assert_eq!(check(9, false).await, 1);
    assert_eq!(check(1, true).await, 1);
    assert_eq!(check(10, false).await, 1);
    assert_eq!(check(0, true).await, 2);
    let lines = told.lines.lock().unwrap().join("\n");
    assert!(lines.contains("READONLY"), "{lines}");
}

#[tokio::test]
async fn a_round_trip_is_a_client_span_that_names_the_server_and_no_key() {
    let told = Told::default();
    let subscriber = tracing_subscriber::registry().with(told.clone());
    let _active = tracing::subscriber::set_default(subscriber);
    let (limiter, _, fails) = limiter();
    limiter.check_address([192, 0, 2, 7].into()).await.unwrap();
    fails.store(true, Ordering::Relaxed);
    limiter
        .check_address([192, 0, 2, 7].into())
        .await
        .unwrap_err();
    let spans = told.spans.lock().unwrap().clone();
    let expected = "otel.name=\"EVALSHA\" otel.kind=\"client\" db.system.name=\"redis\" \
                    db.operation.name=\"EVALSHA\" server.address=\"cache.example\" server.port=6379 ";
    let failed = "error.type=\"unavailable\" otel.status_code=\"error\" ";
    assert_eq!(spans, [expected.to_owned(), format!("{expected}{failed}")]);
}

/// What a request with four charges waits, one that begins at any time after Redis fell silent or before.
#[tokio::test]
async fn no_request_waits_longer_than_twice_for_a_silent_redis() {
    for pause in [0, 1, 24, 26, 49, 51, 150, 400, 5_000].map(Duration::from_millis) {
        for silent_from in 0..5 {
            let (limiter, clock, fails) = limiter();
            for round in 0..20 {
                let began = clock.monotonic();
                let request = RateLimitRequest::new("acme", &Tier::FREE, &Category::READ);
                for charge in 0..4 {
                    if round > 0 || charge >= silent_from {
                        fails.store(true, Ordering::Relaxed);
                    }
                    if charge == 0 {
                        drop(limiter.check_address([192, 0, 2, 7].into()).await);
                    } else {
                        drop(limiter.check(&request).await);
                    }
                }
                let waited = clock.monotonic() - began;
                assert!(
                    waited <= 2 * DEADLINE,
                    "{waited:?} in round {round}, {pause:?} apart"
                );
                clock.advance(pause);
            }
        }
    }
}

#[tokio::test]
async fn the_first_to_ask_a_while_after_a_failure_finds_redis_well_again() {
    let (limiter, clock, fails) = limiter();
    let request = RateLimitRequest::new("acme", &Tier::FREE, &Category::READ);
    fails.store(true, Ordering::Relaxed);
    for _ in 0..4 {
        limiter.check(&request).await.unwrap_err();
    }
    fails.store(false, Ordering::Relaxed);
    limiter.check(&request).await.unwrap_err();
    clock.advance(Duration::from_millis(500));
    limiter.check(&request).await.unwrap();
    limiter.check(&request).await.unwrap();
}

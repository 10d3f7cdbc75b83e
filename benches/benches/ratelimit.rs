//! What a rate-limit check takes, beside the same check of `governor`: one limit and four, on one
//! thread and on two, of one hot tenant and of 100,000.

use std::{
    hint::black_box,
    net::{IpAddr, Ipv4Addr},
    num::{NonZeroU32, NonZeroUsize},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use governor::{Quota, clock::MonotonicClock, state::keyed::HashMapStateStore};
use portcullis_benches::{
    keys::Distribution,
    processor_time::{self, ProcessorTime},
    threads::on_threads,
};
use portcullis_ratelimit::{
    Category, RateLimitRequest, RateLimiter, Tier,
    policy::{Limit, Policies, PoliciesBuilder, Rate, Rule},
    store::{MemoryStore, WhenFull},
};

const TENANTS: usize = 100_000;
/// Above what one tenant is checked in a second, so that all are admitted.
const PER_SECOND: u32 = 100_000_000;
const DRAWS: usize = 1 << 20;

const TIER: Tier = Tier::STANDARD;
const CATEGORY: Category = Category::INGEST;

type Governor<S> = governor::RateLimiter<String, S, MonotonicClock>;
type Check<'a> = dyn Fn(&Sender) -> bool + Sync + 'a;

/// Who sends a request: what our limiter is given, and the name alone for its peer.
struct Sender {
    tenant: String,
    key: String,
    address: IpAddr,
}

impl Sender {
    fn request(&self) -> RateLimitRequest<'_> {
        RateLimitRequest::new(&self.tenant, &TIER, &CATEGORY)
    }
}

fn senders() -> Vec<Sender> {
    let sender = |number: usize| Sender {
        tenant: format!("tenant-{number:06}"),
        key: format!("key-{number:06}"),
        address: Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(number).expect("few")).into(),
    };
    (0..TENANTS).map(sender).collect()
}

/// A limiter with one limit for a tenant in a category, or with all four.
fn limiter(limits: usize) -> RateLimiter {
    let limit = Limit::new(Rate::tokens_per_second(PER_SECOND), PER_SECOND).expect("it fits");
    let rule = || Rule::new(limit);
    let mut policies = Policies::builder().category(TIER, CATEGORY, rule());
    if limits > 1 {
        policies = policies.tenant(TIER, rule());
        policies = policies.key(TIER, CATEGORY, rule());
        policies = policies.address(TIER, CATEGORY, rule());
    }
    limiter_of(policies, limits)
}

fn limiter_of(policies: PoliciesBuilder, limits: usize) -> RateLimiter {
    // Room to spare: tenants do not fall evenly on the shards.
    let capacity = NonZeroUsize::new(TENANTS * limits * 2).expect("above zero");
    let store = MemoryStore::new(capacity, WhenFull::SharedOverflow);
    RateLimiter::builder()
        .policies(policies.build().expect("the names are distinct"))
        .store(Arc::new(store))
        .build()
        .expect("policies and store are there")
}

fn is_admitted(limiter: &RateLimiter, request: &RateLimitRequest<'_>) -> bool {
    let check = pin!(limiter.check(request));
    match check.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(decision) => decision.expect("memory decides").is_admitted(),
        Poll::Pending => unreachable!("memory has nothing to wait for"),
    }
}

/// Both with one token a day, which has been taken: every check of the tenant is refused.
fn used_up(tenant: &str) -> (RateLimiter, Governor<HashMapStateStore<String>>) {
    let limit = Limit::new(Rate::tokens_per_day(1), 1).expect("it fits");
    let ours = limiter_of(
        Policies::builder().category(TIER, CATEGORY, Rule::new(limit)),
        1,
    );
    let quota = Quota::with_period(Duration::from_secs(86_400)).expect("above zero");
    let theirs = Governor::hashmap_with_clock(quota, MonotonicClock);
    let request = RateLimitRequest::new(tenant, &TIER, &CATEGORY);
    assert!(is_admitted(&ours, &request) && theirs.check_key(&tenant.to_owned()).is_ok());
    (ours, theirs)
}

/// What a flood of requests of one tenant takes that has nothing left.
fn refusals(criterion: &mut Criterion<ProcessorTime>) {
    let tenant = "tenant-000000".to_owned();
    let (ours, theirs) = used_up(&tenant);
    let request = RateLimitRequest::new(&tenant, &TIER, &CATEGORY);
    let mut group = criterion.benchmark_group("refusal");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one_limit", |bencher| {
        bencher.iter(|| assert!(!is_admitted(&ours, black_box(&request))));
    });
    group.bench_function("governor", |bencher| {
        bencher.iter(|| assert!(theirs.check_key(black_box(&tenant)).is_err()));
    });
}

fn quota() -> Quota {
    Quota::per_second(NonZeroU32::new(PER_SECOND).expect("above zero"))
}

fn checks(criterion: &mut Criterion<ProcessorTime>) {
    let senders = &senders();
    let orders = [Distribution::Hot, Distribution::Zipf, Distribution::Uniform]
        .map(|keys| (keys.name(), keys.draw(TENANTS, DRAWS)));
    let (one, four) = (limiter(1), limiter(4));
    let hash_map = Governor::hashmap_with_clock(quota(), MonotonicClock);
    let dash_map = Governor::dashmap_with_clock(quota(), MonotonicClock);

    let one_limit = |sender: &Sender| is_admitted(&one, &sender.request());
    let four_limits = |sender: &Sender| {
        let request = sender.request().with_key(&sender.key);
        is_admitted(&four, &request.with_address(sender.address))
    };
    let governor = |sender: &Sender| hash_map.check_key(&sender.tenant).is_ok();
    let governor_dash_map = |sender: &Sender| dash_map.check_key(&sender.tenant).is_ok();
    let checks: [(&str, &Check<'_>); 4] = [
        ("one_limit", &one_limit),
        ("four_limits", &four_limits),
        ("governor", &governor),
        ("governor_dash_map", &governor_dash_map),
    ];
    for (group, threads) in [("check_on_1_thread", 1), ("check_on_2_threads", 2)] {
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Elements(1));
        for (keys, order) in &orders {
            for (name, check) in checks {
                group.bench_function(BenchmarkId::new(name, keys), |bencher| {
                    on_threads(bencher, threads, |number| {
                        let mut drawn = order.iter().cycle().skip(number * DRAWS / threads);
                        move || {
                            let sender = drawn.next().map(|position| &senders[*position]);
                            assert!(sender.is_some_and(|sender| check(black_box(sender))));
                        }
                    });
                });
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = processor_time::criterion();
    targets = checks, refusals
}
criterion_main!(benches);

//! Two processes in front of one store that both ask: a lease for the hot tenant, refusals remembered for
//! the flood, and how seldom the store is asked.
//!
//! `cargo run -p portcullis-ratelimit --example before_a_shared_store`

use std::{
    error::Error,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use portcullis_ratelimit::{
    Category, RateLimitRequest, RateLimiter, Tier,
    clock::FakeClock,
    policy::{Limit, Policies, Rate, Rule},
    store::{Charge, ChargeFuture, DenialCache, LeaseStore, MemoryStore, Store, WhenFull},
};

/// In place of a server that takes a round trip to ask.
#[derive(Debug)]
struct Shared {
    buckets: MemoryStore,
    round_trips: AtomicU64,
}

impl Store for Shared {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        self.round_trips.fetch_add(1, Ordering::Relaxed);
        self.buckets.charge(charge)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let capacity = NonZeroUsize::new(10_000).ok_or("above zero")?;
    let shared = Arc::new(Shared {
        buckets: MemoryStore::new(capacity, WhenFull::SharedOverflow),
        round_trips: AtomicU64::new(0),
    });
    let clock = Arc::new(FakeClock::new());
    let (rate, burst) = (1_000, 2_000);
    let process = || -> Result<(RateLimiter, Arc<LeaseStore>), Box<dyn Error>> {
        let rule = Rule::new(Limit::new(Rate::tokens_per_second(rate), burst)?);
        let policies = Policies::builder().category(Tier::FREE, Category::READ, rule);
        let denials = Arc::new(DenialCache::new(shared.clone(), capacity));
        let leases = Arc::new(LeaseStore::builder(denials).build());
        let limiter = RateLimiter::builder()
            .policies(policies.build()?)
            .store(leases.clone())
            .clock(clock.clone())
            .build()?;
        Ok((limiter, leases))
    };
    let processes = [process()?, process()?];
    let request = RateLimitRequest::new("acme", &Tier::FREE, &Category::READ);

    // Below its rate: 800 a second, half of them at each process.
    for call in 0..4_000 {
        clock.advance(Duration::from_micros(1_250));
        let (limiter, _) = &processes[call % 2];
        assert!(limiter.check(&request).await?.is_admitted());
    }
    let asked = shared.round_trips.swap(0, Ordering::Relaxed);
    assert!(asked < 400, "{asked} round trips for 4,000 requests");

    // Far above it: 20,000 in half a second, and a bound that the leases widen by their lifetime.
    let mut admitted = 0;
    for call in 0..20_000 {
        clock.advance(Duration::from_micros(25));
        let (limiter, _) = &processes[call % 2];
        admitted += u32::from(limiter.check(&request).await?.is_admitted());
    }
    let asked = shared.round_trips.swap(0, Ordering::Relaxed);
    assert!(admitted <= burst + rate * 7 / 10, "{admitted} admitted");
    assert!(asked < 4_000, "{asked} round trips for 20,000 requests");
    let leases = processes[0].1.stats();
    assert!(leases.local > 1_500, "{leases:?}");
    Ok(())
}

//! Two nodes that lose the store they share: what they admit meanwhile, and how it is settled.
//!
//! `cargo run -p portcullis-ratelimit --example fallback_store`

use std::{
    error::Error,
    num::{NonZeroU32, NonZeroUsize},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis_ratelimit::{
    Category, RateLimitRequest, RateLimiter, Tier,
    clock::FakeClock,
    policy::{Limit, Policies, Rate, Rule},
    store::{
        Charge, ChargeFuture, FallbackStore, MemoryStore, NodeCount, Source, Store, StoreError,
        WhenFull,
    },
};

/// A store beyond a network, in place of a server.
#[derive(Debug)]
struct Remote {
    buckets: MemoryStore,
    is_reachable: AtomicBool,
}

impl Store for Remote {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        if self.is_reachable.load(Ordering::SeqCst) {
            self.buckets.charge(charge)
        } else {
            ChargeFuture::ready(Err(StoreError::Unavailable("no route to host".into())))
        }
    }
}

/// A process with a limiter, and its fallback to look at.
struct Node {
    limiter: RateLimiter,
    store: Arc<FallbackStore>,
}

impl Node {
    fn new(remote: &Arc<Remote>, clock: &Arc<FakeClock>) -> Result<Self, Box<dyn Error>> {
        let two = NonZeroU32::new(2).ok_or("above zero")?;
        let store = FallbackStore::builder(remote.clone()).nodes(NodeCount::fixed(two));
        let store = Arc::new(store.build());
        // A burst that does not come back while this runs.
        let limit = Rule::new(Limit::new(Rate::tokens_per_day(1), 100)?);
        let policies = Policies::builder().category(Tier::FREE, Category::INGEST, limit);
        let limiter = RateLimiter::builder()
            .policies(policies.build()?)
            .store(store.clone())
            .clock(clock.clone())
            .build()?;
        Ok(Self { limiter, store })
    }

    /// How many of a hundred requests are admitted, and who decided on the last.
    async fn send_hundred(&self) -> Result<(usize, Source), Box<dyn Error>> {
        let request = RateLimitRequest::new("acme", &Tier::FREE, &Category::INGEST);
        let (mut admitted, mut source) = (0, Source::Other);
        for _ in 0..100 {
            let decision = self.limiter.check(&request).await?;
            admitted += usize::from(decision.is_admitted());
            source = decision.source();
        }
        Ok((admitted, source))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let capacity = NonZeroUsize::new(1_000).ok_or("above zero")?;
    let remote = Arc::new(Remote {
        buckets: MemoryStore::new(capacity, WhenFull::SharedOverflow),
        is_reachable: AtomicBool::new(false),
    });
    let clock = Arc::new(FakeClock::new());
    let (one, other) = (Node::new(&remote, &clock)?, Node::new(&remote, &clock)?);

    // Half of the burst of 100, split among two nodes. After 20 calls the store is not asked.
    for node in [&one, &other] {
        assert_eq!(node.send_hundred().await?, (25, Source::Fallback));
        assert_eq!(node.store.stats().unsettled_tokens, 25);
        assert!(node.store.stats().open_since.is_some());
    }

    // It is back. After a second at most, a probe finds that out, and tells it what was admitted.
    clock.advance(Duration::from_secs(1));
    remote.is_reachable.store(true, Ordering::SeqCst);
    for node in [&one, &other] {
        let peek = RateLimitRequest::new("acme", &Tier::FREE, &Category::INGEST).with_cost(0);
        assert!(node.limiter.check(&peek).await?.is_admitted());
        assert_eq!(node.store.stats().settled_tokens, 25);
        assert!(node.store.stats().open_since.is_none());
    }
    let (admitted, source) = one.send_hundred().await?;
    assert_eq!((admitted, source), (50, Source::Memory));
    Ok(())
}

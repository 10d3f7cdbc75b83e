//! Five times as many keys as a store holds. On its own, so that nothing else counts as its memory.
#![cfg(target_os = "linux")]

#[path = "process/memory.rs"]
mod memory;

use std::{num::NonZeroUsize, sync::Arc};

use portcullis_ratelimit::{
    Category, RateLimitRequest, Tier,
    clock::Timestamp,
    policy::{Limit, Policies, Policy, Rate, Rule},
    store::{Answer, Charge, MemoryStore, Store, WhenFull},
};

use self::memory::resident_bytes;

const CAPACITY: usize = 1_000_000;
const KEYS: usize = 5_000_000;
/// As many as the store has for its buckets; each has one bucket to share.
const SHARDS: usize = 64;
const BURST: u32 = 5;
const HONEST: usize = 1_000;
const DAY: u64 = 86_400_000_000;

struct Flooded {
    store: MemoryStore,
    policy: Arc<Policy>,
    now: Timestamp,
}

impl Flooded {
    fn new() -> Self {
        let limit = Limit::new(Rate::tokens_per_day(1), BURST).expect("it fits");
        let rules = Policies::builder().category(Tier::FREE, Category::INGEST, Rule::new(limit));
        let policies = rules.build().expect("the names are distinct");
        Self {
            store: MemoryStore::new(
                NonZeroUsize::new(CAPACITY).expect("above zero"),
                WhenFull::SharedOverflow,
            ),
            policy: Arc::clone(
                policies
                    .policy(&Tier::FREE, &Category::INGEST)
                    .expect("it is there"),
            ),
            now: Timestamp::from_micros(DAY),
        }
    }

    async fn admits(&self, tenant: &str, cost: u32) -> bool {
        let request = RateLimitRequest::new(tenant, &Tier::FREE, &Category::INGEST).with_cost(cost);
        let charge = Charge::for_request(&self.policy, &request, self.now);
        self.store
            .charge(&charge)
            .await
            .expect("memory decides")
            .answer(0)
            == Answer::HasRoom
    }

    /// How many of these keys get a whole burst.
    async fn flood(&self, keys: std::ops::Range<usize>) -> usize {
        let mut admitted = 0;
        for key in keys {
            admitted += usize::from(self.admits(&flooding(key), BURST).await);
        }
        admitted
    }
}

fn flooding(key: usize) -> String {
    format!("a-key-of-the-flood-{key}")
}

fn honest(tenant: usize) -> String {
    format!("honest-{tenant}")
}

#[tokio::test]
async fn five_million_keys_leave_memory_flat_and_no_bound_exceeded_in_a_table_of_one_million() {
    let mut flooded = Flooded::new();
    for tenant in 0..HONEST {
        assert!(flooded.admits(&honest(tenant), 2).await);
    }
    // A tenth more than fit, since they do not fall evenly on the shards.
    let until_full = CAPACITY * 11 / 10;
    let mut admitted = flooded.flood(0..until_full).await;
    assert!(flooded.store.stats().entries >= CAPACITY, "it is full");

    let full = resident_bytes();
    admitted += flooded.flood(until_full..KEYS).await;
    let grown = resident_bytes().saturating_sub(full);
    assert!(grown <= 1 << 20, "{grown} bytes for 3.9 million keys more");

    // Each took the whole burst of a bucket, its own or one that is shared: all keys that shared one have
    // taken no more together than one of them may.
    let stats = flooded.store.stats();
    assert_eq!(admitted, stats.entries - HONEST);
    assert!(stats.entries <= CAPACITY + SHARDS, "{stats:?}");
    assert_eq!((stats.forgotten, stats.drained_reused), (0, 0));
    for key in (0..1_000).chain(KEYS - 1_000..KEYS) {
        assert!(!flooded.admits(&flooding(key), 1).await);
    }

    // A tenant that had a bucket before has all that was left in it.
    for tenant in 0..HONEST {
        assert!(flooded.admits(&honest(tenant), BURST - 2).await);
        assert!(!flooded.admits(&honest(tenant), 1).await);
    }
    // Once the flood has drained, a new tenant has a bucket of its own.
    flooded.now = Timestamp::from_micros(DAY * u64::from(1 + BURST));
    for tenant in HONEST..2 * HONEST {
        assert!(flooded.admits(&honest(tenant), BURST).await);
    }
    assert!(flooded.store.stats().drained_reused >= 1_000);
}

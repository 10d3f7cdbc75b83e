//! What a full store takes of this process's memory. On its own, so that nothing else counts.
#![cfg(target_os = "linux")]

#[path = "process/memory.rs"]
mod memory;

use std::num::NonZeroUsize;

use portcullis_ratelimit::{
    Category, RateLimitRequest, Tier,
    clock::Timestamp,
    policy::Policies,
    store::{Charge, MemoryStore, Store, WhenFull},
};

use self::memory::resident_bytes;

#[tokio::test]
async fn a_million_buckets_take_at_most_100_bytes_each() {
    const BUCKETS: usize = 1_000_000;
    let policies = Policies::tier_defaults();
    let policy = policies.policy(&Tier::FREE, &Category::INGEST).unwrap();
    let before = resident_bytes();
    let store = MemoryStore::new(NonZeroUsize::new(BUCKETS).unwrap(), WhenFull::EvictLeast);
    // More tenants than fit, since they do not fall evenly on the shards.
    for tenant in 0..BUCKETS * 11 / 10 {
        let tenant = format!("a-tenant-with-a-rather-long-name-{tenant}");
        let request = RateLimitRequest::new(&tenant, &Tier::FREE, &Category::INGEST);
        store
            .charge(&Charge::for_request(policy, &request, Timestamp::default()))
            .await
            .unwrap();
    }
    assert_eq!(store.stats().entries, BUCKETS);
    let bytes_each = (resident_bytes() - before) as f64 / BUCKETS as f64;
    assert!(
        (56.0..=100.0).contains(&bytes_each),
        "{bytes_each} bytes a bucket"
    );
}

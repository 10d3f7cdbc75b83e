//! A tenant that comes with ever new API keys and addresses, and what the others notice of it.

use std::{net::Ipv4Addr, num::NonZeroUsize, sync::Arc};

use portcullis_ratelimit::{
    Category, RateLimitRequest, Tier,
    clock::Timestamp,
    policy::{Limit, Policies, Policy, Rate, Rule},
    store::{Charge, ChargeOutcome, MemoryStore, Store, WhenFull},
};

const TENANTS: u32 = 1_000;
const CAPACITY: usize = 64 * OF_SHARD;
/// The buckets of one of the 64 shards, in which all of a tenant's lie.
const OF_SHARD: usize = 2_000;
/// What the limits have in common: nothing of them comes back during a test.
const BURSTS: [u32; 3] = [1_000_000, 9, 5];
const NOW: Timestamp = Timestamp::from_micros(86_400_000_000);

/// Limits of a tenant, of each of its keys, and of each address.
fn policy() -> Arc<Policy> {
    let [tenant, key, address] =
        BURSTS.map(|burst| Rule::new(Limit::new(Rate::tokens_per_day(1), burst).expect("it fits")));
    let rules = Policies::builder()
        .tenant(Tier::FREE, tenant)
        .key(Tier::FREE, Category::INGEST, key)
        .address(Tier::FREE, Category::INGEST, address);
    let policies = rules.build().expect("the names are distinct");
    Arc::clone(
        policies
            .policy(&Tier::FREE, &Category::INGEST)
            .expect("it is there"),
    )
}

fn store() -> MemoryStore {
    MemoryStore::new(
        NonZeroUsize::new(CAPACITY).expect("above zero"),
        WhenFull::SharedOverflow,
    )
}

/// A request of `tenant` with its key and from its address of this number.
async fn charge(
    store: &MemoryStore,
    policy: &Policy,
    tenant: &str,
    number: u32,
    cost: u32,
) -> ChargeOutcome {
    let key = format!("key-{number}");
    let address = Ipv4Addr::from_bits(0x0a00_0000 + number).into();
    let request = RateLimitRequest::new(tenant, &Tier::FREE, &Category::INGEST)
        .with_key(&key)
        .with_address(address)
        .with_cost(cost);
    let charge = Charge::for_request(policy, &request, NOW);
    store.charge(&charge).await.expect("memory decides")
}

fn tenant(number: u32) -> String {
    format!("tenant-{number}")
}

/// What is left in each bucket.
fn left(outcome: &ChargeOutcome, policy: &Policy) -> [Option<u32>; 3] {
    [0, 1, 2].map(|position| Some(outcome.status(policy, position)?.remaining()))
}

/// The flood takes a quarter of a shard's buckets, and each other tenant three.
#[tokio::test]
async fn a_flood_of_one_tenants_keys_changes_no_others_decisions_while_there_is_room() {
    let (flooded, calm, policy) = (store(), store(), policy());
    for number in 0..250 {
        charge(&flooded, &policy, "flooding", number, 1).await;
    }
    for cost in [3, 2, 0, 4, 1] {
        for number in 0..TENANTS {
            let name = tenant(number);
            let among_others = charge(&flooded, &policy, &name, 1, cost).await;
            let alone = charge(&calm, &policy, &name, 1, cost).await;
            assert_eq!(among_others, alone);
        }
    }
    assert_eq!(flooded.stats().overflowed, 0);
}

#[tokio::test]
async fn a_flood_of_one_tenants_keys_takes_one_shard_and_no_bucket_that_is_in_use() {
    let (flooded, calm, policy) = (store(), store(), policy());
    // Those who were there before.
    for number in 0..TENANTS {
        for store in [&flooded, &calm] {
            charge(store, &policy, &tenant(number), 1, 2).await;
        }
    }
    let before = flooded.stats().entries;
    let mut admitted = 0;
    for number in 0..100_000 {
        let outcome = charge(&flooded, &policy, "flooding", number, 5).await;
        admitted += usize::from(
            outcome
                .status(&policy, 2)
                .is_some_and(|it| !it.is_refusal()),
        );
    }
    let stats = flooded.stats();
    assert!(
        stats.entries - before <= OF_SHARD + policy.limits().len(),
        "{stats:?}"
    );
    assert!(
        admitted <= OF_SHARD,
        "a key and an address have a bucket each"
    );
    assert_eq!((stats.forgotten, stats.drained_reused), (0, 0));

    // A tenant keeps the buckets it has in use, also in the shard that is full.
    for cost in [3, 4, 0] {
        for number in 0..TENANTS {
            let name = tenant(number);
            let among_others = charge(&flooded, &policy, &name, 1, cost).await;
            assert_eq!(among_others, charge(&calm, &policy, &name, 1, cost).await);
        }
    }
    // A new tenant has its own in 63 of 64 shards. In the one that is full it shares what the
    // flood has left, which is less than its own, and never more.
    let mut hindered = 0;
    for number in TENANTS..2 * TENANTS {
        let name = tenant(number);
        let among_others = left(&charge(&flooded, &policy, &name, 1, 0).await, &policy);
        let alone = left(&charge(&calm, &policy, &name, 1, 0).await, &policy);
        assert!(among_others <= alone);
        hindered += usize::from(among_others != alone);
    }
    // About 16 of 1,000, by keys that nobody can choose: 50 in less than one of 10¹⁰ runs.
    assert!(hindered <= 50, "{hindered}");
}

//! Slots that move between the nodes of a cluster.

use std::time::Duration;

use portcullis_ratelimit::{
    Category, RateLimitRequest, Tier,
    clock::Timestamp,
    policy::{Limit, Policies, Policy, Rate, Rule},
    store::{Charge, RedisMode, RedisStore, Store as _},
};

use crate::servers::Server;

static TIER: Tier = Tier::STANDARD;
static CATEGORY: Category = Category::INGEST;

fn policy() -> Policy {
    let rule = || Rule::new(Limit::new(Rate::tokens_per_hour(1), 100).unwrap());
    let builder = Policies::builder()
        .category(TIER.clone(), CATEGORY.clone(), rule())
        .key(TIER.clone(), CATEGORY.clone(), rule());
    let policies = builder.build().unwrap();
    policies.policy(&TIER, &CATEGORY).unwrap().as_ref().clone()
}

async fn left(store: &RedisStore, policy: &Policy, key: &str) -> [u32; 2] {
    let request = RateLimitRequest::new("acme", &TIER, &CATEGORY).with_key(key);
    let charge = Charge::for_request(policy, &request, Timestamp::default());
    let outcome = store.charge(&charge).await.unwrap();
    [0, 1].map(|position| outcome.status(policy, position).unwrap().remaining())
}

#[tokio::test]
async fn charges_follow_a_slot_that_moves_and_lose_nothing() {
    let nodes = Server::cluster();
    let store = RedisStore::builder([nodes[0].url()]).unwrap();
    let store = store
        .mode(RedisMode::Cluster)
        .deadline(Duration::from_secs(10));
    let store = store.build().unwrap();
    let policy = policy();
    assert_eq!(left(&store, &policy, "k").await, [99, 99]);

    let category = "rl:{acme}:standard/ingest/category";
    let slot = nodes[0].cli(&["cluster", "keyslot", category]);
    let has_it = |node: &&Server| node.cli(&["cluster", "countkeysinslot", &slot]) == "2";
    let from = nodes.iter().find(has_it).unwrap();
    let to = nodes
        .iter()
        .find(|node| node.port() != from.port())
        .unwrap();
    let (from_id, to_id) = (from.cli(&["cluster", "myid"]), to.cli(&["cluster", "myid"]));
    to.cli(&["cluster", "setslot", &slot, "importing", &from_id]);
    from.cli(&["cluster", "setslot", &slot, "migrating", &to_id]);
    // Both keys are where they were.
    assert_eq!(left(&store, &policy, "k").await, [98, 98]);
    let port = to.port().to_string();
    let migrate = |key| from.cli(&["migrate", "127.0.0.1", &port, key, "0", "5000"]);
    migrate(category);
    // One has moved: until the other has, neither node decides.
    let (moving, _) = tokio::join!(left(&store, &policy, "k"), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        migrate("rl:{acme}:standard/ingest/key:k:k")
    });
    assert_eq!(moving, [97, 97]);
    // Both have: the first node says to ask the second, which takes it only from one who was told so.
    assert_eq!(left(&store, &policy, "k").await, [96, 96]);
    for node in [to, from] {
        node.cli(&["cluster", "setslot", &slot, "node", &to_id]);
    }
    // The slot has a new home.
    assert_eq!(left(&store, &policy, "k").await, [95, 95]);
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_is_taken_for_one_server_says_what_to_set() {
    let nodes = Server::cluster();
    let policy = policy();
    let mut messages = Vec::new();
    for node in &nodes {
        let store = RedisStore::builder([node.url()]).unwrap();
        let store = store.deadline(Duration::from_secs(10)).build().unwrap();
        let request = RateLimitRequest::new("acme", &TIER, &CATEGORY);
        let charge = Charge::for_request(&policy, &request, Timestamp::default());
        if let Err(error) = store.charge(&charge).await {
            messages.push(std::error::Error::source(&error).unwrap().to_string());
        }
    }
    let message = "the server is one of a cluster; set the mode of the store to cluster";
    assert_eq!(messages, [message; 2]);
}

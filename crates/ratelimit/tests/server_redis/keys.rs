//! Which keys there are on the server, and what is in them.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use portcullis_ratelimit::{
    Category, RateLimitRequest, Tier,
    clock::Timestamp,
    policy::{Limit, Policies, Policy, Rate, Rule},
    store::{Charge, NodeCount, RedisHeartbeat, RedisStore, Store as _, StoreError},
};

use crate::{
    group::Group,
    script::{CHARGE, Script},
    servers::Server,
};

static TIER: Tier = Tier::STANDARD;
static CATEGORY: Category = Category::INGEST;

/// So many limits of one request.
fn policy(limits: usize) -> Policy {
    let rule = || Rule::new(Limit::new(Rate::tokens_per_second(1), 9).unwrap());
    let (tier, category) = (|| TIER.clone(), || CATEGORY.clone());
    let mut builder = Policies::builder().category(tier(), category(), rule());
    if limits > 1 {
        builder = builder.tenant(tier(), rule());
    }
    if limits > 2 {
        builder = builder.key(tier(), category(), rule());
    }
    if limits > 3 {
        builder = builder.address(tier(), category(), rule());
    }
    let policies = builder.build().unwrap();
    policies.policy(&TIER, &CATEGORY).unwrap().as_ref().clone()
}

fn charge<'a>(policy: &'a Policy, tenant: &'a str) -> Charge<'a> {
    let request = RateLimitRequest::new(tenant, &TIER, &CATEGORY).with_key("k:1");
    let request = request.with_address([192, 0, 2, 7].into());
    Charge::for_request(policy, &request, Timestamp::default())
}

fn store(url: &str) -> RedisStore {
    let builder = RedisStore::builder([url]).unwrap();
    builder.deadline(Duration::from_secs(10)).build().unwrap()
}

#[test]
fn a_limit_is_one_key_and_what_is_asked_alike_is_sent_once() {
    let script = Script::new(CHARGE);
    for limits in 1..=4 {
        let policy = policy(limits);
        let mut group = Group::default();
        for charges in 1..=9 {
            group.add(&charge(&policy, &format!("t{charges}")), "rl");
            // Name, script and the number of keys come before them, and the plan between them.
            for command in [script.by_hash(), script.whole()] {
                let command = group.complete(command);
                assert_eq!(command.args_iter().count(), 3 + limits * charges + 1 + 1);
            }
        }
    }
}

#[tokio::test]
async fn keys_say_what_they_count_and_expire_by_themselves() {
    let server = Server::redis();
    let store = store(&server.url());
    store.charge(&charge(&policy(4), "acme {1}")).await.unwrap();
    let address = Policies::builder().client_address(Rule::new(
        Limit::new(Rate::tokens_per_second(1), 9).unwrap(),
    ));
    let address = address.build().unwrap();
    let v6 = "2001:db8::7".parse().unwrap();
    let of_address = Charge::for_address(address.client_address(), v6, Timestamp::default());
    store.charge(&of_address).await.unwrap();
    let keys = server.cli(&["keys", "*"]);
    let mut keys: Vec<&str> = keys.lines().collect();
    keys.sort_unstable();
    let expected = [
        "rl:{@2001:db8::}:client-address",
        "rl:{acme%20%7B1%7D}:standard/ingest/address:a:192.0.2.7",
        "rl:{acme%20%7B1%7D}:standard/ingest/category",
        "rl:{acme%20%7B1%7D}:standard/ingest/key:k:k%3A1",
        "rl:{acme%20%7B1%7D}:standard/tenant",
    ];
    assert_eq!(keys, expected);
    for key in keys {
        // A second until the token is back, and ten on top.
        let left: u64 = server.cli(&["pttl", key]).parse().unwrap();
        assert!((1..=11_000).contains(&left), "{key}: {left}");
    }
}

#[tokio::test]
async fn a_peek_and_a_refusal_leave_no_key() {
    let server = Server::redis();
    let store = store(&server.url());
    let policy = policy(4);
    for cost in [0, 10] {
        let charge = charge(&policy, "acme").with_amounts(0, cost);
        store.charge(&charge).await.unwrap();
        assert_eq!(server.cli(&["dbsize"]), "0");
    }
}

#[tokio::test]
async fn something_else_under_a_key_is_malformed_and_stays_and_nothing_is_charged() {
    let server = Server::redis();
    let store = store(&server.url());
    let policy = policy(2);
    let charge = charge(&policy, "acme");
    let key = "rl:{acme}:standard/ingest/category";
    let pack = "redis.call('set', KEYS[1], struct.pack('>dd', loadstring('return '..ARGV[1])()) .. ARGV[2])";
    let packed = |numbers, scale| vec!["eval", pack, "1", key, numbers, scale];
    for write in [
        vec!["lpush", key, "x"],
        vec!["set", key, ""],
        vec!["set", key, "1 2"],
        vec!["set", key, "0123456789abcdef1000000/1/1"],
        packed("-1, 2", "1000000/1/1"),
        packed("1, -2", "7/1/1"),
        packed("0.5, 2", "7/1/1"),
        packed("0/0, 2", "1000000/1/1"),
        packed("1, 0/0", "7/1/1"),
        packed("1, 2^53", "1000000/1/1"),
        packed("1, 2", "1000000/1/7"),
        packed("1, 2", "0/1/1"),
        packed("1, 2", "1000000/1/1 "),
    ] {
        server.cli(&["flushall"]);
        server.cli(&write);
        let before = server.cli(&["dump", key]);
        let failed = store.charge(&charge).await;
        assert!(
            matches!(failed, Err(StoreError::Malformed(_))),
            "{write:?}: {failed:?}"
        );
        assert_eq!(server.cli(&["dump", key]), before);
        assert_eq!(server.cli(&["dbsize"]), "1");
    }
    server.cli(&["del", key]);
    store.charge(&charge).await.unwrap();
}

#[tokio::test]
async fn a_user_who_may_do_nothing_else_is_enough() {
    let server = Server::redis();
    let commands = [
        "+evalsha", "+eval", "+time", "+mget", "+get", "+set", "+ping",
    ];
    let user = ["acl", "setuser", "limits", "on", ">a:b", "~rl:*", "-@all"];
    server.cli(&[user.as_slice(), &commands].concat());
    let store = store(&format!("redis://limits:a%3Ab@127.0.0.1:{}", server.port()));
    let policy = policy(4);
    for tenant in ["acme", "", "a{b}c", "*", "Ünïcode\n"] {
        for _ in 0..3 {
            store.charge(&charge(&policy, tenant)).await.unwrap();
        }
    }
    store.ping().await.unwrap();
    let commands = ["+zadd", "+zremrangebyscore", "+zcard", "+pexpire"];
    server.cli(&[&["acl", "setuser", "limits"], commands.as_slice()].concat());
    let nodes = NodeCount::starting_at(NonZeroU32::MIN);
    let heartbeat = RedisHeartbeat::new(Arc::new(store), nodes);
    assert_eq!(heartbeat.beat().await.unwrap().get(), 1);
}

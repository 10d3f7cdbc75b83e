//! Charges that are sent together, and are decided as if each were by itself.

use std::{num::NonZeroUsize, time::Duration};

use portcullis_ratelimit::{
    Category, RateLimitRequest, Tier,
    clock::Timestamp,
    policy::{Limit, Policies, Policy, Rate, Rule},
    store::{Answer, Charge, RedisStore, Store as _, StoreError},
};
use tokio::task::JoinSet;

use crate::{
    group::MOST_CHARGES,
    proxy::{Delivers, Proxy},
    servers::Server,
};

static TIER: Tier = Tier::STANDARD;
static CATEGORY: Category = Category::INGEST;
const BURST: u32 = 50;

fn policy() -> Policy {
    let rule = Rule::new(Limit::new(Rate::tokens_per_hour(1), BURST).unwrap());
    let policies = Policies::builder().category(TIER.clone(), CATEGORY.clone(), rule);
    let policies = policies.build().unwrap();
    policies.policy(&TIER, &CATEGORY).unwrap().as_ref().clone()
}

fn store(url: &str) -> &'static RedisStore {
    let builder = RedisStore::builder([url]).unwrap();
    let store = builder.deadline(Duration::from_secs(10)).build().unwrap();
    Box::leak(Box::new(store))
}

/// What one token of a tenant comes to, and how many are left.
async fn take(store: &RedisStore, tenant: &str) -> Result<(Answer, u32), StoreError> {
    let policy = policy();
    let request = RateLimitRequest::new(tenant, &TIER, &CATEGORY);
    let charge = Charge::for_request(&policy, &request, Timestamp::default());
    let outcome = store.charge(&charge).await?;
    let left = outcome.status(&policy, 0).unwrap().remaining();
    Ok((outcome.answer(0), left))
}

/// Of tenants who all ask in the same moment, in the order of their numbers.
async fn take_at_once(
    store: &'static RedisStore,
    tenants: impl IntoIterator<Item = &'static str>,
) -> Vec<Result<(Answer, u32), StoreError>> {
    let mut taking = JoinSet::new();
    for (number, tenant) in tenants.into_iter().enumerate() {
        taking.spawn(async move { (number, take(store, tenant).await) });
    }
    let mut taken = taking.join_all().await;
    taken.sort_by_key(|(number, _)| *number);
    taken.into_iter().map(|(_, taken)| taken).collect()
}

/// How often the script has been called.
fn calls(server: &Server) -> u64 {
    let stats = server.cli(&["info", "commandstats"]);
    let calls_of = |command: &str| {
        let line = stats.lines().find_map(|line| line.strip_prefix(command));
        let calls = line.and_then(|line| line.split_once(','));
        calls.map_or(0, |(calls, _)| calls.parse().unwrap())
    };
    calls_of("cmdstat_evalsha:calls=") + calls_of("cmdstat_eval:calls=")
}

#[tokio::test(flavor = "current_thread")]
async fn charges_of_one_moment_go_together_and_no_more_than_fit() {
    let server = Server::redis();
    let store = store(&server.url());
    take(store, "first").await.unwrap();
    for (charges, groups) in [
        (1, 1),
        (2, 1),
        (MOST_CHARGES, 1),
        (MOST_CHARGES + 1, 2),
        (3 * MOST_CHARGES, 3),
    ] {
        server.cli(&["config", "resetstat"]);
        let taken = take_at_once(store, vec!["acme"; charges]).await;
        assert!(taken.iter().all(Result::is_ok), "{taken:?}");
        assert_eq!(calls(&server), groups, "{charges}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn charges_of_one_bucket_are_decided_one_after_the_other() {
    let server = Server::redis();
    let store = store(&server.url());
    // Connected, and the script is known, so that groups come in their order.
    take(store, "first").await.unwrap();
    let tenants = ["acme", "other"].into_iter().cycle().take(4 * MOST_CHARGES);
    let taken = take_at_once(store, tenants).await;
    for (number, taken) in taken.into_iter().enumerate() {
        let before = u32::try_from(number / 2).unwrap();
        let expected = match BURST.checked_sub(before + 1) {
            Some(left) => (Answer::HasRoom, left),
            None => (Answer::Refuses, 0),
        };
        assert_eq!(taken.unwrap(), expected, "{number}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn something_else_under_a_key_fails_the_charges_that_have_it_and_no_others() {
    let server = Server::redis();
    let store = store(&server.url());
    take(store, "first").await.unwrap();
    let (list, text) = (
        "rl:{list}:standard/ingest/category",
        "rl:{text}:standard/ingest/category",
    );
    server.cli(&["lpush", list, "x"]);
    server.cli(&["set", text, "neither is this a bucket"]);
    server.cli(&["config", "resetstat"]);
    let taken = take_at_once(store, ["acme", "list", "acme", "text", "other", "list"]).await;
    assert_eq!(calls(&server), 1);
    let room: Vec<_> = taken
        .into_iter()
        .map(|taken| match taken {
            Ok((Answer::HasRoom, left)) => Some(left),
            Err(StoreError::Malformed(_)) => None,
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        Some(BURST - 1),
        None,
        Some(BURST - 2),
        None,
        Some(BURST - 1),
        None,
    ];
    assert_eq!(room, expected);
    assert_eq!(server.cli(&["lrange", list, "0", "-1"]), "x");
    assert_eq!(server.cli(&["get", text]), "neither is this a bucket");
}

#[tokio::test(flavor = "current_thread")]
async fn a_charge_that_is_dropped_leaves_the_others_of_its_group_their_answers() {
    let server = Server::redis();
    let store = store(&server.url());
    take(store, "first").await.unwrap();
    let dropped = tokio::spawn(take(store, "acme"));
    let kept = tokio::spawn(take(store, "acme"));
    // Both have been asked for, and neither was sent.
    tokio::task::yield_now().await;
    dropped.abort();
    let (_, left) = kept.await.unwrap().unwrap();
    assert!(dropped.await.unwrap_err().is_cancelled());
    // What was dropped was in the group, and may count.
    assert!((BURST - 2..BURST).contains(&left), "{left}");
}

#[tokio::test(flavor = "current_thread")]
async fn charges_that_nobody_waits_for_any_more_are_not_sent() {
    let server = Server::redis();
    let proxy = Proxy::before(server.port()).await;
    let builder = RedisStore::builder([proxy.url()]).unwrap();
    let builder = builder.most_in_flight(NonZeroUsize::new(1_024).unwrap());
    let store = builder.deadline(Duration::from_secs(1)).build().unwrap();
    let store: &'static RedisStore = Box::leak(Box::new(store));
    // A busy machine may miss the deadline.
    while take(store, "first").await.is_err() {}
    proxy.delivers(Delivers::Nothing);
    // Some calls are under way, and the others wait behind them until their deadline.
    let taken = take_at_once(store, vec!["acme"; 8 * MOST_CHARGES]).await;
    assert!(taken.iter().all(Result::is_err), "{taken:?}");
    proxy.delivers(Delivers::Everything);
    server.cli(&["del", "rl:{acme}:standard/ingest/category"]);
    let mut sent = 0;
    while sent == 0 {
        let taken = take(store, "later").await;
        sent = u32::from(taken.is_ok());
    }
    assert!(calls(&server) <= 8, "{}", calls(&server));
}

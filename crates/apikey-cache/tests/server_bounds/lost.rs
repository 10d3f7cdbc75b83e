//! Messages are lost, and those who tell them; Redis goes away.

use std::time::{Duration, Instant};

use portcullis_apikey_cache::Published;

use crate::{
    figures::{assert_row, reading},
    node::{Database, Node},
    prober::Prober,
    proxy::Delivery,
    redis::Redis,
};

/// How long a revocation takes at most beside its commit, however Redis is.
const TELLING: Duration = Duration::from_millis(200);

/// As after a failover of which the revoker has not learned: its server takes the message, and nobody listens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message() {
    let (old, redis) = (Redis::start().await, Redis::start().await);
    let database = Database::new();
    let (revoker, _old) = database.node_on(&old).await;
    let (node, _new) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    for kid in prober.kids() {
        let revocation = revoker.cache.revoke(kid).await.unwrap();
        assert_eq!(revocation.published(), Published::Yes);
    }
    let case = "a message lost";
    assert_row(case, &prober, &database.commits, || reading(&node)).await;
    assert_eq!(prober.others_failed(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_stream_had() {
    let redis = Redis::start().await;
    let database = Database::new();
    let (revoker, _near) = database.node_on(&redis).await;
    let (node, far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    let stream = redis.cli(&["KEYS", "portcullis:apikey:*:notices"]);
    let mut trimmed = 0;
    let kids: Vec<_> = prober.kids().collect();
    for some in kids.chunks(20) {
        far.delivers(Delivery::Never);
        for kid in some {
            revoker.cache.revoke(kid).await.unwrap();
        }
        let dropped = redis.cli(&["XTRIM", &stream, "MAXLEN", "0"]);
        trimmed += dropped.parse::<u32>().unwrap();
        far.delivers(Delivery::Prompt);
    }
    assert!(trimmed >= 200, "{trimmed}");
    let case = "the stream trimmed (XTRIM)";
    assert_row(case, &prober, &database.commits, || reading(&node)).await;
    assert_eq!(prober.others_failed(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_revoker_after_its_commit() {
    let redis = Redis::start().await;
    let database = Database::new();
    let (other, _near) = database.node_on(&redis).await;
    let (node, _far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &other).await;
    for kid in prober.kids() {
        // It ends when it has committed, and has told nobody.
        let revoker = database.command_line().await;
        revoker.revoke(kid).await.unwrap();
    }
    let case = "the revoker dead after its commit";
    assert_row(case, &prober, &database.commits, || reading(&node)).await;
    assert_eq!(prober.others_failed(), 0);
}

/// What others tell instead of the revoker is lost as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_revoker_and_the_message() {
    let (old, redis) = (Redis::start().await, Redis::start().await);
    let database = Database::new();
    let (other, _old) = database.node_on(&old).await;
    let (node, _new) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &other).await;
    let revoker = database.command_line().await;
    prober.revoke_all(&revoker).await;
    let case = "both";
    let bound = || Duration::from_secs(1);
    assert_row(case, &prober, &database.commits, bound).await;
    assert_eq!(prober.others_failed(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_followers_connection() {
    let redis = Redis::start().await;
    let database = Database::new();
    let (revoker, _near) = database.node_on(&redis).await;
    let (node, _far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    let killing = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            redis.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        }
    };
    tokio::select! {
        () = prober.revoke_all(&revoker.cache) => {}
        () = killing => {}
    }
    assert!(node.cache.stats().bus_failures > 0);
    let case = "connections killed (CLIENT KILL)";
    assert_row(case, &prober, &database.commits, || reading(&node)).await;
    assert_eq!(prober.others_failed(), 0);
    node.is_on_bus().await;
}

/// Revokes everything, which takes at least two seconds, and no revocation longer than its commit and a little.
async fn revoke_slowly(prober: &Prober, database: &Database, revoker: &Node) {
    let mut longest = Duration::ZERO;
    let mut pause = tokio::time::interval(Duration::from_millis(12));
    for kid in prober.kids() {
        pause.tick().await;
        revoker.cache.revoke(kid).await.unwrap();
        let returned = Instant::now();
        let committed = database.commits.lock().unwrap()[kid];
        longest = longest.max(returned.saturating_duration_since(committed));
    }
    assert!(
        longest <= TELLING,
        "a revocation took {longest:?} to return"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_and_started_empty() {
    let mut redis = Redis::start().await;
    let database = Database::new();
    let (revoker, _near) = database.node_on(&redis).await;
    let (node, _far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    let kill_and_restart = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        redis.kill();
        tokio::time::sleep(Duration::from_millis(800)).await;
        redis.restart().await;
    };
    let revoking = revoke_slowly(&prober, &database, &revoker);
    tokio::join!(revoking, kill_and_restart);
    let case = "Redis killed (-9) and started empty";
    assert_row(case, &prober, &database.commits, || reading(&node)).await;
    assert_eq!(prober.others_failed(), 0);
    node.is_on_bus().await;
    revoker.is_on_bus().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_without_a_word() {
    let redis = Redis::start().await;
    let database = Database::new();
    let (revoker, _near) = database.node_on(&redis).await;
    let (node, _far) = database.node_on(&redis).await;
    let prober = Prober::start(&node, &revoker).await;
    redis.stop();
    revoke_slowly(&prober, &database, &revoker).await;
    let case = "Redis stopped (SIGSTOP)";
    assert_row(case, &prober, &database.commits, || reading(&node)).await;
    assert_eq!(prober.others_failed(), 0);
    redis.go_on();
    node.is_on_bus().await;
    revoker.is_on_bus().await;
}

//! Processes that share a server know how many they are.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use portcullis_ratelimit::store::{NodeCount, RedisHeartbeat, RedisMode, RedisStore};

use crate::servers::Server;

fn heartbeat(server: &Server, mode: RedisMode) -> (RedisHeartbeat, NodeCount) {
    let store = RedisStore::builder([server.url()]).unwrap().mode(mode);
    let store = store.deadline(Duration::from_secs(10)).build().unwrap();
    let nodes = NodeCount::starting_at(NonZeroU32::new(7).unwrap());
    let heartbeat = RedisHeartbeat::new(Arc::new(store), nodes.clone());
    (heartbeat.every(Duration::from_millis(100)), nodes)
}

async fn comes_to(nodes: &NodeCount, expected: u32) {
    let comes = async {
        while nodes.current().get() != expected {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let came = tokio::time::timeout(Duration::from_secs(20), comes).await;
    assert!(came.is_ok(), "{nodes:?}, not {expected}");
}

#[tokio::test]
async fn processes_are_counted_until_they_have_been_silent_for_three_intervals() {
    let mut server = Server::redis();
    let (first, counted) = heartbeat(&server, RedisMode::Single);
    let (second, also_counted) = heartbeat(&server, RedisMode::Single);
    let first = tokio::spawn(first.run());
    comes_to(&counted, 1).await;
    let second = tokio::spawn(second.run());
    comes_to(&counted, 2).await;
    comes_to(&also_counted, 2).await;
    second.abort();
    comes_to(&counted, 1).await;
    // The last number holds while nobody can be asked.
    assert_eq!(also_counted.current().get(), 2);
    server.kill();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(counted.current().get(), 1);
    assert!(!first.is_finished());
}

#[tokio::test]
async fn the_set_of_processes_expires_with_the_last() {
    let server = Server::redis();
    let (heartbeat, _) = heartbeat(&server, RedisMode::Single);
    assert_eq!(heartbeat.beat().await.unwrap().get(), 1);
    assert_eq!(heartbeat.beat().await.unwrap().get(), 1);
    let left: u64 = server.cli(&["pttl", "rl:{@nodes}"]).parse().unwrap();
    assert!(left <= 300, "{left}");
}

#[tokio::test]
async fn processes_on_a_cluster_are_counted() {
    let nodes = Server::cluster();
    for (node, count) in nodes.iter().zip(1..) {
        let (heartbeat, counted) = heartbeat(node, RedisMode::Cluster);
        // Long enough for the three of them.
        let heartbeat = heartbeat.every(Duration::from_secs(10));
        assert_eq!(heartbeat.beat().await.unwrap().get(), count);
        assert_eq!(counted.current().get(), count);
    }
}

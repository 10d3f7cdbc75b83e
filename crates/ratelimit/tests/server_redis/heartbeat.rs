//! Processes that share a server know how many they are.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use portcullis_ratelimit::store::{
    NodeCount, RedisConfigError, RedisHeartbeat, RedisMode, RedisStore,
};

use crate::servers::Server;

fn heartbeat(server: &Server, mode: RedisMode) -> (RedisHeartbeat, NodeCount) {
    let (heartbeat, nodes) = slow_heartbeat(server, mode);
    let every = heartbeat.every(Duration::from_millis(100));
    (every.unwrap(), nodes)
}

/// Beats once in so long a time that no process is forgotten while a test runs.
fn slow_heartbeat(server: &Server, mode: RedisMode) -> (RedisHeartbeat, NodeCount) {
    let store = RedisStore::builder([server.url()]).unwrap().mode(mode);
    let store = store.deadline(Duration::from_secs(10)).build().unwrap();
    let nodes = NodeCount::starting_at(NonZeroU32::new(7).unwrap());
    let heartbeat = RedisHeartbeat::new(Arc::new(store), nodes.clone());
    (heartbeat.every(Duration::from_secs(60)).unwrap(), nodes)
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
    let (heartbeat, _) = slow_heartbeat(&server, RedisMode::Single);
    assert_eq!(heartbeat.beat().await.unwrap().get(), 1);
    assert_eq!(heartbeat.beat().await.unwrap().get(), 1);
    let left: i64 = server.cli(&["pttl", "rl:{@nodes}"]).parse().unwrap();
    assert!((1..=180_000).contains(&left), "{left}");
}

#[tokio::test]
async fn processes_on_a_cluster_are_counted() {
    let nodes = Server::cluster();
    for (node, count) in nodes.iter().zip(1..) {
        let (heartbeat, _) = slow_heartbeat(node, RedisMode::Cluster);
        assert_eq!(heartbeat.beat().await.unwrap().get(), count);
    }
}

/// Beats once the server is reached again.
async fn beats(heartbeat: &RedisHeartbeat) -> u32 {
    let beats = async {
        loop {
            if let Ok(count) = heartbeat.beat().await {
                return count.get();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let counted = tokio::time::timeout(Duration::from_secs(20), beats).await;
    counted.expect("the server is up")
}

#[tokio::test]
async fn a_server_that_has_lost_its_set_between_beats_makes_no_process_count_fewer() {
    let mut server = Server::redis();
    let four: Vec<_> = (0..4)
        .map(|_| slow_heartbeat(&server, RedisMode::Single))
        .collect();
    for _ in 0..5 {
        for (heartbeat, _) in &four {
            beats(heartbeat).await;
        }
    }
    let counted = || four.iter().map(|(_, nodes)| nodes.current().get());
    assert_eq!(counted().collect::<Vec<_>>(), [4; 4]);
    // Each of them is once the first to beat after a restart, and then the server is gone again.
    for (first, _) in &four {
        server.kill();
        assert!(first.beat().await.is_err());
        server.restart();
        assert_eq!(beats(first).await, 1, "the server has lost the others");
        assert_eq!(counted().collect::<Vec<_>>(), [4; 4]);
    }
    server.kill();
    for (heartbeat, _) in &four {
        assert!(heartbeat.beat().await.is_err());
    }
    assert_eq!(counted().collect::<Vec<_>>(), [4; 4]);
}

#[tokio::test]
async fn intervals_are_neither_too_short_nor_too_long_for_the_server() {
    let server = Server::redis();
    let (heartbeat, _) = slow_heartbeat(&server, RedisMode::Single);
    let longest = heartbeat.every(Duration::MAX).unwrap();
    assert_eq!(beats(&longest).await, 1);
    for too_short in [Duration::ZERO, Duration::from_micros(999)] {
        let (heartbeat, _) = slow_heartbeat(&server, RedisMode::Single);
        let refused = heartbeat.every(too_short);
        assert!(matches!(refused, Err(RedisConfigError::Interval)));
    }
}

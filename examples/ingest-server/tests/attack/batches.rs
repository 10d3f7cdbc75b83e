//! A free key sends as many events at once as a request may have.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    bystander,
    harness::page_view,
    target::{ADDRESSES, Target},
};

/// From each address, each with two requests a second.
const CONNECTIONS: usize = 8;
const BATCH: u64 = 1_000;
/// The free tier's: at once, and in a second.
const BURST: u64 = 20;
const RATE: u64 = 10;

#[tokio::test]
async fn batches_of_a_thousand() {
    let accepted = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&accepted);
    let began = Instant::now();
    bystander::is_left_alone(move |target| {
        let mut attack = JoinSet::new();
        for address in ADDRESSES {
            for number in 0..CONNECTIONS {
                let name = format!("{address}-{number}");
                attack.spawn(send(target.clone(), address, name, Arc::clone(&counted)));
            }
        }
        attack
    })
    .await;
    let accepted = accepted.load(Ordering::Relaxed);
    // One batch may be let in on credit.
    let allowed = BURST + RATE * (began.elapsed().as_secs() + 1) + BATCH;
    println!("{accepted} events of the free key were accepted, {allowed} are allowed");
    assert!(accepted <= allowed);
}

async fn send(target: Target, from: IpAddr, name: String, accepted: Arc<AtomicU64>) {
    let client = target.client(from);
    let events = (0..BATCH).map(|event| page_view(format!("{name}-{event}")));
    let body = events.collect::<Value>().to_string().into_bytes();
    let mut next = tokio::time::interval(Duration::from_millis(500));
    loop {
        next.tick().await;
        // Those of the same ids are duplicates, and accepted like others.
        if let Ok(answer) = target.post(&client, body.clone()).send().await
            && answer.status() == StatusCode::ACCEPTED
        {
            accepted.fetch_add(BATCH, Ordering::Relaxed);
        }
    }
}

//! Requests that never end, from two addresses: each has all of its body sent but the end.

use std::{net::IpAddr, time::Duration};

use tokio::{io::AsyncWriteExt as _, task::JoinSet};

use crate::{
    bystander,
    target::{ADDRESSES, Target},
};

/// More from each address than one client network may have.
const FROM_EACH: usize = 300;
/// What a body may have, and how much of it comes at once.
const LENGTH: usize = 1 << 20;
const AT_ONCE: usize = LENGTH / 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_from_two_addresses() {
    bystander::is_left_alone(|target| {
        let mut attack = JoinSet::new();
        for address in ADDRESSES {
            for _ in 0..FROM_EACH {
                attack.spawn(go_on_sending(target.clone(), address));
            }
        }
        attack
    })
    .await;
}

/// One such request after the other: a new one when the server has ended the last.
async fn go_on_sending(target: Target, from: IpAddr) {
    let beginning = [target.head(LENGTH).into_bytes(), vec![b' '; AT_ONCE]].concat();
    let mut next = tokio::time::interval(Duration::from_millis(250));
    loop {
        next.tick().await;
        let Some(mut stream) = target.connect(from).await else {
            continue;
        };
        if stream.write_all(&beginning).await.is_err() {
            continue;
        }
        while stream.write_all(b" ").await.is_ok() {
            next.tick().await;
        }
    }
}

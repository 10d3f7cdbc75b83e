//! Requests that never end, from two addresses, whose bodies come bit by bit.

use std::{net::IpAddr, time::Duration};

use tokio::{io::AsyncWriteExt as _, task::JoinSet};

use crate::{
    bystander,
    target::{ADDRESSES, Target},
};

/// More from each address than one client network may have.
const FROM_EACH: usize = 300;
/// What a body may have, and how much of it comes in a second: it would take longer than the attack.
const LENGTH: usize = 1 << 20;
const PIECE: usize = LENGTH / 16;

#[tokio::test]
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
    let head = target.head(LENGTH);
    let mut retry = tokio::time::interval(Duration::from_secs(1));
    loop {
        retry.tick().await;
        let Some(mut stream) = target.connect(from).await else {
            continue;
        };
        let mut sent = stream.write_all(head.as_bytes()).await;
        let mut next = tokio::time::interval(Duration::from_secs(1));
        while sent.is_ok() {
            next.tick().await;
            sent = stream.write_all(&[b' '; PIECE]).await;
        }
    }
}

//! Connections that are opened and not used.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use tokio::{io::AsyncReadExt as _, task::JoinSet};

use crate::{
    bystander,
    target::{ADDRESSES, Target},
};

/// From two addresses; together more than the listener has.
const FROM_EACH: usize = 600;
/// Addresses that together get more than the listener has, each no more than its share.
const MANY: u8 = 8;
const FROM_EACH_OF_MANY: usize = 200;

#[tokio::test]
async fn idle_connections_from_two_addresses() {
    bystander::is_left_alone(|target| hoard(target, ADDRESSES, FROM_EACH)).await;
}

#[tokio::test]
async fn idle_connections_from_many_addresses() {
    let addresses = (2..2 + MANY).map(|last| Ipv4Addr::new(127, 0, 0, last).into());
    bystander::is_left_alone(move |target| hoard(target, addresses.clone(), FROM_EACH_OF_MANY))
        .await;
}

fn hoard(
    target: &Target,
    addresses: impl IntoIterator<Item = IpAddr>,
    from_each: usize,
) -> JoinSet<()> {
    let mut attack = JoinSet::new();
    for address in addresses {
        for _ in 0..from_each {
            attack.spawn(hold_one(target.clone(), address));
        }
    }
    attack
}

/// A new one when the server has ended the last.
async fn hold_one(target: Target, from: IpAddr) {
    let mut next = tokio::time::interval(Duration::from_secs(1));
    loop {
        next.tick().await;
        if let Some(mut stream) = target.connect(from).await {
            // Nothing comes but the end.
            drop(stream.read_to_end(&mut Vec::new()).await);
        }
    }
}

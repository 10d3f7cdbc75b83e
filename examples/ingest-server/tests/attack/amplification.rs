//! Bodies of about a kilobyte that unpack to a megabyte, over many connections.

use std::{io::Write as _, net::IpAddr, time::Duration};

use flate2::{Compression, write::GzEncoder};
use tokio::task::JoinSet;

use crate::{
    bystander,
    target::{ADDRESSES, Target},
};

/// From each address, each with four requests a second.
const CONNECTIONS: usize = 32;
/// The largest body, unpacked.
const UNPACKED: usize = 1 << 20;

#[tokio::test]
async fn amplification_flood() {
    let packed = packed();
    assert!(packed.len() < 2_048, "{} bytes", packed.len());
    bystander::is_left_alone(move |target| {
        let mut attack = JoinSet::new();
        for address in ADDRESSES {
            for _ in 0..CONNECTIONS {
                attack.spawn(flood(target.clone(), address, packed.clone()));
            }
        }
        attack
    })
    .await;
}

async fn flood(target: Target, from: IpAddr, packed: Vec<u8>) {
    let client = target.client(from);
    let mut next = tokio::time::interval(Duration::from_millis(250));
    loop {
        next.tick().await;
        let request = target.post(&client, packed.clone());
        // Whatever it answers.
        drop(request.header("content-encoding", "gzip").send().await);
    }
}

/// An array of small values: what costs most to read.
fn packed() -> Vec<u8> {
    let mut text = vec![b'['];
    while text.len() < UNPACKED - 8 {
        text.extend_from_slice(b"{},");
    }
    text.extend_from_slice(b"{}]");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&text).unwrap();
    encoder.finish().unwrap()
}

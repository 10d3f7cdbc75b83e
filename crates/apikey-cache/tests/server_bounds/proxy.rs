//! A network between a node and its Redis, which can be slow, silent or gone.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Prompt,
    /// Each way takes so long.
    Late(Duration),
    /// Held back without a word, as by a lost route.
    Never,
    /// Connections end, and no others are made.
    Refused,
}

/// A proxy in front of a server.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    delivery: watch::Sender<Delivery>,
}

impl Proxy {
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let delivery = watch::Sender::new(Delivery::Prompt);
        let watched = delivery.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await;
                let refused = *watched.borrow() == Delivery::Refused;
                let (Ok(server), false) = (server, refused) else {
                    continue;
                };
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(deliver(from_client, to_server, watched.subscribe()));
                tokio::spawn(deliver(from_server, to_client, watched.subscribe()));
            }
        });
        Self { address, delivery }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn delivers(&self, delivery: Delivery) {
        self.delivery.send_replace(delivery);
    }
}

/// Ends with either end of the connection, or when it is refused.
async fn deliver(
    mut from: OwnedReadHalf,
    to: OwnedWriteHalf,
    mut delivery: watch::Receiver<Delivery>,
) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let writing = tokio::spawn(write(receiver, to, delivery.clone()));
    let mut bytes = vec![0; 65_536];
    loop {
        let read = tokio::select! {
            read = from.read(&mut bytes) => read,
            _ = delivery.wait_for(|delivery| *delivery == Delivery::Refused) => break,
        };
        let Ok(length @ 1..) = read else { break };
        let late = match *delivery.borrow() {
            Delivery::Late(late) => late,
            _ => Duration::ZERO,
        };
        if sender
            .send((Instant::now() + late, bytes[..length].to_vec()))
            .is_err()
        {
            break;
        }
    }
    if *delivery.borrow() == Delivery::Refused {
        writing.abort();
    }
}

async fn write(
    mut receiver: mpsc::UnboundedReceiver<(Instant, Vec<u8>)>,
    mut to: OwnedWriteHalf,
    mut delivery: watch::Receiver<Delivery>,
) {
    while let Some((due, bytes)) = receiver.recv().await {
        sleep_until(due).await;
        let passes = |delivery: &Delivery| *delivery != Delivery::Never;
        let has_ended = delivery.wait_for(passes).await.is_err();
        if has_ended || to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

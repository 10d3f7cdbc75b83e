//! A network between a store and its server that stops delivering without a word, as a lost route does.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivers {
    Everything,
    /// Commands get through, and their answers do not.
    Commands,
    Nothing,
    /// Nothing on the first connections, so many of them, ever again.
    AllButTheFirst(usize),
}

/// A proxy in front of a server.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    delivers: watch::Sender<Delivers>,
}

impl Proxy {
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let delivers = watch::Sender::new(Delivers::Everything);
        let watched = delivers.clone();
        tokio::spawn(async move {
            let mut number = 0;
            while let Ok((client, _)) = listener.accept().await {
                number += 1;
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let later = move |delivers: &Delivers| match delivers {
                    Delivers::AllButTheFirst(count) => number > *count,
                    delivers => *delivers == Delivers::Everything,
                };
                let commands =
                    move |delivers: &Delivers| *delivers == Delivers::Commands || later(delivers);
                tokio::spawn(deliver(
                    from_client,
                    to_server,
                    watched.subscribe(),
                    commands,
                ));
                tokio::spawn(deliver(from_server, to_client, watched.subscribe(), later));
            }
        });
        Self { address, delivers }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn delivers(&self, delivers: Delivers) {
        self.delivers.send_replace(delivers);
    }
}

/// Holds what it has read back as long as it is not to be delivered.
async fn deliver(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut delivers: watch::Receiver<Delivers>,
    passes: impl Fn(&Delivers) -> bool,
) {
    let mut bytes = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let may_pass = delivers.wait_for(&passes);
        let has_ended = may_pass.await.is_err();
        if has_ended || to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

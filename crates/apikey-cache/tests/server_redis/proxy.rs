//! A network before a server that can stop delivering without a word, as a lost route does.

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A proxy before a server.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    delivers: watch::Sender<bool>,
}

impl Proxy {
    pub(crate) async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let delivers = watch::Sender::new(true);
        let watched = delivers.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(deliver(from_client, to_server, watched.subscribe()));
                tokio::spawn(deliver(from_server, to_client, watched.subscribe()));
            }
        });
        Self { port, delivers }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn delivers(&self, delivers: bool) {
        self.delivers.send_replace(delivers);
    }
}

/// What has been read is held back as long as it is not to be delivered.
async fn deliver(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut delivers: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let has_ended = delivers.wait_for(|delivers| *delivers).await.is_err();
        if has_ended || to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

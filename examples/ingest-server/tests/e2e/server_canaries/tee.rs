//! A listener before a server, which passes everything on and keeps the bytes.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
};

/// Everything that was sent to the server behind it.
#[derive(Debug, Clone)]
pub(super) struct Tee {
    address: String,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Tee {
    /// Listens on a free port, as long as the runtime is there.
    pub(super) async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tee = Self {
            address: listener.local_addr().unwrap().to_string(),
            sent: Arc::default(),
        };
        let (server, sent) = (server.to_owned(), Arc::clone(&tee.sent));
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass_on(client, server, Arc::clone(&sent)));
            }
        });
        tee
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().clone()
    }
}

async fn pass_on(client: TcpStream, server: TcpStream, sent: Arc<Mutex<Vec<u8>>>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let forwards = async move {
        let mut buffer = vec![0; 16 << 10];
        // Either of the two may end the connection at any time.
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            sent.lock().unwrap().extend_from_slice(&buffer[..read]);
            if to_server.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    };
    let backwards = async move { drop(copy(&mut from_server, &mut to_client).await) };
    tokio::join!(forwards, backwards);
}

//! Frames to a receiver over TLS.

use std::{io, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use portcullis_audit_log::sink::{AddressPolicy, LineWriter, TransportError};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Mutex,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::resolve::resolve;

/// Writes to one connection for as long as it lasts, and begins another after every error.
pub(super) struct TlsLines {
    host: String,
    port: u16,
    name: ServerName<'static>,
    addresses: AddressPolicy,
    connector: TlsConnector,
    /// None while it is written to: who is dropped meanwhile leaves none behind.
    connection: Mutex<Option<TlsStream<TcpStream>>>,
}

impl TlsLines {
    /// To this port of a host that may be at these addresses, and has a certificate of this name.
    pub(super) fn new(
        host: &str,
        port: u16,
        name: ServerName<'static>,
        addresses: AddressPolicy,
        tls: ClientConfig,
    ) -> Self {
        Self {
            host: host.to_owned(),
            port,
            name,
            addresses,
            connector: TlsConnector::from(Arc::new(tls)),
            connection: Mutex::new(None),
        }
    }

    async fn connect(&self) -> Result<TlsStream<TcpStream>, TransportError> {
        let addresses = resolve(&self.host, self.port, &self.addresses).await?;
        let stream = TcpStream::connect(&*addresses).await;
        let stream = stream.map_err(TransportError::unreachable)?;
        let stream = self.connector.connect(self.name.clone(), stream).await;
        stream.map_err(TransportError::unreachable)
    }
}

#[async_trait]
impl LineWriter for TlsLines {
    async fn write(&self, lines: Bytes) -> Result<(), TransportError> {
        let mut connection = self.connection.lock().await;
        let kept = connection.take().and_then(open);
        let mut stream = match kept {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        let written = write(&mut stream, &lines).await;
        written.map_err(TransportError::unreachable)?;
        *connection = Some(stream);
        Ok(())
    }
}

async fn write(stream: &mut TlsStream<TcpStream>, lines: &[u8]) -> io::Result<()> {
    stream.write_all(lines).await?;
    stream.flush().await
}

/// A connection, unless its receiver has ended it: what is written then is lost, and nobody is told.
fn open(mut stream: TlsStream<TcpStream>) -> Option<TlsStream<TcpStream>> {
    let mut answer = [0];
    let ended = match stream.read(&mut answer).now_or_never() {
        // Receivers of syslog say nothing. What one says all the same is of no account.
        None | Some(Ok(1..)) => false,
        Some(Ok(0) | Err(_)) => true,
    };
    (!ended).then_some(stream)
}

impl std::fmt::Debug for TlsLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsLines")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

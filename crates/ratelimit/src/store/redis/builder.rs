//! How a store on Redis servers is configured.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use super::{RedisStore, connection::Client, error::RedisConfigError};
use crate::observer::Observer;

const DEADLINE: Duration = Duration::from_millis(25);
const MOST_IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(1_024).expect("above zero");
const KEY_PREFIX: &str = "rl";

/// A peer that has vanished without a word is noticed by the system after this, whatever is asked.
const PEER_TIMEOUT: Duration = Duration::from_secs(2);

/// What kind of servers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisMode {
    /// One server, or a name that leads to the one that takes writes.
    #[default]
    Single,
    /// A cluster, of which some nodes are given and the others found.
    #[cfg(feature = "redis-cluster")]
    Cluster,
}

/// Settings of a [`RedisStore`].
#[must_use]
pub struct RedisStoreBuilder {
    servers: Vec<ConnectionInfo>,
    mode: RedisMode,
    pub(super) deadline: Duration,
    pub(super) most_in_flight: NonZeroUsize,
    pub(super) key_prefix: String,
    pub(super) observer: Option<Arc<dyn Observer>>,
    #[cfg(feature = "redis-tls")]
    root_certificates: Option<Vec<u8>>,
}

impl RedisStoreBuilder {
    pub(super) fn new<U: AsRef<str>>(
        urls: impl IntoIterator<Item = U>,
    ) -> Result<Self, RedisConfigError> {
        let servers: Vec<ConnectionInfo> = urls
            .into_iter()
            .enumerate()
            .map(|(index, url)| parse(url.as_ref(), index + 1))
            .collect::<Result<_, _>>()?;
        if servers.is_empty() {
            return Err(RedisConfigError::NoUrl);
        }
        Ok(Self {
            servers,
            mode: RedisMode::Single,
            deadline: DEADLINE,
            most_in_flight: MOST_IN_FLIGHT,
            key_prefix: KEY_PREFIX.to_owned(),
            observer: None,
            #[cfg(feature = "redis-tls")]
            root_certificates: None,
        })
    }

    /// What kind of servers there are; default: one.
    pub fn mode(self, mode: RedisMode) -> Self {
        Self { mode, ..self }
    }

    /// How long one charge may take altogether; default: 25 ms.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// How many charges may wait for an answer at once; default: 1,024. Others fail without waiting.
    pub fn most_in_flight(self, most_in_flight: NonZeroUsize) -> Self {
        Self {
            most_in_flight,
            ..self
        }
    }

    /// What the names of all keys begin with; default: `rl`. Services that share a server and not their
    /// limits have different ones.
    pub fn key_prefix(self, prefix: impl Into<String>) -> Self {
        Self {
            key_prefix: prefix.into(),
            ..self
        }
    }

    /// Where each round trip is reported; default: nowhere.
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// The certificates, in PEM, of the authorities that are trusted to have signed those of the servers;
    /// default: those that the system trusts, or those in the file that `SSL_CERT_FILE` names.
    #[cfg(feature = "redis-tls")]
    pub fn root_certificates(self, pem: impl Into<Vec<u8>>) -> Self {
        Self {
            root_certificates: Some(pem.into()),
            ..self
        }
    }

    /// The store. It connects when it is first asked, so the servers need not be up yet.
    ///
    /// # Errors
    /// The settings do not fit together, or the process has no rustls provider and is to connect encrypted.
    pub fn build(self) -> Result<RedisStore, RedisConfigError> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.key_prefix.is_empty() || !self.key_prefix.bytes().all(is_name) {
            return Err(RedisConfigError::KeyPrefix);
        }
        let client = self.client()?;
        Ok(RedisStore::with_client(self, client))
    }

    fn client(&self) -> Result<Client, RedisConfigError> {
        #[cfg(feature = "redis-tls")]
        if self.servers.iter().any(is_encrypted)
            && rustls::crypto::CryptoProvider::get_default().is_none()
        {
            return Err(RedisConfigError::NoCryptoProvider);
        }
        match self.mode {
            RedisMode::Single => self.single(),
            #[cfg(feature = "redis-cluster")]
            RedisMode::Cluster => self.cluster(),
        }
    }

    fn single(&self) -> Result<Client, RedisConfigError> {
        let [server] = &*self.servers else {
            return Err(RedisConfigError::SeveralServers);
        };
        #[cfg(feature = "redis-tls")]
        if let Some(certificates) = self.certificates()
            && is_encrypted(server)
        {
            let client = redis::Client::build_with_tls(server.clone(), certificates);
            let client = client.map_err(|_| RedisConfigError::Certificates)?;
            return Ok(Client::Single(Box::new(client)));
        }
        let client = redis::Client::open(server.clone());
        client
            .map(|client| Client::Single(Box::new(client)))
            .map_err(|_| RedisConfigError::Url { number: 1 })
    }

    #[cfg(feature = "redis-cluster")]
    fn cluster(&self) -> Result<Client, RedisConfigError> {
        let mut builder = redis::cluster::ClusterClient::builder(self.servers.iter().cloned())
            // What a lost connection leaves undecided must not be sent again.
            .retries(0)
            .tcp_settings(tcp_settings());
        #[cfg(feature = "redis-tls")]
        if let Some(certificates) = self.certificates()
            && self.servers.iter().any(is_encrypted)
        {
            builder = builder.certs(certificates);
        }
        builder = builder
            .connection_timeout(super::link::CONNECT_TIMEOUT)
            .response_timeout(super::link::CONNECT_TIMEOUT);
        let client = builder.build();
        client
            .map(|client| Client::Cluster(Box::new(client)))
            .map_err(|_| RedisConfigError::UnlikeServers)
    }

    #[cfg(feature = "redis-tls")]
    fn certificates(&self) -> Option<redis::TlsCertificates> {
        let root_cert = Some(self.root_certificates.clone()?);
        Some(redis::TlsCertificates {
            client_tls: None,
            root_cert,
        })
    }
}

fn parse(url: &str, number: usize) -> Result<ConnectionInfo, RedisConfigError> {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let asks_for_tls = ["rediss", "valkeys"]
        .iter()
        .any(|encrypted| scheme.eq_ignore_ascii_case(encrypted));
    if asks_for_tls && cfg!(not(feature = "redis-tls")) {
        return Err(RedisConfigError::NoTls { number });
    }
    // The client's error might repeat the URL, and with it a password.
    let server = url.into_connection_info();
    let server = server.map_err(|_| RedisConfigError::Url { number })?;
    if matches!(server.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        return Err(RedisConfigError::Insecure { number });
    }
    Ok(server.set_tcp_settings(tcp_settings()))
}

#[cfg(feature = "redis-tls")]
fn is_encrypted(server: &ConnectionInfo) -> bool {
    matches!(server.addr(), ConnectionAddr::TcpTls { .. })
}

fn tcp_settings() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(PEER_TIMEOUT)
        .with_interval(PEER_TIMEOUT);
    let settings = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(PEER_TIMEOUT);
    settings
}

#[cfg(test)]
mod tests;

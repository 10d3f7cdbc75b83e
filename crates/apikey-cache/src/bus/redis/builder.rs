//! How a bus on Redis servers is configured.

use std::{fmt, sync::Arc, time::Duration};

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, io::tcp::TcpSettings};

use super::{RedisBus, config_error::RedisBusConfigError, connection::Client, entry::Sealer};
use crate::{
    clock::{Clock, SystemClock},
    pepper::Peppers,
};

/// So that who tells has an answer within a tenth of a second.
const DEADLINE: Duration = Duration::from_millis(75);

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

/// Settings of a [`RedisBus`].
#[must_use]
pub struct RedisBusBuilder {
    servers: Vec<ConnectionInfo>,
    mode: RedisMode,
    clock: Arc<dyn Clock>,
    deadline: Duration,
    #[cfg(feature = "redis-tls")]
    root_certificates: Option<Vec<u8>>,
}

impl RedisBusBuilder {
    pub(super) fn new<U: AsRef<str>>(
        urls: impl IntoIterator<Item = U>,
    ) -> Result<Self, RedisBusConfigError> {
        let servers = urls.into_iter().zip(1..);
        let servers = servers.map(|(url, number)| parse(url.as_ref(), number));
        let servers: Vec<ConnectionInfo> = servers.collect::<Result<_, _>>()?;
        if servers.is_empty() {
            return Err(RedisBusConfigError::NoUrl);
        }
        Ok(Self {
            servers,
            mode: RedisMode::Single,
            clock: Arc::new(SystemClock::new()),
            deadline: DEADLINE,
            #[cfg(feature = "redis-tls")]
            root_certificates: None,
        })
    }

    /// What kind of servers there are. Default: one.
    pub fn mode(self, mode: RedisMode) -> Self {
        Self { mode, ..self }
    }

    /// By which date notices are told and judged. Default: the system's clock.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// How long telling may take. Default: 75 ms, as a revocation waits for it; above 100 ms is for tests.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The certificates, in PEM, of the authorities that are trusted to have signed those of the servers.
    /// Default: those that the system trusts, or those in the file that `SSL_CERT_FILE` names.
    #[cfg(feature = "redis-tls")]
    pub fn root_certificates(self, pem: impl Into<Vec<u8>>) -> Self {
        Self {
            root_certificates: Some(pem.into()),
            ..self
        }
    }

    /// The bus, whose notices are authenticated under keys derived from these peppers: those of the cache. It
    /// connects when it is first used, so the servers need not be up yet.
    ///
    /// # Errors
    /// The settings do not fit together, or the process has no rustls provider and is to connect encrypted.
    pub fn build(self, peppers: &Peppers) -> Result<RedisBus, RedisBusConfigError> {
        let client = self.client()?;
        let sealer = Sealer::new(peppers.bus_keys(), self.clock);
        Ok(RedisBus::new(client, sealer, self.deadline))
    }

    fn client(&self) -> Result<Client, RedisBusConfigError> {
        #[cfg(feature = "redis-tls")]
        if self.servers.iter().any(is_encrypted)
            && rustls::crypto::CryptoProvider::get_default().is_none()
        {
            return Err(RedisBusConfigError::NoCryptoProvider);
        }
        match self.mode {
            RedisMode::Single => self.single(),
            #[cfg(feature = "redis-cluster")]
            RedisMode::Cluster => self.cluster(),
        }
    }

    fn single(&self) -> Result<Client, RedisBusConfigError> {
        let [server] = &*self.servers else {
            return Err(RedisBusConfigError::SeveralServers);
        };
        #[cfg(feature = "redis-tls")]
        if let Some(certificates) = self.certificates() {
            let client = redis::Client::build_with_tls(server.clone(), certificates);
            let client = client.map_err(|_| RedisBusConfigError::Certificates)?;
            return Ok(Client::Single(Box::new(client)));
        }
        let client = redis::Client::open(server.clone());
        client
            .map(|client| Client::Single(Box::new(client)))
            .map_err(|_| RedisBusConfigError::Url { number: 1 })
    }

    #[cfg(feature = "redis-cluster")]
    fn cluster(&self) -> Result<Client, RedisBusConfigError> {
        let builder = redis::cluster::ClusterClient::builder(self.servers.iter().cloned())
            // A listener is to know that its connection was lost.
            .retries(0)
            .tcp_settings(tcp_settings());
        #[cfg(feature = "redis-tls")]
        let builder = match self.certificates() {
            Some(certificates) => builder.certs(certificates),
            None => builder,
        };
        let client = builder.build();
        client
            .map(|client| Client::Cluster(Box::new(client)))
            .map_err(|_| RedisBusConfigError::UnlikeServers)
    }

    /// What an encrypted connection is to trust, if that was said.
    #[cfg(feature = "redis-tls")]
    fn certificates(&self) -> Option<redis::TlsCertificates> {
        let root_cert = Some(self.root_certificates.clone()?);
        self.servers
            .iter()
            .any(is_encrypted)
            .then_some(redis::TlsCertificates {
                client_tls: None,
                root_cert,
            })
    }
}

impl fmt::Debug for RedisBusBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBusBuilder")
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

fn parse(url: &str, number: usize) -> Result<ConnectionInfo, RedisBusConfigError> {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let asks_for_tls = ["rediss", "valkeys"]
        .iter()
        .any(|encrypted| scheme.eq_ignore_ascii_case(encrypted));
    if asks_for_tls && cfg!(not(feature = "redis-tls")) {
        return Err(RedisBusConfigError::NoTls { number });
    }
    // The client's error might repeat the URL.
    let server = url.into_connection_info();
    let server = server.map_err(|_| RedisBusConfigError::Url { number })?;
    if matches!(server.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        return Err(RedisBusConfigError::Insecure { number });
    }
    Ok(server.set_tcp_settings(tcp_settings()))
}

#[cfg(feature = "redis-tls")]
fn is_encrypted(server: &ConnectionInfo) -> bool {
    matches!(server.addr(), ConnectionAddr::TcpTls { .. })
}

fn tcp_settings() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

#[cfg(test)]
mod tests;

//! What is wrong with the settings of a bus on Redis servers.

use thiserror::Error;

/// Why the settings do not make a [`RedisBus`](super::RedisBus). No message repeats a URL, which may hold a
/// password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedisBusConfigError {
    /// There is no URL.
    #[error("the bus has no Redis server; give its URL, such as redis://127.0.0.1:6379")]
    NoUrl,
    /// A URL cannot be read.
    #[error(
        "URL {number} of the Redis servers cannot be read; write it as redis://user:password@host:6379/0, or \
         rediss:// for an encrypted connection, with special characters of a password percent-encoded"
    )]
    Url {
        /// Which one, counted from 1.
        number: usize,
    },
    /// A URL asks for encryption, and the feature is missing.
    #[error("URL {number} of the Redis servers asks for encryption; enable the feature redis-tls")]
    NoTls {
        /// Which one, counted from 1.
        number: usize,
    },
    /// A URL asks for encryption without checking who is at the other end.
    #[error(
        "URL {number} of the Redis servers ends in #insecure, which accepts any certificate; give that of the \
         authority instead"
    )]
    Insecure {
        /// Which one, counted from 1.
        number: usize,
    },
    /// More than one URL is given, and not for a cluster.
    #[error("the bus has several Redis servers; give one, or set the mode to cluster")]
    SeveralServers,
    /// The nodes of a cluster are not reached alike.
    #[error(
        "the URLs of the cluster differ in user, password, database or encryption, or name no host; make \
         them alike"
    )]
    UnlikeServers,
    /// An encrypted connection needs a provider of cryptography, and the process has not said which.
    #[error(
        "the process has no rustls provider; install one first, such as \
         rustls::crypto::ring::default_provider().install_default()"
    )]
    NoCryptoProvider,
    /// The certificates are not PEM, or not certificates.
    #[error("the certificates of the authorities cannot be read; give one or more of them in PEM")]
    Certificates,
}

//! What can go wrong between a service and Vault.

use std::{io, path::PathBuf, sync::Arc};

/// Why Vault did not do what was asked. No text of it holds a token, or anything else that was sent.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// Nobody could answer; asking again later can help.
    #[error("Vault is unavailable: try again later")]
    Unavailable(#[source] VaultOutage),
    /// The token or its policy does not allow it, or the login is refused.
    #[error("Vault denies access to {path}: check the token and its policy")]
    Denied {
        /// What was asked for.
        path: String,
    },
    /// There is nothing at that path.
    #[error("Vault has nothing at {path}: create it, or correct the path")]
    NotFound {
        /// What was asked for.
        path: String,
    },
    /// Vault understood and refuses.
    #[error("Vault refuses a request to {path} with status {status}: {}", messages.join("; "))]
    Refused {
        /// What was asked for.
        path: String,
        /// The status.
        status: u16,
        /// What Vault says to it: at most four texts of at most 200 characters.
        messages: Vec<String>,
    },
}

/// Why nobody could answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum VaultOutage {
    /// Vault has not been unsealed since its start.
    #[error("Vault is sealed: unseal it")]
    Sealed,
    /// The node that answered does not serve, another does.
    #[error("this node of Vault is a standby: give the address of the active node, or of all")]
    Standby,
    /// Vault has too much to do.
    #[error("Vault limits its requests")]
    Limited,
    /// No answer in time.
    #[error("Vault did not answer in time")]
    TimedOut,
    /// An error of the server.
    #[error("Vault answered with status {0}")]
    Status(u16),
    /// An answer that is none of Vault's, such as that of a proxy.
    #[error("what answered with status {0} is not Vault: check the address")]
    NotVault(u16),
    /// No connection, or one that broke.
    #[error("the connection to Vault failed")]
    Connection(#[source] Arc<reqwest::Error>),
    /// The file with the token or the secret id cannot be read.
    #[error("{path} cannot be read", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },
    /// The file with the token or the secret id holds none.
    #[error("{path} holds no token or secret id of visible ASCII", path = path.display())]
    NoToken {
        /// The file.
        path: PathBuf,
    },
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultConfigError {
    /// The address is no URL of a server.
    #[error("the address of Vault must be a URL such as https://vault.example:8200")]
    Address,
    /// The address names no encrypted connection, to another machine.
    #[error(
        "the address of Vault is http:// on another host: use https://, as tokens and keys would be readable \
         on the way"
    )]
    InsecureAddress,
    /// The namespace cannot stand in a header field.
    #[error("the namespace of Vault must be visible ASCII")]
    Namespace,
    /// A token cannot stand in a header field.
    #[error("the token for Vault must be visible ASCII")]
    Token,
    /// There is no way to log in.
    #[error(
        "no credential for Vault is given: give a token, a file with a token, or a role id with a secret id"
    )]
    NoCredential,
    /// There is more than one way to log in.
    #[error("more than one credential for Vault is given: leave one")]
    SeveralCredentials,
    /// The certificates of the authorities cannot be read.
    #[error("the certificates for Vault in {path} cannot be read", path = path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificates of the authorities are none.
    #[error("{path} must hold certificates in PEM", path = path.display())]
    CaCertificates {
        /// The file.
        path: PathBuf,
    },
    /// Connections need a provider of cryptography, and the process has not said which.
    #[error(
        "the process has no rustls provider; install one first, such as \
         rustls::crypto::ring::default_provider().install_default()"
    )]
    NoCryptoProvider,
    /// The HTTP client could not be made.
    #[error("the client for Vault cannot be made")]
    Client(#[source] reqwest::Error),
    /// A variable is missing.
    #[error("{0} is not set")]
    Missing(&'static str),
}

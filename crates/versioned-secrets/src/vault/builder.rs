//! What a client needs to know.

use std::{fs, net::IpAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use reqwest::{Certificate, Client, Url, header::HeaderValue, redirect::Policy};
use secrecy::SecretString;

use super::{
    AppRole, VaultClient, VaultConfigError,
    client::Shared,
    tokens::{Credential, Tokens, checked},
    transport::Transport,
};

/// A [`VaultClient`] in the making.
#[derive(Debug, Clone)]
#[must_use]
pub struct VaultClientBuilder {
    address: String,
    namespace: Option<String>,
    ca_file: Option<PathBuf>,
    credentials: Vec<Credential>,
    timeout: Duration,
    attempts: NonZeroU32,
    allows_http: bool,
}

impl VaultClientBuilder {
    pub(super) const fn new(address: String) -> Self {
        Self {
            address,
            namespace: None,
            ca_file: None,
            credentials: Vec::new(),
            timeout: TIMEOUT,
            attempts: ATTEMPTS,
            allows_http: false,
        }
    }

    /// The namespace of every path.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// A file with the certificates of the authorities that alone may vouch for the server, in PEM;
    /// default: those of the system.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// A token, which [`VaultClient::keep_renewed`] renews.
    pub fn token(mut self, token: SecretString) -> Self {
        self.credentials.push(Credential::Token(token));
        self
    }

    /// A file with a token, as an agent of Vault writes it: read again when it has changed.
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.credentials.push(Credential::TokenFile(path.into()));
        self
    }

    /// A login by AppRole, renewed before it ends.
    pub fn app_role(mut self, role: AppRole) -> Self {
        self.credentials.push(Credential::AppRole(role));
        self
    }

    /// The longest that a call takes, with everything in it; default: 5 s.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a request is sent at most; default: 3.
    pub const fn attempts(mut self, attempts: NonZeroU32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Allows `http://` to hosts other than this one.
    ///
    /// # Security
    /// Everyone on the way reads the token and the keys. For networks that encrypt by themselves alone.
    pub const fn dangerous_allow_http(mut self) -> Self {
        self.allows_http = true;
        self
    }

    /// The client. Nothing is asked yet.
    ///
    /// # Errors
    /// [`VaultConfigError`].
    pub fn build(self) -> Result<VaultClient, VaultConfigError> {
        let base = address(&self.address, self.allows_http)?;
        let namespace = self.namespace.map(namespace).transpose()?;
        let credential = one(self.credentials)?;
        // The client would panic without one.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(VaultConfigError::NoCryptoProvider);
        }
        let mut http = Client::builder()
            // Neither would another host get the token, nor would a proxy of the environment see it.
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(self.timeout / 2)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = self.ca_file {
            http = http.tls_certs_only(certificates(path)?);
        }
        Ok(VaultClient::new(Shared {
            transport: Transport {
                http: http.build().map_err(VaultConfigError::Client)?,
                base,
                namespace,
                attempts: self.attempts,
            },
            tokens: Tokens::new(credential),
            timeout: self.timeout,
        }))
    }
}

const TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

fn address(text: &str, allows_http: bool) -> Result<Url, VaultConfigError> {
    let url = Url::parse(text).map_err(|_| VaultConfigError::Address)?;
    let has_more = url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some();
    match (url.scheme(), url.host_str()) {
        _ if has_more => Err(VaultConfigError::Address),
        ("https", Some(_)) => Ok(url),
        ("http", Some(host)) if allows_http || is_this_machine(host) => Ok(url),
        ("http", Some(_)) => Err(VaultConfigError::InsecureAddress),
        _ => Err(VaultConfigError::Address),
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn namespace(text: String) -> Result<HeaderValue, VaultConfigError> {
    let is_good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let value = HeaderValue::try_from(text).ok().filter(|_| is_good);
    value.ok_or(VaultConfigError::Namespace)
}

fn one(mut credentials: Vec<Credential>) -> Result<Credential, VaultConfigError> {
    let credential = credentials.pop().ok_or(VaultConfigError::NoCredential)?;
    if !credentials.is_empty() {
        return Err(VaultConfigError::SeveralCredentials);
    }
    match &credential {
        Credential::Token(token) if checked(token).is_none() => Err(VaultConfigError::Token),
        _ => Ok(credential),
    }
}

fn certificates(path: PathBuf) -> Result<Vec<Certificate>, VaultConfigError> {
    let pem = match fs::read(&path) {
        Ok(pem) => pem,
        Err(source) => return Err(VaultConfigError::CaFile { path, source }),
    };
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(VaultConfigError::CaCertificates { path }),
    }
}

#[cfg(test)]
mod tests;

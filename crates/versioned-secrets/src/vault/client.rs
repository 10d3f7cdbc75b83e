//! The client.

use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use secrecy::SecretString;

use super::{
    TokenEnd, VaultClientBuilder, VaultConfigError, VaultData, VaultError, VaultOutage, VaultPath,
    environment, given_token,
    tokens::{Credential, Tokens},
    transport::{Answer, Request, Transport},
};

/// A client of Vault or OpenBao. Cheap to clone; clones share connections and the token.
///
/// A call ends within the timeout, repetitions and a login included. What is repeated, at most twice by
/// default, is what failed for an error of the server (5xx), a limit (429) or the connection. A token that
/// is denied is replaced once: by what its file holds now, or by another login.
///
/// # Security
/// Tokens and secrets are never printed, and wiped when they are dropped. The buffers of HTTP and TLS, in
/// which they travel, are not.
#[derive(Clone)]
pub struct VaultClient {
    shared: Arc<Shared>,
    attempts: NonZeroU32,
}

pub(super) struct Shared {
    pub(super) transport: Transport,
    pub(super) tokens: Tokens,
    pub(super) timeout: Duration,
}

impl VaultClient {
    /// Begins a client of the server at `address`, such as `https://vault.example:8200`.
    pub fn builder(address: impl Into<String>) -> VaultClientBuilder {
        VaultClientBuilder::new(address.into())
    }

    /// A client as the environment says:
    ///
    /// | variable | |
    /// |---|---|
    /// | `VAULT_ADDR` | the address; required |
    /// | `VAULT_NAMESPACE` | the namespace |
    /// | `VAULT_CACERT` | a file with the certificates of the authorities, in PEM |
    /// | `VAULT_TOKEN` | a token |
    /// | `VAULT_TOKEN_FILE` | a file with a token, as an agent writes it |
    /// | `VAULT_ROLE_ID`, and `VAULT_SECRET_ID` or `VAULT_SECRET_ID_FILE` | a login by AppRole |
    ///
    /// Of the last three exactly one.
    ///
    /// # Errors
    /// [`VaultConfigError`].
    pub fn from_env() -> Result<Self, VaultConfigError> {
        environment::builder()?.build()
    }

    /// Reads what is at a path.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn read(&self, path: &VaultPath) -> Result<VaultData, VaultError> {
        let answer = self.ask(path, Request::Read).await?;
        Ok(answer.data.unwrap_or_default())
    }

    /// Sends an object of texts to a path. It may be sent more than once: a request that must not be
    /// repeated is not for this client.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn write(
        &self,
        path: &VaultPath,
        texts: &[(&str, &str)],
    ) -> Result<VaultData, VaultError> {
        let answer = self.ask(path, Request::Write(texts)).await?;
        Ok(answer.data.unwrap_or_default())
    }

    /// Renews the token when two thirds of its time have passed, as long as the future is polled: to be spawned
    /// where a process lives longer than a token.
    ///
    /// A login's is renewed for ever. Without this it is renewed by the next call, and one that has expired is
    /// replaced. A token that was given is renewed by this alone; the future ends when Vault renews it no further,
    /// and says when the token will end: somebody has to give another one. That needs
    /// `auth/token/lookup-self` and `auth/token/renew-self`, which the default policy allows.
    pub async fn keep_renewed(&self) -> TokenEnd {
        let shared = &*self.shared;
        match shared.tokens.credential() {
            Credential::Token(token) => return given_token::keep(token, shared).await,
            Credential::TokenFile(_) => return TokenEnd::OfAFile,
            Credential::AppRole(_) => {}
        }
        loop {
            // What goes wrong here is met by the next call too, which says so.
            drop(shared.in_time(shared.token()).await);
            tokio::time::sleep(SHORTEST_PAUSE).await;
            if let Some(due) = shared.tokens.due().await {
                tokio::time::sleep_until(due).await;
            }
        }
    }

    /// The same client, with its connections and its token, that repeats nothing: for a caller that has a budget of
    /// requests. One whose token is denied is still sent again with another.
    #[must_use]
    pub fn asking_once(&self) -> Self {
        Self {
            attempts: NonZeroU32::MIN,
            ..self.clone()
        }
    }

    pub(super) fn new(shared: Shared) -> Self {
        Self {
            attempts: shared.transport.attempts,
            shared: Arc::new(shared),
        }
    }

    async fn ask(&self, path: &VaultPath, request: Request<'_>) -> Result<Answer, VaultError> {
        let shared = &*self.shared;
        shared
            .in_time(shared.ask(path, request, self.attempts))
            .await
    }
}

impl Shared {
    async fn ask(
        &self,
        path: &VaultPath,
        request: Request<'_>,
        attempts: NonZeroU32,
    ) -> Result<Answer, VaultError> {
        let token = self.token().await?;
        let send = async |token| {
            self.transport
                .send_times(attempts, path, request, Some(token))
                .await
        };
        let answer = send(&token).await;
        if !matches!(answer, Err(VaultError::Denied { .. })) {
            return answer;
        }
        match self.tokens.instead_of(&token, &self.transport).await? {
            Some(another) => send(&another).await,
            None => answer,
        }
    }

    async fn token(&self) -> Result<Arc<SecretString>, VaultError> {
        self.tokens.current(&self.transport).await
    }

    pub(super) async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, VaultError>>,
    ) -> Result<T, VaultError> {
        let late = |_| Err(VaultError::Unavailable(VaultOutage::TimedOut));
        tokio::time::timeout(self.timeout, call)
            .await
            .unwrap_or_else(late)
    }
}

impl fmt::Debug for VaultClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultClient")
            .field("address", &self.shared.transport.base.as_str())
            .finish_non_exhaustive()
    }
}

/// Between two looks at a token that is due.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;

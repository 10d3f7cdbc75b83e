//! How AWS is reached: region, credentials, endpoint, and how long a call may take.

use std::{fmt, num::NonZeroU32, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_secretsmanager::config::Credentials;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::endpoints;

/// What every client of AWS shares: the region, where credentials come from, one pool of connections, and
/// bounds for each call. Cheap to clone.
///
/// TLS is rustls on `ring`, with the authorities that the operating system trusts.
#[derive(Clone)]
pub struct AwsConnection {
    config: SdkConfig,
    region: Region,
}

/// What differs from the environment, and the bounds of a call.
#[derive(Debug)]
#[must_use = "a builder makes nothing before `build`"]
pub struct AwsConnectionBuilder {
    region: Option<String>,
    endpoint: Option<String>,
    credentials: Option<Credentials>,
    connect_timeout: Duration,
    attempt_timeout: Duration,
    call_timeout: Duration,
    attempts: NonZeroU32,
}

/// Why AWS cannot be reached with what is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// No region is named.
    #[error("no AWS region is configured: set AWS_REGION, or name one in the AWS profile")]
    NoRegion,
    /// Keys in the clear would cross a network.
    #[error(
        "the AWS endpoint {0} is neither https nor on this machine: keys would be sent unencrypted"
    )]
    Unencrypted(String),
}

impl AwsConnection {
    /// What the environment says, in the way of every AWS program: `AWS_REGION`, `AWS_ENDPOINT_URL` and
    /// that of one service (`AWS_ENDPOINT_URL_KMS`), `AWS_PROFILE` and its files; credentials from `AWS_ACCESS_KEY_ID`, a profile, a web identity (EKS),
    /// a container (ECS, EKS) or the instance (EC2), renewed before they expire.
    ///
    /// Credentials are looked for when the first call needs them. Not supported: single sign-on, and
    /// `credential_process`.
    ///
    /// # Errors
    /// [`ConnectionError`].
    pub async fn from_env() -> Result<Self, ConnectionError> {
        Self::builder().build().await
    }

    /// The environment, with what is set here instead.
    pub const fn builder() -> AwsConnectionBuilder {
        AwsConnectionBuilder {
            region: None,
            endpoint: None,
            credentials: None,
            connect_timeout: Duration::from_secs(2),
            attempt_timeout: Duration::from_secs(3),
            call_timeout: Duration::from_secs(8),
            attempts: NonZeroU32::MIN.saturating_add(2),
        }
    }

    /// The region that is called.
    #[must_use]
    pub fn region(&self) -> &str {
        self.region.as_ref()
    }

    /// The configuration for a client of the official SDK. That no endpoint in it is called unencrypted was
    /// seen for KMS, Secrets Manager and STS; that of another service may be configured by itself.
    #[must_use]
    pub const fn sdk_config(&self) -> &SdkConfig {
        &self.config
    }
}

impl AwsConnectionBuilder {
    /// The region, in place of `AWS_REGION` and the profile.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Where every service is called, in place of AWS: `https://…`, or `http://…` on this machine.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// An access key that does not change, in place of those of the environment: for tests. A service takes
    /// what its platform gives it.
    pub fn static_credentials(mut self, access_key_id: &str, secret: &SecretString) -> Self {
        // EXPOSE: the SDK signs with it, and does not print it.
        let secret = secret.expose_secret();
        self.credentials = Some(Credentials::new(
            access_key_id,
            secret,
            None,
            None,
            "static",
        ));
        self
    }

    /// How long a connection may take to come about. Default: 2 s.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one attempt may take, its connection included. Default: 3 s.
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// How long a call may take, with every attempt and the pauses between them. Default: 8 s.
    pub const fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = timeout;
        self
    }

    /// How often a call is tried where AWS says that another attempt can help, or says nothing. Default: 3
    /// times. While most calls fail, fewer are tried again.
    pub const fn attempts(mut self, attempts: NonZeroU32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Reads the rest from the environment. It calls nothing but, on a machine of EC2 whose environment names
    /// no region, that machine's own metadata.
    ///
    /// # Errors
    /// [`ConnectionError`].
    pub async fn build(self) -> Result<AwsConnection, ConnectionError> {
        let http = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.attempt_timeout)
            .operation_attempt_timeout(self.attempt_timeout)
            .operation_timeout(self.call_timeout)
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(self.attempts.get())
            .with_initial_backoff(Duration::from_millis(100))
            .with_max_backoff(Duration::from_secs(1));
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .timeout_config(timeouts)
            .retry_config(retries);
        if let Some(region) = self.region {
            loader = loader.region(Region::new(region));
        }
        if let Some(url) = self.endpoint {
            loader = loader.endpoint_url(url);
        }
        if let Some(credentials) = self.credentials {
            loader = loader.credentials_provider(credentials);
        }
        let config = loader.load().await;
        let region = config.region().cloned();
        let region = region.ok_or(ConnectionError::NoRegion)?;
        match endpoints::unencrypted(&config) {
            Some(url) => Err(ConnectionError::Unencrypted(url)),
            None => Ok(AwsConnection { config, region }),
        }
    }
}

impl fmt::Debug for AwsConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsConnection")
            .field("region", &self.region())
            .field("endpoint", &self.config.endpoint_url())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_unencrypted_endpoint_elsewhere_is_refused() {
        let endpoint = "http://203.0.113.7:5000";
        let connection = AwsConnection::builder()
            .region("eu-west-1")
            .endpoint(endpoint)
            .build();
        let refused = ConnectionError::Unencrypted(endpoint.to_owned());
        assert_eq!(connection.await.err(), Some(refused));
    }

    #[tokio::test]
    async fn debug_prints_no_credential() {
        let secret = SecretString::from("canary-of-the-secret-key");
        let builder = AwsConnection::builder()
            .region("eu-west-1")
            .static_credentials("AKIAEXAMPLE", &secret);
        let printed = format!("{builder:?}");
        let connection = builder.build().await.unwrap();
        let printed = format!("{printed}{connection:?}{:?}", connection.sdk_config());
        assert!(!printed.contains("canary"), "{printed}");
    }
}

//! A log on a web server.

use std::{io::Read as _, thread, time::Duration};

use portcullis_audit_log::source::{LogSource, SourceError};
use reqwest::{
    StatusCode, Url,
    blocking::{Client, Response},
};

use super::redirects;

/// Of one file, all together: the largest bundle has 4 MiB.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Before the second and the third attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// The files below a URL, one request each, over connections that are kept.
#[derive(Debug)]
pub(super) struct HttpSource {
    client: Client,
    base: Url,
}

/// There is no client.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client can be made")]
pub(super) struct ClientError(#[source] reqwest::Error);

/// What a server said that is no file.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the server answered {0}")]
    Status(StatusCode),
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error("the answer broke off")]
    Body(#[source] std::io::Error),
}

impl HttpSource {
    /// `base` ends with a slash.
    pub(super) fn new(base: Url) -> Result<Self, ClientError> {
        // That one is there already is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .user_agent(concat!("portcullis-audit/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(redirects::policy())
            .build();
        let client = client.map_err(ClientError)?;
        Ok(Self { client, base })
    }

    /// `None` if the file is not there, [`Err`] without a file, and otherwise its first bytes, one more than allowed.
    fn attempt(&self, url: &Url, limit: u64) -> Result<Option<Vec<u8>>, Refused> {
        let response = self.client.get(url.clone()).send()?;
        match response.status() {
            StatusCode::OK => body(response, limit).map(Some),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            other => Err(Refused::Status(other)),
        }
    }
}

impl LogSource for HttpSource {
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        let url = self
            .base
            .join(path)
            .map_err(SourceError::unreadable(path))?;
        let limit = u64::try_from(at_most).unwrap_or(u64::MAX);
        let mut pauses = PAUSES.iter();
        let read = loop {
            match self.attempt(&url, limit.saturating_add(1)) {
                Err(refused) if refused.may_pass() => match pauses.next() {
                    Some(pause) => thread::sleep(*pause),
                    None => break Err(refused),
                },
                other => break other,
            }
        };
        match read.map_err(SourceError::unreadable(path))? {
            Some(bytes) if bytes.len() > at_most => {
                let path = path.into();
                Err(SourceError::TooLong { path, at_most })
            }
            other => Ok(other),
        }
    }
}

impl Refused {
    /// Whether the same request may have another answer in a moment.
    fn may_pass(&self) -> bool {
        match self {
            Self::Status(status) => {
                status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
                    )
            }
            Self::Request(error) => !error.is_redirect() && !error.is_builder(),
            Self::Body(_) => true,
        }
    }
}

fn body(response: Response, limit: u64) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    let read = response.take(limit).read_to_end(&mut bytes);
    read.map_err(Refused::Body)?;
    Ok(bytes)
}

//! Why the demo did not come to its end.

use portcullis_keyring::entropy::EntropyError;

use crate::admin::ApiKeyError;

/// The demo could not be given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("no API key could be issued for the demo")]
    Key(#[from] ApiKeyError),
    #[error("the demo's own key could not be revoked")]
    Revoke(#[source] ApiKeyError),
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
    #[error(transparent)]
    Random(#[from] EntropyError),
    #[error("the summary cannot be written: {0}")]
    Output(std::io::ErrorKind),
}

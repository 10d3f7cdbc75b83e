//! Where the secrets of a service come from while it runs, other than its environment.

use std::{collections::BTreeMap, error::Error, fmt};

use async_trait::async_trait;
use secrecy::SecretString;

/// A place that keeps the secrets of a service, each under the name of the variable that it stands for.
///
/// # Contract
/// * What is fetched is what the place has now, whole: never a part of it, and never what it had before.
/// * [`SourceError::Unavailable`] means that nobody could answer, and only that.
/// * No error holds any part of a secret.
#[async_trait]
pub trait SecretSource: fmt::Debug + Send + Sync {
    /// Fetches every secret.
    ///
    /// # Errors
    /// [`SourceError`].
    async fn fetch(&self) -> Result<FetchedSecrets, SourceError>;
}

/// The secrets of a service, by the names of their variables.
#[derive(Clone)]
pub struct FetchedSecrets {
    values: BTreeMap<String, SecretString>,
    revision: String,
}

/// Why secrets were not fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Nobody could answer; asking again later can help.
    #[error("{place} is unavailable: try again later")]
    Unavailable {
        /// What was asked.
        place: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The place refuses: a credential or a policy is wrong.
    #[error("{place} refuses access: check the credential and its policy")]
    Denied {
        /// What was asked.
        place: String,
    },
    /// There is nothing under that name.
    #[error("{place} does not exist: create it, or correct its name")]
    NotFound {
        /// What was asked for.
        place: String,
    },
    /// What is there is no object of texts.
    #[error("{place} is not a JSON object whose values are texts")]
    Malformed {
        /// What was read.
        place: String,
    },
}

impl FetchedSecrets {
    /// Secrets as a place has them, and what it calls this state of them: the same words for the same
    /// secrets.
    #[must_use]
    pub const fn new(values: BTreeMap<String, SecretString>, revision: String) -> Self {
        Self { values, revision }
    }

    /// The secret of a variable.
    #[must_use]
    pub fn get(&self, variable: &str) -> Option<&SecretString> {
        self.values.get(variable)
    }

    /// The variables that have one.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// What the place calls this state of its secrets. Not secret.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }
}

impl fmt::Debug for FetchedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchedSecrets")
            .field("variables", &self.values.keys())
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

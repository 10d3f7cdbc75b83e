//! What a place that holds the secrets gave.

use portcullis_versioned_secrets::source::FetchedSecrets;
use secrecy::{ExposeSecret as _, SecretString};

use super::{given::Given, origin::Origin};

/// Secrets that were fetched, and from where.
#[derive(Clone)]
pub(super) struct Fetched {
    place: String,
    secrets: FetchedSecrets,
}

impl Fetched {
    pub(super) const fn new(place: String, secrets: FetchedSecrets) -> Self {
        Self { place, secrets }
    }

    /// For people.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) const fn secrets(&self) -> &FetchedSecrets {
        &self.secrets
    }

    /// What stands there for a variable.
    pub(super) fn text(&self, variable: &str) -> Option<Given<SecretString>> {
        // EXPOSE: a line break at the end is no part of it, as in a file.
        let text = self.secrets.get(variable)?.expose_secret().trim();
        let origin = self.origin(variable);
        (!text.is_empty()).then(|| Given {
            text: text.into(),
            origin,
        })
    }

    pub(super) fn origin(&self, variable: &str) -> Origin {
        Origin::Fetched {
            place: self.place.clone(),
            variable: variable.to_owned(),
        }
    }
}

//! Secrets that are read again while the service runs.

use portcullis_versioned_secrets::source::FetchedSecrets;
use ring::digest::{Context, Digest, SHA256};
use secrecy::ExposeSecret as _;

use super::{
    kek_source::KekSources,
    permissions,
    problems::{ConfigError, Problems},
    profile::Profile,
    secret_place::SecretPlace,
    secrets::{self, Secrets},
    settings,
    sources::Sources,
};

/// Reads the secrets as a start does, from files and from what was fetched.
#[derive(Debug)]
pub(crate) struct SecretReader {
    sources: Sources,
    providers: KekSources,
    profile: Profile,
}

/// What was read at one time.
#[derive(Debug)]
pub(crate) struct ReadSecrets {
    /// The same for the same texts, of just before they were read; kept in memory alone.
    pub(crate) revision: Revision,
    /// What was read, if it can be used.
    pub(crate) secrets: Result<Secrets, ConfigError>,
}

/// Tells whether texts are the same as before.
#[derive(Clone)]
pub(crate) struct Revision(Digest);

impl SecretReader {
    pub(super) fn new(sources: &Sources, providers: KekSources, profile: Profile) -> Self {
        Self {
            sources: sources.without_fetched(),
            providers,
            profile,
        }
    }

    /// Whether there is a file that may change.
    pub(crate) fn has_files(&self) -> bool {
        let mut secrets = settings::secrets();
        secrets.any(|secret| {
            let files = [secret.file_variable(), secret.primary_file_variable()];
            files.iter().any(|it| self.sources.variable(it).is_some())
        })
    }

    /// Reads files, and what was fetched, and finds what is wrong with it. It reads files: not for a thread
    /// that others wait for.
    pub(crate) fn read(&self, fetched: Option<(SecretPlace, FetchedSecrets)>) -> ReadSecrets {
        let with_fetched = fetched.map(|(place, fetched)| {
            let mut sources = self.sources.clone();
            sources.add_fetched(place.to_string(), fetched);
            sources
        });
        let sources = with_fetched.as_ref().unwrap_or(&self.sources);
        // Before what it is the revision of: a file that is replaced meanwhile has another one at the next look.
        let revision = revision(sources, self.profile);
        let mut problems = Problems::default();
        let secrets = secrets::read(sources, Some(&self.providers), self.profile, &mut problems);
        permissions::check_secret_files(sources, self.profile.danger(), &mut problems);
        ReadSecrets {
            revision,
            secrets: match secrets {
                Some(secrets) if problems.is_empty() => Ok(secrets),
                _ => Err(problems.into_error()),
            },
        }
    }
}

/// Over each text, or what keeps it from being read or used: a file that others can read by now is another one.
pub(super) fn revision(sources: &Sources, profile: Profile) -> Revision {
    let mut context = Context::new(&SHA256);
    for setting in settings::secrets() {
        let mut problems = Problems::default();
        for given in secrets::texts(sources, setting, &mut problems) {
            // EXPOSE: a hash of it is kept, in memory alone.
            let text = given
                .as_ref()
                .map_or("", |given| given.text.expose_secret());
            context.update(&text.len().to_be_bytes());
            context.update(text.as_bytes());
        }
        context.update(problems.into_error().to_string().as_bytes());
    }
    let mut exposed = Problems::default();
    permissions::check_secret_files(sources, profile.danger(), &mut exposed);
    context.update(exposed.into_error().to_string().as_bytes());
    Revision(context.finish())
}

impl PartialEq for Revision {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref() == other.0.as_ref()
    }
}

impl std::fmt::Debug for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revision").finish_non_exhaustive()
    }
}

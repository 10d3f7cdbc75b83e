//! What a place that holds the secrets gave, and whether it can be used.

use portcullis_versioned_secrets::source::FetchedSecrets;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    file::looks_like_a_name,
    given::Given,
    origin::Origin,
    problems::Problems,
    setting::{Secrecy, Setting},
    settings,
    sources::Sources,
};
use crate::spelling;

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

    fn origin(&self, variable: &str) -> Origin {
        Origin::Fetched {
            place: self.place.clone(),
            variable: variable.to_owned(),
        }
    }

    /// Finds what is there and is no secret, and what the environment says too.
    pub(super) fn check(&self, sources: &Sources, problems: &mut Problems) {
        for variable in self.secrets.variables() {
            let known = settings::secrets().find(|it| stands_for(it, variable));
            let Some(setting) = known else {
                self.tell_unknown(variable, problems);
                continue;
            };
            let origin = self.origin(variable);
            let file = format!("{variable}_FILE");
            for other in [variable, &file] {
                if sources.variable(other).is_some() || sources.is_no_text(other) {
                    problems.add(&origin, format!("is set, and {other} too; keep one"));
                }
            }
            let text = self.secrets.get(variable);
            // EXPOSE: whether it is one line.
            let text = text.map(|text| text.expose_secret().trim());
            if text.is_none_or(|text| text.is_empty() || text.contains(char::is_control)) {
                let message = format!("must be one line: {}", setting.hint);
                problems.add(&origin, message);
            }
        }
    }

    /// Without the name if that does not look like one: it may be a secret in the wrong place.
    fn tell_unknown(&self, name: &str, problems: &mut Problems) {
        let place = Origin::Place(self.place.clone());
        if !looks_like_a_name(name) {
            problems.add(&place, "has a member that is no name of a secret");
            return;
        }
        let is_setting = settings::ALL.iter().any(|it| it.variable == name);
        let known = settings::secrets().flat_map(Setting::variables);
        let known = known.filter(|variable| !variable.ends_with("_FILE"));
        if is_setting {
            let message = "is no secret: set it in the environment";
            problems.add(&self.origin(name), message);
        } else if let Some(meant) = spelling::nearest(name, known) {
            let message = format!("is no secret of this service; did you mean {meant}?");
            problems.add(&self.origin(name), message);
        } else {
            problems.warn(self.origin(name), "is no secret of this service");
        }
    }
}

/// A file cannot be named there.
fn stands_for(setting: &Setting, variable: &str) -> bool {
    let is_primary =
        setting.secrecy == Secrecy::VersionedSecret && variable == setting.primary_variable();
    setting.variable == variable || is_primary
}

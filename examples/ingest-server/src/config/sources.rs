//! Where settings come from, in order: flags, environment, file, and in the dev profile the
//! secrets generated earlier.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::{Path, PathBuf},
};

use portcullis_telemetry::Environment;
use portcullis_versioned_secrets::source::FetchedSecrets;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    fetched::Fetched,
    file,
    given::Given,
    origin::Origin,
    problems::Problems,
    setting::{Fallback, Setting},
    settings,
};
use crate::spelling;

/// Settings given on the command line, by variable name.
pub(crate) type Flags = BTreeMap<&'static str, String>;

/// All settings as text, unchecked.
#[derive(Clone)]
pub(crate) struct Sources {
    flags: Flags,
    environment: BTreeMap<String, SecretString>,
    /// Names of variables that are no text, or nearly have a name of ours.
    others: BTreeSet<String>,
    file: BTreeMap<&'static str, Given>,
    defaults: BTreeMap<&'static str, &'static str>,
    generated: BTreeMap<String, SecretString>,
    generated_path: PathBuf,
    fetched: Option<Fetched>,
    problems: Problems,
}

impl Sources {
    /// Takes flags and environment, and reads the file if one is named.
    pub(crate) fn new(
        flags: Flags,
        environment: impl IntoIterator<Item = (String, impl Into<OsString>)>,
        file: Option<&Path>,
    ) -> Self {
        let mut sources = Self {
            flags,
            environment: BTreeMap::new(),
            others: BTreeSet::new(),
            file: BTreeMap::new(),
            defaults: BTreeMap::new(),
            generated: BTreeMap::new(),
            generated_path: PathBuf::new(),
            fetched: None,
            problems: Problems::default(),
        };
        for (name, value) in environment {
            if is_ours(&name) {
                sources.read_variable(name, value.into());
            } else if spelling::nearest(&name, settings::variables()).is_some() {
                sources.others.insert(name);
            }
        }
        if let Some(path) = file {
            sources.file = file::read(path, &mut sources.problems);
        }
        sources
    }

    /// Sets what holds where neither flag, environment nor file says anything, instead of the
    /// table's default.
    pub(crate) fn set_default(&mut self, setting: &Setting, text: &'static str) {
        self.defaults.insert(setting.variable, text);
    }

    /// Adds secrets that were generated earlier into the file at `path`; given ones win.
    pub(crate) fn add_generated(
        &mut self,
        path: PathBuf,
        generated: BTreeMap<String, SecretString>,
    ) {
        self.generated_path = path;
        self.generated = generated;
    }

    /// Adds what the place of the secrets holds, which is named so.
    pub(crate) fn add_fetched(&mut self, place: String, secrets: FetchedSecrets) {
        self.fetched = Some(Fetched::new(place, secrets));
    }

    /// The same without what was fetched.
    pub(super) fn without_fetched(&self) -> Self {
        let mut sources = self.clone();
        sources.fetched = None;
        sources
    }

    /// What was fetched, if anything was.
    pub(super) const fn fetched(&self) -> Option<&Fetched> {
        self.fetched.as_ref()
    }

    /// Whether any secret of those that are always needed was given by the operator, or is fetched.
    pub(crate) fn has_given_secrets(&self) -> bool {
        let place = self.value(settings::SECRETS);
        if place.is_some_and(|place| place.text != "env") {
            return true;
        }
        let mut needed = settings::secrets().filter(|secret| secret.is_generated());
        needed.any(|secret| {
            self.environment.contains_key(secret.variable)
                || self.environment.contains_key(&secret.file_variable())
        })
    }

    /// A setting that is not secret, or its default. Blanks around it are refused elsewhere.
    pub(super) fn value(&self, setting: &Setting) -> Option<Given> {
        let given = self.given(setting).and_then(|given| {
            let text = given.text.trim();
            (!text.is_empty()).then(|| Given::new(text, given.origin.clone()))
        });
        given.or_else(|| self.default(setting))
    }

    /// A setting that is not secret, exactly as some source gives it.
    pub(super) fn given(&self, setting: &Setting) -> Option<Given> {
        let flag = self.flags.get(setting.variable).zip(setting.flag);
        let flag = flag.map(|(text, flag)| Given::new(text, Origin::Flag(flag)));
        flag.or_else(|| self.variable(setting.variable))
            .or_else(|| self.file.get(setting.variable).cloned())
    }

    /// Where a setting was given, or where it would be.
    pub(super) fn origin(&self, setting: &Setting) -> Origin {
        let given = self.given(setting).map(|given| given.origin);
        given.unwrap_or_else(|| Origin::Variable(setting.variable.to_owned()))
    }

    /// Whether a variable is set to what is no text, which is told already.
    pub(super) fn is_no_text(&self, variable: &str) -> bool {
        self.others.contains(variable)
    }

    /// A variable that goes with a setting, such as `…_PRIMARY`.
    pub(super) fn variable(&self, name: &str) -> Option<Given> {
        let text = self.environment.get(name)?;
        // EXPOSE: not a secret by its name; the map holds those too.
        let text = text.expose_secret();
        Some(Given::new(text, Origin::Variable(name.to_owned())))
    }

    /// A secret: from the environment, from what was fetched or from those generated earlier, never from the
    /// file.
    pub(super) fn secret(&self, setting: &Setting) -> Option<Given<SecretString>> {
        let variable = setting.variable.to_owned();
        let given = self.environment.get(&variable);
        let fetched = self.fetched.as_ref();
        let (text, origin) = match given {
            Some(text) => (text, Origin::Variable(variable)),
            None => {
                if let Some(fetched) = fetched.and_then(|it| it.text(&variable)) {
                    return Some(fetched);
                }
                let path = self.generated_path.clone();
                let text = self.generated.get(&variable)?;
                (text, Origin::Generated { path, variable })
            }
        };
        let text = text.clone();
        Some(Given { text, origin })
    }

    /// What telemetry reads from the environment.
    pub(super) fn telemetry(&self) -> Environment {
        let variables = self.environment.iter();
        let variables = variables.filter(|(name, _)| name.starts_with("OTEL_"));
        // EXPOSE: headers for the collector may be among them.
        Environment::from_pairs(
            variables.map(|(name, value)| (name.as_str(), value.expose_secret())),
        )
    }

    /// Names in the environment that carry our prefixes or are nearly a setting's.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.environment
            .keys()
            .chain(&self.others)
            .map(String::as_str)
    }

    /// Problems of the sources themselves.
    pub(super) const fn problems(&self) -> &Problems {
        &self.problems
    }

    fn default(&self, setting: &Setting) -> Option<Given> {
        let text = match (
            self.defaults.get(setting.variable).copied(),
            setting.fallback,
        ) {
            (Some(text), _) | (None, Fallback::Text(text)) => text,
            (None, Fallback::Described(_)) => return None,
        };
        // Where it would be set otherwise, should it collide with something that is given.
        let origin = Origin::Variable(setting.variable.to_owned());
        Some(Given::new(text, origin))
    }

    /// Empty counts as unset.
    fn read_variable(&mut self, name: String, value: OsString) {
        match value.into_string() {
            Ok(value) if value.is_empty() => {}
            Ok(value) => {
                self.environment.insert(name, value.into());
            }
            Err(_) => {
                self.problems.add_variable(&name, "must be UTF-8 text");
                self.others.insert(name);
            }
        }
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.starts_with("INGEST_") || name.starts_with("PORTCULLIS_") || name.starts_with("OTEL_")
}

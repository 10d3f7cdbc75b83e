//! Where settings come from, in order: flags, environment, file, and in the dev profile the
//! secrets generated earlier.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use portcullis_telemetry::Environment;
use zeroize::Zeroizing;

use super::{problems::Problem, secrets::SECRET_VARIABLES};

/// Settings given on the command line, by variable name.
pub(crate) type Flags = BTreeMap<&'static str, String>;

/// Settings that may stand in the file, under their variable's name without prefix, lower-case.
const FILE_KEYS: [(&str, &str); 9] = [
    ("admin_listen", "INGEST_ADMIN_LISTEN"),
    ("data_dir", "INGEST_DATA_DIR"),
    ("database_url", "INGEST_DATABASE_URL"),
    ("listen", "INGEST_LISTEN"),
    ("log", "INGEST_LOG"),
    ("profile", "INGEST_PROFILE"),
    ("schema_dir", "INGEST_SCHEMA_DIR"),
    ("trace_sample_ratio", "INGEST_TRACE_SAMPLE_RATIO"),
    ("trusted_proxies", "INGEST_TRUSTED_PROXIES"),
];

/// All settings as text, unchecked.
pub(crate) struct Sources {
    flags: Flags,
    environment: BTreeMap<String, Zeroizing<String>>,
    file: BTreeMap<&'static str, String>,
    generated: BTreeMap<String, Zeroizing<String>>,
    problems: Vec<Problem>,
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
            file: BTreeMap::new(),
            generated: BTreeMap::new(),
            problems: Vec::new(),
        };
        for (name, value) in environment.into_iter().filter(|(name, _)| is_ours(name)) {
            sources.read_variable(name, value.into());
        }
        if let Some(path) = file {
            sources.read_file(path);
        }
        sources
    }

    /// A setting that is not secret.
    pub(crate) fn value(&self, variable: &str) -> Option<String> {
        self.flags
            .get(variable)
            .cloned()
            .or_else(|| {
                self.environment
                    .get(variable)
                    .map(|value| value.to_string())
            })
            .or_else(|| self.file.get(variable).cloned())
    }

    /// A secret: from the environment or from those generated earlier, never from the file.
    pub(crate) fn secret(&self, variable: &str) -> Option<Zeroizing<String>> {
        self.environment
            .get(variable)
            .or_else(|| self.generated.get(variable))
            .cloned()
    }

    /// What telemetry reads from the environment.
    pub(super) fn telemetry(&self) -> Environment {
        let variables = self.environment.iter();
        let variables = variables.filter(|(name, _)| name.starts_with("OTEL_"));
        Environment::from_pairs(variables.map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// Variables of the environment that carry our prefixes and are no setting.
    pub(super) fn unknown_variables(&self) -> impl Iterator<Item = &str> {
        let names = self.environment.keys().map(String::as_str);
        names.filter(|name| !name.starts_with("OTEL_") && !is_setting(name))
    }

    /// Whether any secret was given by the operator.
    pub(crate) fn has_given_secrets(&self) -> bool {
        SECRET_VARIABLES.iter().any(|name| {
            self.environment.contains_key(*name)
                || self.environment.contains_key(&format!("{name}_FILE"))
        })
    }

    /// Sets what holds where neither flag, environment nor file says anything.
    pub(crate) fn add_default(&mut self, variable: &'static str, value: &str) {
        self.file
            .entry(variable)
            .or_insert_with(|| value.to_owned());
    }

    /// Adds secrets that were generated earlier; given ones win.
    pub(crate) fn add_generated(&mut self, generated: BTreeMap<String, Zeroizing<String>>) {
        self.generated = generated;
    }

    /// Problems of the sources themselves.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Empty counts as unset.
    fn read_variable(&mut self, name: String, value: OsString) {
        match value.into_string() {
            Ok(value) if value.is_empty() => {}
            Ok(value) => {
                self.environment.insert(name, Zeroizing::new(value));
            }
            Err(_) => self.problems.push(Problem {
                variable: name,
                message: "must be UTF-8 text".to_owned(),
            }),
        }
    }

    fn read_file(&mut self, path: &Path) {
        let table = match fs::read_to_string(path).map(|text| text.parse::<toml::Table>()) {
            Ok(Ok(table)) => table,
            Ok(Err(_)) => return self.file_problem("is not TOML"),
            Err(error) => return self.file_problem(format!("cannot be read: {}", error.kind())),
        };
        for (key, value) in table {
            let known = FILE_KEYS.iter().find(|(name, _)| *name == key);
            match (known, value) {
                (Some((_, variable)), toml::Value::String(text)) => {
                    self.file.insert(*variable, text);
                }
                (Some((name, _)), _) => self.file_problem(format!("`{name}` must be a string")),
                (None, _) => self.file_problem(unknown_key(&key)),
            }
        }
    }

    fn file_problem(&mut self, message: impl Into<String>) {
        self.problems.push(Problem {
            variable: "--config".to_owned(),
            message: message.into(),
        });
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

/// The folder for the database and for generated secrets.
pub(crate) fn data_dir(sources: &Sources) -> PathBuf {
    sources
        .value("INGEST_DATA_DIR")
        .unwrap_or_else(|| "data".to_owned())
        .into()
}

fn is_ours(name: &str) -> bool {
    name.starts_with("INGEST_") || name.starts_with("PORTCULLIS_") || name.starts_with("OTEL_")
}

fn is_setting(variable: &str) -> bool {
    let is_secret = |name: &&str| {
        let rest = variable.strip_prefix(*name);
        rest.is_some_and(|rest| ["", "_FILE", "_PRIMARY"].contains(&rest))
    };
    FILE_KEYS.iter().any(|(_, name)| *name == variable) || SECRET_VARIABLES.iter().any(is_secret)
}

/// A key that is a setting's name may be repeated in a message; anything else may be a secret
/// that was pasted into the wrong place.
fn unknown_key(key: &str) -> String {
    let upper = key.to_ascii_uppercase();
    let secret = SECRET_VARIABLES
        .iter()
        .find(|name| **name == upper || name.strip_prefix("INGEST_") == Some(&upper));
    match secret {
        Some(name) => format!("secrets do not belong in the file: set {name} in the environment"),
        None => {
            let known: Vec<_> = FILE_KEYS.iter().map(|(name, _)| *name).collect();
            format!("contains an unknown key; known are {}", known.join(", "))
        }
    }
}

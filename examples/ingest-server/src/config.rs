//! What the process is told: flags win over environment over file, every problem is reported at
//! once under the place its value came from, and no message contains a secret.
//!
//! Sections read the typed settings of their own; they depend on the sources below them and never
//! on what uses a configuration. Schemas are loaded here, because their faults are configuration's.

mod database;
mod file;
mod given;
mod network;
mod observability;
mod origin;
mod problems;
mod profile;
mod providers;
mod schemas;
mod secrets;
mod setting;
pub(crate) mod settings;
mod sources;
mod unknown;

use std::{path::PathBuf, sync::Arc};

use self::problems::Problems;
use crate::schemas::Schemas;

pub(crate) use self::{
    database::Database,
    network::Network,
    observability::Observability,
    problems::ConfigError,
    profile::Profile,
    providers::{KekSource, LimitStore, Providers},
    secrets::{ADMIN_TOKEN, INDEX_ROOTS, KEKS, KEY_PEPPERS, Secrets},
    setting::Setting,
    sources::{Flags, Sources},
    unknown::UnknownVariable,
};

/// Everything `serve` and the administrative commands need to know, checked.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) profile: Profile,
    pub(crate) network: Network,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: Database,
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) observability: Observability,
    pub(crate) providers: Providers,
    pub(crate) secrets: Secrets,
    /// Names in the environment that look like settings and are none.
    pub(crate) unknown_variables: Vec<UnknownVariable>,
}

impl Config {
    /// Reads and checks every setting.
    ///
    /// # Errors
    /// One [`ConfigError`] that names every problem found.
    pub(crate) fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let profile = profile::read(sources, &mut problems);
        let data_dir = database::data_dir(sources, &mut problems);
        let network = network::read(sources, profile, &mut problems);
        let database = database::read(sources, &data_dir, &mut problems);
        let schemas = schemas::read(sources, &mut problems);
        let observability = observability::read(sources, &mut problems);
        let secrets = secrets::read(sources, profile, &mut problems);
        let providers = providers::read(sources, &mut problems);
        problems.include(sources.problems());
        match (network, database, schemas, observability, secrets) {
            (Some(network), Some(database), Some(schemas), Some(observability), Some(secrets))
                if problems.is_empty() =>
            {
                Ok(Self {
                    profile,
                    network,
                    data_dir,
                    database,
                    schemas: Arc::new(schemas),
                    observability,
                    providers,
                    secrets,
                    unknown_variables: unknown::find(sources),
                })
            }
            _ => Err(problems.into_error()),
        }
    }

    /// What can be started with and is probably not meant: the setting, and what about it.
    pub(crate) fn warnings(&self) -> Vec<(String, &'static str)> {
        let mut warnings = Vec::new();
        if !self.observability.has_usual_ratio() {
            warnings.push((
                settings::TRACE_SAMPLE_RATIO.variable.to_owned(),
                "the share of traces lies outside 0.01 to 0.05",
            ));
        }
        if !self.unknown_variables.is_empty() {
            let names = self.unknown_variables.iter().map(ToString::to_string);
            warnings.push((
                names.collect::<Vec<_>>().join(", "),
                "set, and no setting of this service",
            ));
        }
        warnings
    }
}

/// Whether the dev profile is asked for.
pub(crate) fn is_dev(sources: &Sources) -> bool {
    profile::read(sources, &mut Problems::default()) == Profile::Dev
}

/// The folder for the database and for generated secrets.
pub(crate) fn data_dir(sources: &Sources) -> PathBuf {
    database::data_dir(sources, &mut Problems::default())
}

/// The database that is asked for, if its setting can be read.
pub(crate) fn database(sources: &Sources) -> Option<Database> {
    database::read(sources, &data_dir(sources), &mut Problems::default())
}

#[cfg(test)]
mod tests;

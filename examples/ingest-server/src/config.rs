//! What the process is told: flags win over environment over file, every problem is reported at
//! once, and no message contains a secret.

mod database;
mod network;
mod observability;
mod problems;
mod profile;
mod secrets;
mod sources;
mod unsupported;

use std::{path::PathBuf, sync::Arc};

pub(crate) use database::Database;
pub(crate) use network::Network;
pub(crate) use observability::Observability;
pub(crate) use problems::ConfigError;
pub(crate) use profile::Profile;
pub(crate) use secrets::{ADMIN_TOKEN, INDEX_ROOTS, KEKS, KEY_PEPPERS, Secrets};
pub(crate) use sources::{Flags, Sources, data_dir};

use crate::schemas::Schemas;
use problems::Problems;

/// Everything `serve` and the administrative commands need to know, checked.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) profile: Profile,
    pub(crate) network: Network,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: Database,
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) observability: Observability,
    pub(crate) secrets: Secrets,
    /// Names in the environment that look like settings and are none.
    pub(crate) unknown_variables: Vec<String>,
}

impl Config {
    /// Reads and checks every setting.
    ///
    /// # Errors
    /// One [`ConfigError`] that names every problem found.
    pub(crate) fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let profile = profile::read(sources, &mut problems);
        let data_dir = data_dir(sources);
        let network = network::read(sources, profile, &mut problems);
        let database = database::read(sources, &data_dir, &mut problems);
        let schemas = read_schemas(sources, &mut problems);
        let observability = observability::read(sources, &mut problems);
        let secrets = secrets::read(sources, profile, &mut problems);
        let unknown_variables = unsupported::read(sources, &mut problems);
        problems.include(sources.problems());
        match (network, database, schemas, secrets) {
            (Some(network), Some(database), Some(schemas), Some(secrets))
                if problems.is_empty() =>
            {
                Ok(Self {
                    profile,
                    network,
                    data_dir,
                    database,
                    schemas: Arc::new(schemas),
                    observability,
                    secrets,
                    unknown_variables,
                })
            }
            _ => Err(problems.into_error()),
        }
    }
}

/// Whether the dev profile is asked for.
pub(crate) fn is_dev(sources: &Sources) -> bool {
    profile::read(sources, &mut Problems::default()) == Profile::Dev
}

/// The database that is asked for, if its setting can be read.
pub(crate) fn database(sources: &Sources) -> Option<Database> {
    database::read(sources, &data_dir(sources), &mut Problems::default())
}

/// Schemas are the operator's, so that what is wrong with one may be quoted.
fn read_schemas(sources: &Sources, problems: &mut Problems) -> Option<Schemas> {
    const VARIABLE: &str = "INGEST_SCHEMA_DIR";
    let folder = sources.value(VARIABLE).map(PathBuf::from);
    if folder.as_ref().is_some_and(|folder| !folder.is_dir()) {
        problems.add(VARIABLE, "is not a directory");
        return None;
    }
    let loaded = Schemas::load(folder.as_deref());
    loaded
        .map_err(|errors| {
            for error in errors {
                problems.add(VARIABLE, error.to_string());
            }
        })
        .ok()
}

#[cfg(test)]
mod tests;

//! What the process is told: flags win over environment over file, every problem is reported at
//! once, and no message contains a secret.

mod database;
mod network;
mod observability;
mod problems;
mod profile;
mod secrets;
mod sources;

use std::path::PathBuf;

pub(crate) use database::Database;
pub(crate) use network::Network;
pub(crate) use observability::Observability;
pub(crate) use problems::ConfigError;
pub(crate) use profile::Profile;
pub(crate) use secrets::{ADMIN_TOKEN, INDEX_ROOTS, KEKS, KEY_PEPPERS, Secrets};
pub(crate) use sources::{Flags, Sources, data_dir};

use problems::Problems;

/// Everything `serve` and the administrative commands need to know, checked.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) profile: Profile,
    pub(crate) network: Network,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: Database,
    pub(crate) schema_dir: Option<PathBuf>,
    pub(crate) observability: Observability,
    pub(crate) secrets: Secrets,
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
        let schema_dir = read_schema_dir(sources, &mut problems);
        let observability = observability::read(sources, &mut problems);
        let secrets = secrets::read(sources, profile, &mut problems);
        problems.include(sources.problems());
        match (network, database, secrets) {
            (Some(network), Some(database), Some(secrets)) if problems.is_empty() => Ok(Self {
                profile,
                network,
                data_dir,
                database,
                schema_dir,
                observability,
                secrets,
            }),
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

fn read_schema_dir(sources: &Sources, problems: &mut Problems) -> Option<PathBuf> {
    let dir = PathBuf::from(sources.value("INGEST_SCHEMA_DIR")?);
    if !dir.is_dir() {
        problems.add("INGEST_SCHEMA_DIR", "is not a directory");
    }
    Some(dir)
}

#[cfg(test)]
mod tests;

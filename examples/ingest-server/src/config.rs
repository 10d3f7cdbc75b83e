//! What the process is told: flags win over environment over file, every problem is reported at
//! once under the place its value came from, and no message contains a secret.
//!
//! Sections read the typed settings of their own; they depend on the sources below them and never
//! on what uses a configuration. Schemas are loaded here, because their faults are configuration's.

mod cryptoperiod;
mod database;
mod file;
mod given;
mod network;
mod observability;
mod origin;
mod permissions;
mod plain;
mod policy_file;
mod problems;
mod profile;
mod providers;
mod redis;
mod schemas;
mod secrets;
mod setting;
pub(crate) mod settings;
mod sources;
mod unknown;

use std::{path::PathBuf, sync::Arc, time::Duration};

use self::problems::Problems;
use crate::{
    detection::DetectionPolicy, lead::UniqueFields, limits::GivenLimits, schemas::Schemas,
};

pub(crate) use self::{
    database::Database,
    network::Network,
    observability::Observability,
    policy_file::GivenPolicy,
    problems::{ConfigError, Warning},
    profile::Profile,
    providers::{KekSource, LimitStore, Providers},
    redis::{Counting, Endpoint, ExpectedNodes, SharedLimits, Topology},
    secrets::{ADMIN_TOKEN, INDEX_ROOTS, KEKS, KEY_PEPPERS, KID_TAG_KEYS, Secrets},
    setting::Setting,
    sources::{Flags, Sources},
};

/// Everything `serve` and the administrative commands need to know, checked.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) profile: Profile,
    pub(crate) network: Network,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: Database,
    /// The file that says who was erased.
    pub(crate) erasures: PathBuf,
    pub(crate) unique_lead_fields: UniqueFields,
    pub(crate) schemas: Arc<Schemas>,
    /// The file of the detection policy, if it stands in one.
    pub(crate) detection: Option<GivenPolicy<DetectionPolicy>>,
    /// That of the limits.
    pub(crate) limits: Option<GivenPolicy<GivenLimits>>,
    pub(crate) observability: Observability,
    pub(crate) providers: Providers,
    /// For how long a data key seals before it is rotated by itself, if it is.
    pub(crate) data_key_period: Option<Duration>,
    pub(crate) secrets: Secrets,
    /// What can be started with and is probably not meant.
    pub(crate) warnings: Vec<Warning>,
}

impl Config {
    /// Reads and checks every setting.
    ///
    /// # Errors
    /// One [`ConfigError`] that names every problem found.
    pub(crate) fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        plain::check(sources, &mut problems);
        unknown::check(sources, &mut problems);
        let profile = profile::read(sources, &mut problems);
        let data_dir = database::data_dir(sources, &mut problems);
        let network = network::read(sources, profile, &mut problems);
        let database = database::read(sources, &data_dir, &mut problems);
        let erasures = database::erasures(sources, &data_dir, &mut problems);
        let unique_lead_fields = database::unique_lead_fields(sources, &mut problems);
        let schemas = schemas::read(sources, &mut problems);
        let detection = policy_file::read(settings::DETECTION_FILE, sources, &mut problems);
        let limits = policy_file::read(settings::LIMITS_FILE, sources, &mut problems);
        let observability = observability::read(sources, &mut problems);
        let secrets = secrets::read(sources, profile, &mut problems);
        let providers = providers::read(sources, &mut problems);
        let data_key_period = cryptoperiod::read(sources, &mut problems);
        problems.include(sources.problems());
        permissions::check(
            sources,
            profile.danger(),
            &data_dir,
            database.as_ref(),
            &mut problems,
        );
        match (network, database, schemas, observability, secrets) {
            (Some(network), Some(database), Some(schemas), Some(observability), Some(secrets))
                if problems.is_empty() =>
            {
                Ok(Self {
                    profile,
                    network,
                    data_dir,
                    database,
                    erasures,
                    unique_lead_fields,
                    schemas: Arc::new(schemas),
                    detection,
                    limits,
                    observability,
                    providers,
                    data_key_period,
                    secrets,
                    warnings: problems.into_warnings(),
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

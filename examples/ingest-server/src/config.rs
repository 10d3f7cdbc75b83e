//! What the process is told: flags win over environment over file, every problem is reported at
//! once under the place its value came from, and no message contains a secret.
//!
//! Sections read the typed settings of their own; they depend on the sources below them and never
//! on what uses a configuration. Schemas are loaded here, because their faults are configuration's.

mod audit;
mod cryptoperiod;
mod database;
mod fetched;
mod file;
mod given;
mod kek_source;
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
mod reread;
mod schemas;
mod secret_place;
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

#[cfg(test)]
pub(crate) use self::audit::GivenSinks;
pub(crate) use self::{
    audit::{
        AnchorPlace, ArchivePlace, Audit, AuditSink, AuditStore, Reach, Receiver, WebhookTexts,
        Witness,
    },
    database::Database,
    kek_source::{KekSource, KekSources, KmsKeys, TransitKey},
    network::Network,
    observability::Observability,
    policy_file::GivenPolicy,
    problems::{ConfigError, Warning},
    profile::Profile,
    providers::{LimitStore, Providers},
    redis::{Counting, Endpoint, ExpectedNodes, SharedLimits, Topology},
    reread::{ReadSecrets, Revision, SecretReader},
    secret_place::SecretPlace,
    secrets::{
        ADMIN_TOKEN, AUDIT_KEYS, AdminToken, INDEX_ROOTS, KEKS, KEY_PEPPERS, KID_TAG_KEYS, Secrets,
    },
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
    pub(crate) audit: Audit,
    pub(crate) providers: Providers,
    /// For how long a data key seals before it is rotated by itself, if it is.
    pub(crate) data_key_period: Option<Duration>,
    pub(crate) secrets: Secrets,
    /// Reads them again while the service runs.
    pub(crate) reader: Arc<SecretReader>,
    /// Of just before they were read.
    pub(crate) revision: Revision,
    /// From one reading to the next, on average.
    pub(crate) refresh: Duration,
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
        let config = Self::read(sources, &mut problems);
        match config {
            Some(config) if problems.is_empty() => Ok(Self {
                warnings: problems.into_warnings(),
                ..config
            }),
            _ => Err(problems.into_error()),
        }
    }

    /// Checks every setting but the secrets that were not fetched yet, and gives what is probably not meant.
    ///
    /// # Errors
    /// One [`ConfigError`] that names every problem found.
    pub(crate) fn check(sources: &Sources) -> Result<Vec<Warning>, ConfigError> {
        let mut problems = Problems::default();
        drop(Self::read(sources, &mut problems));
        if problems.is_empty() {
            Ok(problems.into_warnings())
        } else {
            Err(problems.into_error())
        }
    }

    /// Nothing where there is a problem, or where secrets were not fetched yet.
    fn read(sources: &Sources, problems: &mut Problems) -> Option<Self> {
        plain::check(sources, problems);
        unknown::check(sources, problems);
        let profile = profile::read(sources, problems);
        let data_dir = database::data_dir(sources, problems);
        let network = network::read(sources, profile, problems);
        let database = database::read(sources, &data_dir, problems);
        let erasures = database::erasures(sources, &data_dir, problems);
        let unique_lead_fields = database::unique_lead_fields(sources, problems);
        let schemas = schemas::read(sources, problems);
        let detection = policy_file::read(settings::DETECTION_FILE, sources, problems);
        let limits = policy_file::read(settings::LIMITS_FILE, sources, problems);
        let observability = observability::read(sources, problems);
        let audit = audit::read(sources, profile, &data_dir, problems);
        let providers = providers::read(sources, problems);
        secret_place::read(sources, problems);
        let refresh = secret_place::refresh(sources, problems);
        let data_key_period = cryptoperiod::read(sources, problems);
        let kek = providers.as_ref().map(|providers| &providers.kek);
        let revision = reread::revision(sources, profile);
        let secrets = secrets::read(sources, kek, profile, problems);
        problems.include(sources.problems());
        permissions::check(
            sources,
            profile.danger(),
            &data_dir,
            database.as_ref(),
            problems,
        );
        Some(Self {
            profile,
            network: network?,
            data_dir,
            database: database?,
            erasures,
            unique_lead_fields,
            schemas: Arc::new(schemas?),
            detection,
            limits,
            observability: observability?,
            audit: audit?,
            reader: Arc::new(SecretReader::new(sources, kek?.clone(), profile)),
            revision,
            providers: providers?,
            data_key_period,
            secrets: secrets?,
            refresh: refresh?,
            warnings: Vec::new(),
        })
    }
}

/// Whether the dev profile is asked for.
pub(crate) fn is_dev(sources: &Sources) -> bool {
    profile::read(sources, &mut Problems::default()) == Profile::Dev
}

/// Which events are logged, for who needs no other setting.
///
/// # Errors
/// [`ConfigError`] where that is no filter.
pub(crate) fn log_filter(sources: &Sources) -> Result<String, ConfigError> {
    let mut problems = Problems::default();
    let filter = observability::log_filter(sources, &mut problems);
    filter.ok_or_else(|| problems.into_error())
}

/// The folder for the database and for generated secrets.
pub(crate) fn data_dir(sources: &Sources) -> PathBuf {
    database::data_dir(sources, &mut Problems::default())
}

/// What holds the secrets, if its setting can be read and names another than the environment.
pub(crate) fn secret_place(sources: &Sources) -> Option<SecretPlace> {
    secret_place::read(sources, &mut Problems::default())
}

/// Who holds the key-encryption keys, if its settings can be read.
pub(crate) fn kek_sources(sources: &Sources) -> Option<KekSources> {
    kek_source::read(sources, &mut Problems::default())
}

/// The database that is asked for, if its setting can be read.
pub(crate) fn database(sources: &Sources) -> Option<Database> {
    database::read(sources, &data_dir(sources), &mut Problems::default())
}

#[cfg(test)]
mod tests;

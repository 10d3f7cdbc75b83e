//! Flags that every command takes, and how they become a configuration.

use std::path::PathBuf;

use clap::Args;

use super::CliError;
use crate::{
    cli::dev,
    config::{Config, Flags, Sources},
};

/// What is not secret can be set by a flag; flags win over environment over file.
#[derive(Debug, Clone, Args)]
pub(super) struct Settings {
    /// Settings that are not secret, as TOML.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// `dev` or `production` (INGEST_PROFILE).
    #[arg(long, global = true)]
    profile: Option<String>,
    /// Public address (INGEST_LISTEN).
    #[arg(long, global = true)]
    listen: Option<String>,
    /// Admin address (INGEST_ADMIN_LISTEN).
    #[arg(long, global = true)]
    admin_listen: Option<String>,
    /// Folder of database and generated secrets (INGEST_DATA_DIR).
    #[arg(long, global = true)]
    data_dir: Option<String>,
    /// `sqlite://FILE` (INGEST_DATABASE_URL).
    #[arg(long, global = true)]
    database_url: Option<String>,
    /// Folder of event schemas, `<type>/<version>.json` (INGEST_SCHEMA_DIR).
    #[arg(long, global = true)]
    schema_dir: Option<String>,
    /// Log filter, such as `info,ingest_server=debug` (INGEST_LOG).
    #[arg(long, global = true)]
    log: Option<String>,
}

/// What a command does where the dev profile has no secrets yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Makes them.
    Generate,
    /// Goes on as if it had made them.
    Imagine,
    /// Says so.
    Report,
}

/// A configuration, and whether its secrets are generated ones.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) has_generated_secrets: bool,
}

impl Settings {
    /// Reads flags, environment, file and generated secrets.
    pub(super) fn load(&self, missing: Missing) -> Result<Loaded, CliError> {
        load(self.sources(), missing)
    }

    /// The same, with log lines only for what is wrong unless asked otherwise: a command that
    /// shows something on the terminal is not to be talked over.
    pub(super) fn load_quietly(&self, missing: Missing) -> Result<Loaded, CliError> {
        let mut sources = self.sources();
        sources.add_default("INGEST_LOG", "warn");
        load(sources, missing)
    }

    pub(super) fn sources(&self) -> Sources {
        let flags: Flags = [
            ("INGEST_PROFILE", &self.profile),
            ("INGEST_LISTEN", &self.listen),
            ("INGEST_ADMIN_LISTEN", &self.admin_listen),
            ("INGEST_DATA_DIR", &self.data_dir),
            ("INGEST_DATABASE_URL", &self.database_url),
            ("INGEST_SCHEMA_DIR", &self.schema_dir),
            ("INGEST_LOG", &self.log),
        ]
        .into_iter()
        .filter_map(|(variable, value)| Some((variable, value.clone()?)))
        .collect();
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        let environment = std::env::vars_os();
        let environment =
            environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Sources::new(flags, environment, self.config.as_deref())
    }
}

fn load(mut sources: Sources, missing: Missing) -> Result<Loaded, CliError> {
    if missing == Missing::Generate && dev::secrets::would_generate(&sources) {
        // Nothing is written for a configuration that cannot be used.
        dev::secrets::imagine(&mut sources)?;
        Config::load(&sources)?;
    }
    let has_generated_secrets = match missing {
        Missing::Generate => dev::secrets::ensure(&mut sources)?,
        Missing::Imagine => dev::secrets::imagine(&mut sources)?,
        Missing::Report => dev::secrets::add_existing(&mut sources)?,
    };
    Ok(Loaded {
        config: Config::load(&sources)?,
        has_generated_secrets,
    })
}

//! `check-config`.

use clap::Args;

use super::{
    CliError, print,
    settings::{Loaded, MissingSecrets, Settings},
    warn,
};
use crate::{
    app::{StartError, descriptors, erasures, policies},
    backend::{Backend, unsigned_logs},
    cli::dev,
    config::{self, Config, KekSource, Warning},
};

#[derive(Debug, Args)]
pub(super) struct CheckConfig {
    /// Ask AWS or Vault too, where secrets or key-encryption keys are there: fetch the secrets, wrap and unwrap a
    /// key that nobody keeps.
    #[arg(long)]
    online: bool,
}

/// Reads everything the server would read before it listens, and changes nothing.
pub(super) async fn run(settings: &Settings, arguments: &CheckConfig) -> Result<(), CliError> {
    let sources = settings.sources();
    let place = config::secret_place(&sources);
    if let Some(place) = place.filter(|_| !arguments.online) {
        let warnings = Config::check(&sources)?;
        print("the configuration is valid")?;
        print(&format!(
            "the secrets are in {place}, which was not asked: `--online` checks them too"
        ))?;
        warn_of(&warnings);
        return Ok(());
    }
    let would_generate = dev::secrets::would_generate(&sources);
    let Loaded {
        config, services, ..
    } = settings.load(MissingSecrets::DryRun).await?;
    descriptors::check(&config).map_err(StartError::from)?;
    if arguments.online {
        // First: which data keys can be opened depends on the key that an alias names.
        Backend::check_kek(&config, &services).await?;
    }
    let remembered = Backend::compare_secrets(&config, &services).await?;
    if let Some(remembered) = &remembered {
        policies::check_remembered(&config, remembered).map_err(StartError::from)?;
    }
    erasures::check(&config).await.map_err(StartError::from)?;
    print("the configuration is valid")?;
    if remembered.is_some() {
        print("the secrets are those of the database")?;
    }
    let keks = &config.providers.kek;
    if keks.all().any(|keks| *keks != KekSource::Local) {
        if arguments.online {
            Backend::try_kek(&config, &services).await?;
            print(&format!("the key-encryption key wraps and unwraps: {keks}"))?;
        } else {
            print(&format!(
                "the key-encryption key is {keks}, which was not asked: `--online` tries it"
            ))?;
        }
    }
    warn_of(&config.warnings);
    for unsigned in unsigned_logs(&config) {
        warn(&unsigned.to_string());
    }
    if would_generate {
        print("no secrets are set: `serve` will generate them (dev profile)")?;
    }
    Ok(())
}

fn warn_of(warnings: &[Warning]) {
    for Warning { setting, message } in warnings {
        warn(&format!("{setting}: {message}"));
    }
}

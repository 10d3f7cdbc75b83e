//! `check-config`.

use super::{
    CliError, print,
    settings::{MissingSecrets, Settings},
    warn,
};
use crate::{
    app::{StartError, descriptors, policies},
    backend::Backend,
    cli::dev,
    config::Warning,
};

/// Reads everything the server would read before it listens, and changes nothing.
pub(super) async fn run(settings: &Settings) -> Result<(), CliError> {
    let would_generate = dev::secrets::would_generate(&settings.sources());
    let config = settings.load(MissingSecrets::DryRun)?.config;
    descriptors::check(&config).map_err(StartError::from)?;
    let remembered = Backend::compare_secrets(&config).await?;
    if let Some(remembered) = &remembered {
        policies::check_remembered(&config, remembered).map_err(StartError::from)?;
    }
    print("the configuration is valid")?;
    if remembered.is_some() {
        print("the secrets are those of the database")?;
    }
    for Warning { setting, message } in &config.warnings {
        warn(&format!("{setting}: {message}"));
    }
    if would_generate {
        print("no secrets are set: `serve` will generate them (dev profile)")?;
    }
    Ok(())
}

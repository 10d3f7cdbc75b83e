//! `check-config`.

use super::{
    CliError, print,
    settings::{MissingSecrets, Settings},
    warn,
};
use crate::{app::StartError, app::descriptors, cli::dev};

/// Reads everything the server would read before it opens the database, and changes nothing.
pub(super) fn run(settings: &Settings) -> Result<(), CliError> {
    let would_generate = dev::secrets::would_generate(&settings.sources());
    let config = settings.load(MissingSecrets::DryRun)?.config;
    descriptors::check(&config).map_err(StartError::from)?;
    print("the configuration is valid")?;
    for (variable, message) in config.warnings() {
        warn(&format!("{variable}: {message}"));
    }
    if would_generate {
        print("no secrets are set: `serve` will generate them (dev profile)")?;
    }
    Ok(())
}

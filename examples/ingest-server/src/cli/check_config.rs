//! `check-config`.

use super::{
    CliError, print,
    settings::{Missing, Settings},
};
use crate::{app::StartError, dev, schemas::Schemas};

/// Reads everything the server would read before it opens the database, and changes nothing.
pub(super) fn run(settings: &Settings) -> Result<(), CliError> {
    if dev::secrets::would_generate(&settings.sources()) {
        return print("no secrets are set: `serve` would generate them (dev profile)");
    }
    let config = settings.load(Missing::Report)?.config;
    Schemas::load(config.schema_dir.as_deref()).map_err(StartError::Schemas)?;
    print("the configuration is valid")
}

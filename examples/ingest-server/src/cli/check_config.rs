//! `check-config`.

use super::{
    CliError, print,
    settings::{Missing, Settings},
};
use crate::cli::dev;

/// Reads everything the server would read before it opens the database, and changes nothing.
pub(super) fn run(settings: &Settings) -> Result<(), CliError> {
    let would_generate = dev::secrets::would_generate(&settings.sources());
    settings.load(Missing::Imagine)?;
    print("the configuration is valid")?;
    if would_generate {
        print("no secrets are set: `serve` will generate them (dev profile)")?;
    }
    Ok(())
}

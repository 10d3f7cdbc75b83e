//! `check-config`.

use super::{
    CliError, print,
    settings::{Missing, Settings},
};
use crate::dev;

/// Reads everything the server would read before it opens the database, and changes nothing.
pub(super) fn run(settings: &Settings) -> Result<(), CliError> {
    if dev::secrets::would_generate(&settings.sources()) {
        return print("no secrets are set: `serve` would generate them (dev profile)");
    }
    settings.load(Missing::Report)?;
    print("the configuration is valid")
}

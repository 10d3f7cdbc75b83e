//! The configuration, from names and values.

use std::{ffi::OsString, net::SocketAddr, path::Path};

use crate::config::{Config, Flags, Profile, Sources, settings};

/// A configuration that the service would start with.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a target looks at all of it")]
pub struct Loaded {
    /// Whether it is the strict profile.
    pub is_production: bool,
    /// The public address.
    pub listen: SocketAddr,
    /// The admin address.
    pub admin_listen: SocketAddr,
    /// The share of traces.
    pub trace_sample_ratio: f64,
    /// What `Debug` shows of it.
    pub shown: String,
    /// What would be logged about it.
    pub warnings: String,
}

/// Names of settings: in the environment, in the file.
#[must_use]
pub fn names() -> (Vec<String>, Vec<&'static str>) {
    let variables = settings::ALL.iter().flat_map(|setting| setting.variables());
    let keys = settings::ALL.iter().filter_map(|setting| setting.key);
    (variables.collect(), keys.collect())
}

/// Whether a variable may hold a secret, or name a file that does.
#[must_use]
pub fn is_secret(variable: &str) -> bool {
    settings::secrets().any(|secret| variable.starts_with(secret.variable))
}

/// Reads and checks every setting.
///
/// # Errors
/// The text that lists every problem.
pub fn load(
    environment: impl IntoIterator<Item = (String, OsString)>,
    file: Option<&Path>,
) -> Result<Loaded, String> {
    let sources = Sources::new(Flags::new(), environment, file);
    let config = Config::load(&sources).map_err(|error| error.to_string())?;
    Ok(Loaded {
        is_production: config.profile == Profile::Production,
        listen: config.network.listen,
        admin_listen: config.network.admin_listen,
        trace_sample_ratio: config.observability.trace_sample_ratio,
        shown: format!("{config:?}"),
        warnings: format!("{:?}", config.warnings),
    })
}

//! Log lines on standard error: JSON, or pretty on a terminal in the dev profile.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::{
    filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::config::{Config, Profile};

/// Starts logging for the whole process.
pub(crate) fn init(config: &Config) {
    let filter: Targets = config.log_filter.parse().unwrap_or_default();
    let is_pretty = config.profile == Profile::Dev && io::stderr().is_terminal();
    let registry = tracing_subscriber::registry().with(filter);
    if is_pretty {
        registry.with(fmt::layer().with_writer(io::stderr)).init();
    } else {
        registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(io::stderr),
            )
            .init();
    }
}

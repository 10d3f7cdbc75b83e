//! `metrics`.

use clap::Args;

use super::{CliError, print};

#[derive(Debug, Args)]
pub(super) struct Metrics {
    /// As JSON, for programs: labels with their values, bounds of buckets, which series are there from the start.
    #[arg(long)]
    json: bool,
}

/// What a test holds to be what the service registers.
const PAGE: &str = include_str!("../../../../docs/metrics.md");
const CATALOGUE: &str = include_str!("../../../../docs/metrics.json");

/// Lists every metric that this version can have. Nothing is read and nothing is opened.
pub(super) fn run(arguments: &Metrics) -> Result<(), CliError> {
    let text = if arguments.json { CATALOGUE } else { PAGE };
    print(text.trim_end())
}

//! `audit vkey`: what a log is verified with.

use clap::Args;
use serde_json::json;

use super::log::{LogError, Named};
use crate::{
    backend::NamedLogs,
    cli::{
        CliError, print,
        settings::{MissingSecrets, Settings},
    },
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Vkey {
    #[command(flatten)]
    log: Named,
    /// Print JSON, one key a line.
    #[arg(long)]
    json: bool,
}

/// It needs the secrets that the keys are made of, and no database.
pub(super) async fn run(settings: &Settings, arguments: &Vkey) -> Result<(), CliError> {
    let loaded = settings.load_quietly(MissingSecrets::Report).await?;
    let logs = NamedLogs::new(&loaded.config);
    let (name, number) = (arguments.log.name(&logs), arguments.log.generation());
    let keys = logs.keys(name, number).map_err(LogError::from)?;
    let mut keys = keys.iter().map(ToString::to_string);
    keys.try_for_each(|key| {
        if arguments.json {
            print(&json!({ "vkey": key }).to_string())
        } else {
            print(&key)
        }
    })
}

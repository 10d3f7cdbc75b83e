//! `audit tail`: the latest entries, and those that come.

use std::{num::NonZeroUsize, time::Duration};

use clap::Args;
use portcullis_audit_log::search::Filter;

use super::{
    filters::Filters,
    log::{LogError, Named},
    search::{leaf, show},
};
use crate::{
    audit::PublishedLog,
    cli::{CliError, opened::Opened},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Tail {
    #[command(flatten)]
    log: Named,
    #[command(flatten)]
    filters: Filters,
    /// The latest so many.
    #[arg(long, value_name = "NUMBER", default_value = "10")]
    lines: NonZeroUsize,
    /// Go on with those that come, as they are published: each minute, or when somebody asks for a proof.
    #[arg(long)]
    follow: bool,
    /// Print JSON, one entry a line.
    #[arg(long)]
    json: bool,
}

/// From one look for a checkpoint to the next.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(opened: &Opened, arguments: Tail) -> Result<(), CliError> {
    let Tail {
        log: named,
        filters,
        lines,
        follow,
        json,
    } = arguments;
    let filter = filters.read()?;
    let log = named.read(opened).await?;
    let mut latest = Vec::new();
    'read: for bundle in log.bundles().rev() {
        let mut entries = log.bundle(bundle).map_err(LogError::from)?;
        entries.reverse();
        for entry in entries {
            if latest.len() == lines.get() {
                break 'read;
            }
            if filter.matches(&leaf(&entry)?) {
                latest.push(entry);
            }
        }
    }
    latest.reverse();
    show(&latest, json)?;
    if follow {
        go_on(&filter, log, json).await?;
    }
    Ok(())
}

/// Shows what comes, until it is interrupted.
async fn go_on(filter: &Filter, mut log: PublishedLog, json: bool) -> Result<(), CliError> {
    loop {
        tokio::select! {
            // The command's own log is closed in order. Without the signal there is none to wait for.
            _ = tokio::signal::ctrl_c() => return Ok(()),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let next = log.size();
        log = log.again().map_err(LogError::from)?;
        if log.size() <= next {
            continue;
        }
        let mut came = Vec::new();
        for bundle in PublishedLog::bundle_of(next)..log.bundles().end {
            for entry in log.bundle(bundle).map_err(LogError::from)? {
                if entry.n >= next && filter.matches(&leaf(&entry)?) {
                    came.push(entry);
                }
            }
        }
        if !came.is_empty() {
            show(&came, json)?;
        }
    }
}

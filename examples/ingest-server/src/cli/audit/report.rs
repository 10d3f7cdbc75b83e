//! `audit report`: what happened in a period.

use clap::{Args, ValueEnum};

use super::{
    log::{LogError, Named},
    search::leaf,
};
use crate::{
    admin::{AuditPeriod, instant},
    audit::Reporting,
    cli::{CliError, keys::to_json, opened::Opened, print},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Report {
    #[command(flatten)]
    log: Named,
    /// From this time on, RFC 3339, or this day.
    #[arg(long, value_name = "TIME")]
    from: String,
    /// Before this time or day; now unless it is said.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Markdown,
    Json,
    /// One page, that needs nothing else.
    Html,
}

pub(super) async fn run(opened: &Opened, arguments: Report) -> Result<(), CliError> {
    let Report {
        log: named,
        from,
        to,
        format,
    } = arguments;
    let from = Some(from);
    let now = opened.clock.wall();
    let period = AuditPeriod { from, to }.read(now);
    let period = period.map_err(LogError::from)?;
    let log = named.read(opened).await?;
    let mut reporting = Reporting::new(period);
    let (first, end) = reporting.span();
    let first = log.bundle_since(first).map_err(LogError::from)?;
    'read: for bundle in first..log.bundles().end {
        for entry in log.bundle(bundle).map_err(LogError::from)? {
            let leaf = leaf(&entry)?;
            if leaf.time() >= end {
                break 'read;
            }
            reporting.observe(&leaf);
        }
    }
    let checkpoint = log.signed().checkpoint().clone();
    let now = instant(now).unwrap_or(period.to);
    let report = reporting.finish(Some(checkpoint), now);
    let title = format!("Audit log {}", named.name(&opened.logs));
    print(&match format {
        Format::Markdown => report.to_markdown(&title),
        Format::Json => to_json(&report.to_json()),
        Format::Html => report.to_html(&title),
    })
}

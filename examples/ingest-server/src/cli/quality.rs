//! `quality report`: how good the data was that came in over some days.

use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};

use super::{
    CliError,
    keys::to_json,
    opened::{Opened, Unobserved},
    print,
    settings::Settings,
};
use crate::{
    admin::{PeriodAsked, QualityPeriods},
    backend::MissingPeppers,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// What became of the events of some days, why they were refused, and where the score is going. Who
    /// asks is on record.
    Report(Report),
}

#[derive(Debug, Args)]
pub(super) struct Report {
    /// Of the last days, today included (UTC); 7 unless a beginning is said.
    #[arg(long, value_name = "1…366", conflicts_with_all = ["from", "to"])]
    days: Option<String>,
    /// From this day on, such as 2026-05-01.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Up to this day; today unless it is said.
    #[arg(long, value_name = "DAY", requires = "from")]
    to: Option<String>,
    /// Of this tenant alone.
    #[arg(long)]
    tenant: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Markdown,
    Json,
    /// One page with plots, that needs nothing else.
    Html,
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CliError> {
    let Command::Report(report) = command;
    let opened = Opened::open(settings, MissingPeppers::Accept).await?;
    let outcome = show(&opened, report).await;
    opened.close().await;
    outcome
}

async fn show(opened: &Opened, arguments: Report) -> Result<(), CliError> {
    let Report {
        days,
        from,
        to,
        tenant,
        format,
    } = arguments;
    let days = days.or_else(|| from.is_none().then(|| "7".to_owned()));
    let asked = PeriodAsked { days, from, to };
    let periods = QualityPeriods::new(
        Arc::clone(&opened.backend.quality_history),
        Arc::clone(&opened.clock),
        opened.audit.clone(),
        Arc::new(Unobserved),
    );
    let report = periods.report(&opened.actor, tenant.as_deref(), &asked);
    let report = report.await?;
    print(&match format {
        Format::Markdown => report.markdown().to_string(),
        Format::Json => to_json(&report),
        Format::Html => report.html().to_string(),
    })
}

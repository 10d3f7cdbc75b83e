//! `audit verify`: whether a log is what it has signed.

use clap::Args;
use portcullis_audit_log::verify::Outcome;
use serde_json::json;

use super::log::Named;
use crate::{
    audit::actions::AUDIT_VERIFY,
    cli::{CliError, keys::Unfinished, opened::Opened, print},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    log: Named,
    /// From this entry on.
    #[arg(long, value_name = "NUMBER", default_value = "0")]
    from: u64,
    /// Before this entry.
    #[arg(long, value_name = "NUMBER")]
    to: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(opened: &Opened, arguments: &Verify) -> Result<(), CliError> {
    let log = arguments.log.read_as(AUDIT_VERIFY, opened).await?;
    let report = log.verify(
        arguments.from..arguments.to.unwrap_or(u64::MAX),
        arguments.log.pruning(&opened.logs),
    );
    let outcome = report.outcome();
    let findings: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    if arguments.json {
        print(
            &json!({
                "outcome": outcome.to_string(),
                "size": log.size(),
                "entries": report.entries,
                "pruned": report.pruned,
                "findings": findings,
                "more_findings": report.more,
            })
            .to_string(),
        )?;
    } else {
        let (entries, pruned) = (report.entries, report.pruned);
        print(&format!(
            "{outcome}: {entries} entries of {}, {pruned} pruned",
            log.size()
        ))?;
        findings.iter().try_for_each(|finding| print(finding))?;
    }
    if outcome == Outcome::Sound {
        return Ok(());
    }
    Err(Unfinished::new(format!("the log is {outcome}: see above")).into())
}

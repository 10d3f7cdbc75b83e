//! `audit verify`: whether a log is what it has signed.

use clap::Args;
use portcullis_audit_log::{source::TreeFileError, verify::Outcome};
use serde_json::json;

use super::log::{LogError, Named};
use crate::{
    audit::{PublishedError, actions::AUDIT_VERIFY},
    backend::NamedLogError,
    cli::{CliError, opened::Opened, print},
};

const EXIT_CODES: &str = "\
Exit codes, as portcullis-audit has them:
  0  sound: all that is there is what was signed
  1  tampered: something is not what was signed
  2  unusable: there is no such log or range, nothing is published yet, or it cannot be read
  3  incomplete: files are missing that pruning does not explain";

/// The log is not sound, or nobody can tell.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Unverified {
    #[error("the log is {0}: see above")]
    Found(Outcome),
    #[error(transparent)]
    Unread(LogError),
    #[error(transparent)]
    Index(PublishedError),
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
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
    let log = arguments.log.read_as(AUDIT_VERIFY, opened).await;
    let log = log.map_err(Unverified::Unread)?;
    let report = log.verify(
        arguments.from..arguments.to.unwrap_or(u64::MAX),
        arguments.log.pruning(&opened.logs),
    );
    let report = report.map_err(Unverified::Index)?;
    let outcome = report.outcome();
    let findings: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    if arguments.json {
        print(
            &json!({
                "outcome": outcome.to_string(),
                "size": log.size(),
                "entries": report.in_range,
                "read": report.entries,
                "pruned": report.pruned,
                "findings": findings,
                "more_findings": report.more,
            })
            .to_string(),
        )?;
    } else {
        let (entries, read, pruned) = (report.in_range, report.entries, report.pruned);
        print(&format!(
            "{outcome}: {entries} entries of {}, {pruned} pruned ({read} read, whole bundles of them)",
            log.size()
        ))?;
        findings.iter().try_for_each(|finding| print(finding))?;
    }
    if outcome == Outcome::Sound {
        return Ok(());
    }
    Err(Unverified::Found(outcome).into())
}

impl Unverified {
    /// What the process ends with.
    pub(in crate::cli) const fn exit_code(&self) -> u8 {
        match self.outcome() {
            Outcome::Sound => 0,
            Outcome::Tampered => 1,
            Outcome::Unusable => 2,
            Outcome::Incomplete => 3,
        }
    }

    const fn outcome(&self) -> Outcome {
        let files = match self {
            Self::Found(outcome) => return *outcome,
            Self::Unread(LogError::Named(NamedLogError::Published {
                error: PublishedError::Files(error),
                ..
            })) => error,
            Self::Unread(_) | Self::Index(_) => return Outcome::Unusable,
        };
        match files {
            TreeFileError::File { .. } => Outcome::Tampered,
            TreeFileError::Missing { .. } => Outcome::Incomplete,
            _ => Outcome::Unusable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_changed_ends_with_1() {
        for (outcome, expected) in [
            (Outcome::Tampered, 1),
            (Outcome::Unusable, 2),
            (Outcome::Incomplete, 3),
        ] {
            assert_eq!(Unverified::Found(outcome).exit_code(), expected);
        }
        let unpublished = NamedLogError::Published {
            name: "server".to_owned(),
            error: PublishedError::Unpublished,
        };
        let unknown = NamedLogError::Unknown {
            name: "server-2".to_owned(),
            there: "none".to_owned(),
        };
        for error in [unpublished, unknown] {
            assert_eq!(Unverified::Unread(error.into()).exit_code(), 2);
        }
        let text = PublishedError::Unpublished.to_string();
        assert!(text.contains("wait up to a minute"), "{text}");
    }
}

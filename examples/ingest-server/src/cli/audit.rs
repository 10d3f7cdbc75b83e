//! `audit …`: what is on record. The log of a service is read as it is published, also while the service runs; what
//! changes a log needs it to itself.

mod accept_rollback;
mod archive;
mod close;
mod erase;
mod export;
mod filters;
mod log;
mod open;
mod proof;
mod prune;
mod report;
mod search;
mod tail;
mod verify;
mod vkey;

use clap::Subcommand;

use super::{CliError, opened::Opened, settings::Settings};
use crate::{audit::Audited, audit::actions as on_record, backend::MissingPeppers};

pub(super) use self::{log::LogError, verify::Unverified};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the latest entries, and those that come.
    Tail(tail::Tail),
    /// Show entries that match, newest first.
    Search(search::Search),
    /// Tell what happened in a period: totals, by field, action and outcome, findings, what is missing, and a score.
    Report(report::Report),
    /// Find out whether a log is what it has signed.
    Verify(verify::Verify),
    /// Write entries as OCSF 1.8.0, one a line, for other programs.
    Export(export::Export),
    /// Take out now what is older than it may be, of a log whose process does not run or that is in a database.
    Prune(prune::Prune),
    /// Put into its archive what a log has more than that, of a process that does not run or in a database. A service
    /// does it each hour.
    Archive(archive::Archive),
    /// Begin the log that follows one which was put back, cut or damaged, of a process that does not run.
    AcceptRollback(accept_rollback::AcceptRollback),
    /// Erase what lies beside entries: addresses and what was typed. Of a log whose process does not run or that is in
    /// a database.
    Erase(erase::Erase),
    /// Say that a finding of the rules was looked at. Of a log whose process does not run or that is in a database.
    Close(close::Close),
    /// Write the proof that an entry is in the log: a `.tlog-proof`, with the entry beside it.
    Proof(proof::Proof),
    /// Show what a log is verified with: its public keys.
    Vkey(vkey::Vkey),
}

impl Command {
    /// How it is recorded. There is no command without.
    pub(super) const fn audited(&self) -> Audited {
        match self {
            Self::Tail(_)
            | Self::Search(_)
            | Self::Report(_)
            | Self::Export(_)
            | Self::Proof(_) => Audited::Must(on_record::AUDIT_READ),
            Self::Verify(_) => Audited::Must(on_record::AUDIT_VERIFY),
            Self::Prune(_) => Audited::Must(on_record::AUDIT_PRUNE),
            Self::Archive(_) => Audited::Must(on_record::AUDIT_ARCHIVE),
            Self::AcceptRollback(_) => Audited::Must(on_record::AUDIT_ACCEPT_ROLLBACK),
            Self::Erase(_) => Audited::Must(on_record::AUDIT_ERASE),
            Self::Close(_) => Audited::Must(on_record::AUDIT_FINDING_CLOSED),
            Self::Vkey(_) => Audited::Never("what it shows is public"),
        }
    }
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CliError> {
    let command = match command {
        Command::Vkey(arguments) => return vkey::run(settings, &arguments).await,
        Command::AcceptRollback(arguments) => {
            return accept_rollback::run(settings, &arguments).await;
        }
        command => command,
    };
    let opened = Opened::open(settings, MissingPeppers::Accept).await?;
    let outcome = run_on(&opened, command).await;
    opened.close().await;
    outcome
}

async fn run_on(opened: &Opened, command: Command) -> Result<(), CliError> {
    match command {
        Command::Tail(arguments) => tail::run(opened, arguments).await,
        Command::Search(arguments) => search::run(opened, arguments).await,
        Command::Report(arguments) => report::run(opened, arguments).await,
        Command::Verify(arguments) => verify::run(opened, &arguments).await,
        Command::Export(arguments) => export::run(opened, arguments).await,
        Command::Prune(arguments) => prune::run(opened, &arguments).await,
        Command::Archive(arguments) => archive::run(opened, &arguments).await,
        Command::Erase(arguments) => erase::run(opened, arguments).await,
        Command::Close(arguments) => close::run(opened, arguments).await,
        Command::Proof(arguments) => proof::run(opened, &arguments).await,
        Command::Vkey(_) | Command::AcceptRollback(_) => Ok(()),
    }
}

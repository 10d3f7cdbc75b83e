//! The command line.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use portcullis_audit_log::{
    checkpoint::{InvalidPolicy, Policy},
    note::VerifyingKey,
};

use super::location::Location;

const EXIT_CODES: &str = "\
Exit codes:
  0  sound: all that is there is what was signed
  1  tampered: something is not what was signed, or the log is not the one that was kept
  2  unusable: it cannot be judged (wrong key, unreadable files, wrong arguments)
  3  incomplete: files are missing that pruning does not explain

What is wrong is printed on standard error, with the file and the entry that it is about.";

/// Verifies an audit log from its files and its public key. No service is asked, and nothing is trusted but the keys.
#[derive(Debug, Parser)]
#[command(name = "portcullis-audit", version, about, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Verify every entry, tile and signature of a log.
    Verify(Verify),
    /// Print the proof that an entry is in the log: a .tlog-proof, which needs no other file to be verified.
    Proof(One),
    /// Print an entry, and verify that it is in the log.
    Show(One),
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Verify {
    #[command(flatten)]
    pub(super) log: Log,
    /// Verify entries from this one on alone (from 0); the tiles prove where they belong.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) from: u64,
    /// Verify entries before this one alone.
    #[arg(long, value_name = "N")]
    pub(super) to: Option<u64>,
    /// The log was pruned below this entry, and is whole from it on. Without it, what is missing at the beginning
    /// counts as pruned if the hashes are there.
    #[arg(long, value_name = "N")]
    pub(super) pruned_below: Option<u64>,
    /// What is missing at the beginning must be on record in the log, as `audit.pruned`. The log of a process that has
    /// ended, which another took entries from, does not have that.
    #[arg(long)]
    pub(super) pruning_on_record: bool,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct One {
    #[command(flatten)]
    pub(super) log: Log,
    /// The entry, from 0.
    #[arg(value_name = "N")]
    pub(super) n: u64,
}

/// Which log, and what is believed of it.
#[derive(Debug, Args)]
pub(super) struct Log {
    /// The folder that has the file `checkpoint`, or the http or https URL of one; or the folder of a store, in which
    /// that is `log`, and whose index is then held against the entries by `verify`. With the feature `archive`, an
    /// archive too, `file:///folder`; with `s3`, `s3://bucket/prefix`, reached as AWS_* of the environment say.
    #[arg(value_name = "DIR|URL")]
    pub(super) location: Location,
    /// A public key of the log, as name+id+key; several while one replaces another.
    #[arg(long, value_name = "VKEY", required = true)]
    vkey: Vec<VerifyingKey>,
    /// The public key of a witness that must have signed the checkpoint too; may be given several times.
    #[arg(long, value_name = "VKEY")]
    witness: Vec<VerifyingKey>,
    /// How many of the witnesses must have signed [default: all of them].
    #[arg(long, value_name = "N", requires = "witness")]
    witnesses: Option<NonZeroUsize>,
    /// A checkpoint of this log that was kept: the log must have only grown since. If it has, and all else is sound,
    /// the newer checkpoint takes its place; a file that is not there is written.
    #[arg(long, value_name = "FILE")]
    pub(super) since: Option<PathBuf>,
}

impl Log {
    /// What must have signed the log's checkpoint.
    pub(super) fn policy(&self) -> Result<Policy, InvalidPolicy> {
        let required = match self.witnesses {
            Some(required) => required.get(),
            None => {
                let mut names: Vec<_> = self.witness.iter().map(VerifyingKey::name).collect();
                names.sort_unstable();
                names.dedup();
                names.len()
            }
        };
        self.log_keys()?
            .with_witnesses(required, self.witness.clone())
    }

    /// What must have signed a checkpoint that was kept, whatever witnesses were known then.
    pub(super) fn log_keys(&self) -> Result<Policy, InvalidPolicy> {
        Policy::new(self.vkey.clone())
    }
}

//! `audit proof`: that an entry is in the log.

use clap::Args;

use super::log::{LogError, Named};
use crate::cli::{CliError, opened::Opened, print};

#[derive(Debug, Args)]
pub(in crate::cli) struct Proof {
    /// The number of the entry, from 0.
    n: u64,
    #[command(flatten)]
    log: Named,
}

pub(super) async fn run(opened: &Opened, arguments: &Proof) -> Result<(), CliError> {
    let log = arguments.log.read(opened).await?;
    let proof = log.proof(arguments.n).map_err(LogError::from)?.to_string();
    // It ends its last line itself.
    print(proof.trim_end_matches('\n'))
}

//! `audit export`: entries as OCSF, for other programs.

use std::io::{self, Write as _};

use clap::Args;

use super::{
    filters::Filters,
    log::{LogError, Named},
    search::leaf,
};
use crate::{
    audit::ocsf,
    cli::{CliError, opened::Opened},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    log: Named,
    #[command(flatten)]
    filters: Filters,
}

/// Lines of OCSF 1.8.0, oldest first.
pub(super) async fn run(opened: &Opened, arguments: Export) -> Result<(), CliError> {
    let filter = arguments.filters.read()?;
    let ocsf = ocsf();
    let log = arguments.log.read(opened).await?;
    let mut lines = Vec::new();
    for bundle in log.bundles() {
        for entry in log.bundle(bundle).map_err(LogError::from)? {
            let leaf = leaf(&entry)?;
            if filter.matches(&leaf) {
                ocsf.write_line(&leaf, &mut lines);
            }
        }
        write(&lines)?;
        lines.clear();
    }
    Ok(())
}

fn write(lines: &[u8]) -> Result<(), CliError> {
    let mut output = io::stdout().lock();
    let written = output.write_all(lines).and_then(|()| output.flush());
    written.map_err(|error| CliError::Output(error.kind()))
}

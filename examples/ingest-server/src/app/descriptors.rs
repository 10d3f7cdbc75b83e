//! File descriptors: how many the settings need, and whether the process may have them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Connections of the admin listener at once.
pub(super) const ADMIN_CONNECTIONS: u16 = 64;

/// What is kept for the admin listener when all others are used up.
pub(super) const RESERVE: u16 = 16;

/// Files, the database and what goes out: its connections have two or three each.
const OTHERS: u16 = 128;

/// The process may open too few files for what is configured.
#[derive(Debug, thiserror::Error)]
#[error(
    "{needed} file descriptors are needed for {connections} connections, and the hard limit is {hard}: \
     raise it (`ulimit -Hn {needed}`, systemd's LimitNOFILE, a container's ulimits) or lower \
     INGEST_MAX_CONNECTIONS"
)]
pub(crate) struct TooFewDescriptors {
    needed: u64,
    hard: u64,
    connections: u16,
}

/// Whether the hard limit is high enough.
pub(crate) fn check(config: &Config) -> Result<(), TooFewDescriptors> {
    let needed = needed(config);
    match getrlimit(Resource::Nofile).maximum {
        Some(hard) if hard < needed => Err(TooFewDescriptors {
            needed,
            hard,
            connections: config.network.max_connections.get(),
        }),
        _ => Ok(()),
    }
}

/// Raises the soft limit to what is needed; one that is higher stays.
pub(super) fn raise(config: &Config) -> Result<(), TooFewDescriptors> {
    check(config)?;
    let needed = needed(config);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|soft| soft < needed) {
        let raised = Rlimit {
            current: Some(needed),
            ..limit
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(kind = %error.kind(), "the limit of file descriptors was not raised");
        }
    }
    Ok(())
}

fn needed(config: &Config) -> u64 {
    [
        config.network.max_connections.get(),
        ADMIN_CONNECTIONS,
        OTHERS,
        RESERVE,
    ]
    .into_iter()
    .map(u64::from)
    .sum()
}

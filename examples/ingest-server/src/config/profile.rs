//! Which promises the process makes about its surroundings.

use super::{Sources, problems::Problems};

/// How strict the start is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// One command on a fresh machine: missing secrets are generated for an empty database.
    Dev,
    /// Refuses to start without every secret, with weak ones or with an open admin address.
    Production,
}

pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Profile {
    match sources.value("INGEST_PROFILE").as_deref() {
        None | Some("dev") => Profile::Dev,
        Some("production") => Profile::Production,
        Some(_) => {
            problems.add("INGEST_PROFILE", "must be `dev` or `production`");
            // The stricter one, so that its problems are listed too.
            Profile::Production
        }
    }
}

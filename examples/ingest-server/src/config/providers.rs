//! Other programs that do a part of the work.

use super::{
    given::Given,
    problems::Problems,
    redis::{self, SharedLimits},
    settings,
    sources::Sources,
};

/// Which programs do a part of the work.
#[derive(Debug, Clone)]
pub(crate) struct Providers {
    pub(crate) kek: KekSource,
    pub(crate) limits: LimitStore,
}

/// Where the buckets of the limits are.
#[derive(Debug, Clone)]
pub(crate) enum LimitStore {
    /// In the memory of each process.
    Memory,
    /// On a Redis server, for all processes.
    Redis(SharedLimits),
}

/// Who holds the key-encryption keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KekSource {
    /// This process, which reads them from its environment.
    Local,
}

impl KekSource {
    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
        }
    }
}

/// Refuses what would otherwise be missed without a word.
pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Providers {
    if let Some(Given { text, origin }) = sources.value(settings::KEK_PROVIDER) {
        match text.as_str() {
            "local" => {}
            feature @ ("aws-kms" | "vault") => problems.add(
                &origin,
                format!("needs the cargo feature `{feature}`, which this build does not contain"),
            ),
            _ => problems.add(&origin, "must be `local`"),
        }
    }
    Providers {
        kek: KekSource::Local,
        limits: redis::read(sources, problems).map_or(LimitStore::Memory, LimitStore::Redis),
    }
}

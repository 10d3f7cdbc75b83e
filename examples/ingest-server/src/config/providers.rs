//! Other programs that could do a part of the work, none of which this build contains.

use super::{given::Given, problems::Problems, settings, sources::Sources};

/// Which programs do a part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Providers {
    pub(crate) kek: KekSource,
    pub(crate) limits: LimitStore,
}

/// Where the buckets of the limits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitStore {
    /// In the memory of each process.
    Memory,
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
    if let Some(Given { origin, .. }) = sources.value(settings::REDIS_URL) {
        problems.add(
            &origin,
            "is not part of this build; limits and revocation go through the database",
        );
    }
    Providers {
        kek: KekSource::Local,
        limits: LimitStore::Memory,
    }
}

//! The latest version of a key, for as long as it can be relied on.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use portcullis_versioned_secrets::SecretVersion;

use crate::clock::{Clock as _, SystemClock};

/// The version that Vault has named last. Keys are rotated in Vault, which tells nobody: what was named a
/// while ago says nothing about now.
#[derive(Debug, Default)]
pub(super) struct Latest(Mutex<Option<(SecretVersion, Duration)>>);

/// Short enough that no operator rotates a key and has everything wrapped again within it.
const KNOWN_FOR: Duration = Duration::from_secs(1);

impl Latest {
    pub(super) fn learn(&self, version: SecretVersion) {
        let now = SystemClock::new().monotonic();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, now));
    }

    pub(super) fn known(&self) -> Option<SecretVersion> {
        let now = SystemClock::new().monotonic();
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, at) = known?;
        (now.saturating_sub(at) < KNOWN_FOR).then_some(version)
    }
}

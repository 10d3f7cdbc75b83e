//! The latest version of a key, for as long as it can be relied on.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis_versioned_secrets::SecretVersion;

use crate::clock::Clock;

/// The version that Vault has named last. Keys are rotated in Vault, which tells nobody: what was named a
/// while ago says nothing about now.
#[derive(Debug)]
pub(super) struct Latest {
    named: Mutex<Option<(SecretVersion, Duration)>>,
    clock: Arc<dyn Clock>,
}

/// Short enough that no operator rotates a key and has everything wrapped again within it.
const KNOWN_FOR: Duration = Duration::from_secs(1);

impl Latest {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            named: Mutex::default(),
            clock,
        }
    }

    pub(super) fn learn(&self, version: SecretVersion) {
        let now = self.clock.monotonic();
        *self.named.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, now));
    }

    pub(super) fn known(&self) -> Option<SecretVersion> {
        let now = self.clock.monotonic();
        let named = *self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, at) = named?;
        (now.saturating_sub(at) < KNOWN_FOR).then_some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;

    #[test]
    fn a_version_is_known_for_a_second() {
        let clock = Arc::new(FakeClock::new());
        let latest = Latest::new(clock.clone());
        assert_eq!(latest.known(), None);
        latest.learn(SecretVersion::FIRST);
        clock.advance(Duration::from_millis(999));
        assert_eq!(latest.known(), Some(SecretVersion::FIRST));
        clock.advance(Duration::from_millis(1));
        assert_eq!(latest.known(), None);
    }
}

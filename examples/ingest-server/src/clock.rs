//! Wall-clock time and randomness, passed in so that tests can choose them.

use std::{fmt::Debug, time::Instant};

use portcullis_keyring::entropy::{Entropy, EntropyError};
use time::OffsetDateTime;

use crate::store::LeadId;

/// Tells the time.
pub(crate) trait Clock: Debug + Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> OffsetDateTime;

    /// A moment to measure from: the wall clock may be set meanwhile.
    fn instant(&self) -> Instant;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the system implementation"
        )]
        std::time::SystemTime::now().into()
    }

    fn instant(&self) -> Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the system implementation"
        )]
        Instant::now()
    }
}

/// A new lead id: UUIDv7, so that ids sort by creation.
pub(crate) fn make_lead_id(
    now: OffsetDateTime,
    entropy: &dyn Entropy,
) -> Result<LeadId, EntropyError> {
    let mut random = [0; 10];
    entropy.fill(&mut random)?;
    let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    Ok(LeadId(
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
    ))
}

/// A seed for choices that need not be secret, only unpredictable.
pub(crate) fn make_seed(entropy: &dyn Entropy) -> Result<[u8; 32], EntropyError> {
    let mut seed = [0; 32];
    entropy.fill(&mut seed)?;
    Ok(seed)
}

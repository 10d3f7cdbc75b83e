//! Wall-clock time and randomness, passed in so that tests can choose them.

use std::fmt::Debug;

use ring::rand::{SecureRandom as _, SystemRandom};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::LeadId;

/// Tells the time.
pub(crate) trait Clock: Debug + Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> OffsetDateTime;
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
}

/// The system had no random bytes to give.
#[derive(Debug, thiserror::Error)]
#[error("the system's random source failed")]
pub(crate) struct RandomUnavailable;

/// A new lead id: UUIDv7, so that ids sort by creation.
pub(crate) fn make_lead_id(now: OffsetDateTime) -> Result<LeadId, RandomUnavailable> {
    let mut random = [0; 10];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| RandomUnavailable)?;
    let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    Ok(LeadId(
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
    ))
}

/// A seed for choices that need not be secret, only unpredictable.
pub(crate) fn make_seed() -> Result<[u8; 32], RandomUnavailable> {
    let mut seed = [0; 32];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| RandomUnavailable)?;
    Ok(seed)
}

impl LeadId {
    /// Reads a lead id from a path or an event.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(Self)
    }
}

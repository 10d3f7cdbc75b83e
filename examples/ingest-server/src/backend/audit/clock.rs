//! The service's clock, as the log takes it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use portcullis_audit_log::clock::Clock as LogClock;

use crate::clock::Clock;

/// The service's clock, as the log takes it.
#[derive(Debug)]
pub(super) struct AuditClock(pub(super) Arc<dyn Clock>);

impl LogClock for AuditClock {
    fn wall(&self) -> SystemTime {
        self.0.wall().into()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

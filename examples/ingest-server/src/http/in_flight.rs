//! What a request holds while it is worked on.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

/// A permit to be among the requests in flight. Work that goes on when its sender is gone keeps a
/// clone.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl InFlight {
    pub(super) fn new(permit: OwnedSemaphorePermit) -> Self {
        Self {
            _permit: Arc::new(permit),
        }
    }
}

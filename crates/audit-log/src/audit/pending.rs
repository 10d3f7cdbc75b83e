//! A change that is on record as begun.

use std::{fmt, sync::Arc};

use super::{Recorded, Shared, Unrecorded, queued::Waits};
use crate::event::{Code, Delivery, EventBuilder};

/// Something that was begun. It is on record by now, and what came of it is to be said by [`finish`](Self::finish).
///
/// Dropped without that, and 5 minutes after it was begun, it is on record that nobody knows what came of it.
#[must_use = "what was begun is to be finished"]
pub struct Pending {
    shared: Arc<Shared>,
    intent: Recorded,
    /// What was begun; `None` once it is finished.
    draft: Option<EventBuilder>,
}

/// What came of something that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "these are the outcomes of version 1 of the leaf"
)]
pub enum Ending {
    /// It was done.
    Success,
    /// It was not allowed, for this reason.
    Denied(Code),
    /// It did not succeed, for this reason.
    Failure(Code),
    /// Nobody can tell, for this reason.
    Unknown(Code),
}

impl Pending {
    pub(super) const fn new(shared: Arc<Shared>, intent: Recorded, draft: EventBuilder) -> Self {
        Self {
            shared,
            intent,
            draft: Some(draft),
        }
    }

    /// The event that says that it was begun.
    #[must_use]
    pub const fn intent(&self) -> Recorded {
        self.intent
    }

    /// Says more of what is done, as which thing came to be.
    pub fn amend(mut self, more: impl FnOnce(EventBuilder) -> EventBuilder) -> Self {
        self.draft = self.draft.take().map(more);
        self
    }

    /// Puts on record what came of it.
    ///
    /// # Errors
    /// [`Unrecorded`] if that is not durable within 2 s. What was done stays done; the log has then that it was begun,
    /// and comes to have either this or that nobody knows.
    pub async fn finish(mut self, ending: Ending) -> Result<Recorded, Unrecorded> {
        let Some(draft) = self.draft.take() else {
            return Err(Unrecorded::Closed);
        };
        let intent = self.intent.id;
        let draft = match ending {
            Ending::Success => draft,
            Ending::Denied(detail) => draft.denied(detail),
            Ending::Failure(detail) => draft.failed(detail),
            Ending::Unknown(detail) => draft.unknown(detail),
        };
        let draft = draft.refs([intent]);
        let event = self.shared.queued(draft, Delivery::Must, None)?;
        let waits = |reply| Waits::Finisher(intent, reply);
        self.shared.deliver(event, waits).await
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.draft.is_some() {
            self.shared.abandon(self.intent.id);
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("intent", &self.intent)
            .finish_non_exhaustive()
    }
}

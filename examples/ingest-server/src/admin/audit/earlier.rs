//! What a version before this one put on record, in a table that nothing is added to.

use std::num::{NonZeroU16, NonZeroU64};

use serde::Serialize;

use crate::store::{EarlierEntry, EarlierQuery, Store, StoreError};

/// Which events are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct EarlierRequest {
    pub(crate) tenant: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) before: Option<NonZeroU64>,
    pub(crate) limit: Option<NonZeroU16>,
}

/// Some events, newest first, and where the next page begins.
#[derive(Debug, Serialize)]
pub(crate) struct EarlierPage {
    events: Vec<EarlierEntry>,
    next: Option<String>,
}

/// The events on a page, by default and at most.
const DEFAULT_PAGE: NonZeroU16 = NonZeroU16::new(100).expect("it is not zero");
pub(crate) const MAX_EARLIER: NonZeroU16 = NonZeroU16::new(1_000).expect("it is not zero");

impl EarlierPage {
    pub(super) async fn read(
        store: &dyn Store,
        request: &EarlierRequest,
    ) -> Result<Self, StoreError> {
        let limit = request.limit.unwrap_or(DEFAULT_PAGE).get();
        let query = EarlierQuery {
            tenant: request.tenant.clone(),
            actor: request.actor.clone(),
            action: request.action.clone(),
            outcome: request.outcome.clone(),
            before: request.before,
            // One more tells whether there are any.
            limit: NonZeroU16::MIN.saturating_add(limit),
        };
        let mut events = store.earlier_audit_events(&query).await?;
        let mut next = None;
        if events.len() > usize::from(limit) {
            events.truncate(usize::from(limit));
            next = events.last().map(|event| event.n.to_string());
        }
        Ok(Self { events, next })
    }
}

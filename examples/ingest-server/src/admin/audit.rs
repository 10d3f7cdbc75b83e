//! Who did what, for operators to look at.

use std::{
    num::{NonZeroU16, NonZeroU64},
    sync::Arc,
};

use serde::Serialize;

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver, record};
use crate::store::{AuditEntry, AuditLog, AuditOutcome, AuditQuery, Store, StoreError, Unrecorded};

/// The use case on the audit log.
#[derive(Debug, Clone)]
pub(crate) struct AuditEvents {
    store: Arc<dyn Store>,
    audit: AuditLog,
    observer: Arc<dyn AdminObserver>,
}

/// Which events are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditRequest {
    pub(crate) tenant: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) outcome: Option<AuditOutcome>,
    pub(crate) before: Option<NonZeroU64>,
    pub(crate) limit: Option<NonZeroU16>,
}

/// Some events, newest first, and where the next page begins.
#[derive(Debug, Serialize)]
pub(crate) struct AuditPage {
    events: Vec<AuditEntry>,
    next: Option<String>,
}

/// Why no events are shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuditEvents {
    /// The events on a page, default and most.
    const DEFAULT_PAGE: u16 = 100;
    const MAX_PAGE: u16 = 1_000;

    pub(crate) fn new(
        store: Arc<dyn Store>,
        audit: AuditLog,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self {
            store,
            audit,
            observer,
        }
    }

    /// A page of events. That they were looked at is an event itself, though not of this page.
    pub(crate) async fn find(
        &self,
        actor: &Actor,
        request: &AuditRequest,
    ) -> Result<AuditPage, AuditError> {
        let action = Action::ReadAudit {
            tenant: request.tenant.as_deref(),
        };
        let page = async {
            let page = self.page(request).await?;
            self.audit
                .record(record::draft(actor, &action, None))
                .await?;
            Ok(page)
        };
        let page: Result<AuditPage, AuditError> = page.await;
        let result = ActionResult::of_read(&page);
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result,
        });
        page
    }

    async fn page(&self, request: &AuditRequest) -> Result<AuditPage, AuditError> {
        let limit = request.limit.map_or(Self::DEFAULT_PAGE, NonZeroU16::get);
        let limit = limit.min(Self::MAX_PAGE);
        let query = AuditQuery {
            tenant: request.tenant.clone(),
            actor: request.actor.clone(),
            action: request.action.clone(),
            outcome: request.outcome,
            before: request.before,
            // One more tells whether there are any.
            limit: NonZeroU16::MIN.saturating_add(limit),
        };
        let mut events = self.store.audit_events(&query).await?;
        let mut next = None;
        if events.len() > usize::from(limit) {
            events.truncate(usize::from(limit));
            next = events.last().map(|event| event.n.to_string());
        }
        Ok(AuditPage { events, next })
    }
}

//! How much an operator may ask for.

use std::sync::Arc;

use portcullis_ratelimit::Admitted;

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver, record};
use crate::{
    audit::AuditLog,
    limits::Limiters,
    pipeline::{check_operator, rejection::RequestRejection},
};

/// Admits requests of operators, each client network within limits of its own. That takes neither the
/// database nor the store that counts other requests.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    limiters: Limiters,
    audit: AuditLog,
    observer: Arc<dyn AdminObserver>,
}

impl Admission {
    pub(super) const fn new(
        limiters: Limiters,
        audit: AuditLog,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self {
            limiters,
            audit,
            observer,
        }
    }

    /// Admits one request.
    ///
    /// # Errors
    /// As many as the limits allow were made from there; that is noted.
    pub(crate) async fn admit(&self, actor: &Actor) -> Result<Option<Admitted>, RequestRejection> {
        // Who has no address asks over no listener.
        let Some(address) = actor.address() else {
            return Ok(None);
        };
        let admitted = check_operator(&self.limiters, address).await;
        if matches!(admitted, Err(RequestRejection::Limited(_))) {
            self.audit.note(record::limited(actor));
            self.observer.observe(&AdminEvent {
                actor,
                action: Action::Request,
                result: ActionResult::Rejected,
            });
        }
        admitted.map(Some)
    }
}

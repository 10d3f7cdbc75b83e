//! What is limited, who is, and other limits.

use std::sync::Arc;

use portcullis_ratelimit::RateLimiter;
use serde::Serialize;
use serde_json::Value;

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver, record};
use crate::{
    limits::{self, GivenLimits, InvalidLimits},
    pipeline::services::Services,
    store::{AuditLog, AuditOutcome, Store, StoreError, Unrecorded},
};

/// The use cases on limits.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    limiter: RateLimiter,
    store: Arc<dyn Store>,
    audit: AuditLog,
    observer: Arc<dyn AdminObserver>,
}

/// The limits in force, and whom they refused most of late.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LimitsReport {
    policies: Value,
    limited: Vec<LimitedTenant>,
}

/// Why limits were not replaced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LimitsError {
    #[error(transparent)]
    Invalid(#[from] InvalidLimits),
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Clone, Serialize)]
struct LimitedTenant {
    tenant: String,
    /// Requests refused.
    refusals: u64,
    /// By how much that may be too many.
    overcount: u64,
    seconds_ago: u64,
}

impl Limits {
    pub(crate) fn new(services: &Services, observer: Arc<dyn AdminObserver>) -> Self {
        Self {
            limiter: services.limiter.clone(),
            store: Arc::clone(&services.store),
            audit: services.audit.clone(),
            observer,
        }
    }

    /// The limits in force, and the tenants refused most of late, most refused first.
    ///
    /// # Errors
    /// That they were looked at cannot be put on record.
    pub(crate) async fn read(&self, actor: &Actor) -> Result<LimitsReport, Unrecorded> {
        let action = Action::ReadLimits;
        let recorded = self.audit.record(record::draft(actor, &action, None)).await;
        self.report(actor, action, ActionResult::of_read(&recorded));
        recorded?;
        let tenants = self.limiter.most_limited().into_iter();
        let limited = tenants.map(|tenant| LimitedTenant {
            tenant: tenant.tenant,
            refusals: tenant.refusals,
            overcount: tenant.overcount,
            seconds_ago: tenant.last_refused.as_secs(),
        });
        Ok(LimitsReport {
            policies: limits::describe(&self.limiter.policies()),
            limited: limited.collect(),
        })
    }

    /// Replaces the policies; what is left out is as by default. They hold at once, and after the
    /// next start.
    ///
    /// # Errors
    /// They cannot be used, or the change cannot be put on record or remembered.
    pub(crate) async fn replace(&self, actor: &Actor, given: Value) -> Result<(), LimitsError> {
        let given = limits::read(given).map_err(LimitsError::from);
        let replaced = match &given {
            Ok(given) => self.replace_recorded(actor, given).await,
            Err(_) => {
                let action = Action::ReplaceLimits { policies: None };
                self.audit.note(record::rejected(actor, &action));
                Ok(())
            }
        };
        let policies = given.as_ref().ok().map(|given| &given.builder);
        let result = match (&given, &replaced) {
            (Err(_), _) => ActionResult::Rejected,
            (Ok(_), Err(_)) => ActionResult::Failed,
            (Ok(_), Ok(())) => ActionResult::Done,
        };
        self.report(actor, Action::ReplaceLimits { policies }, result);
        given.and(replaced)
    }

    async fn replace_recorded(
        &self,
        actor: &Actor,
        given: &GivenLimits,
    ) -> Result<(), LimitsError> {
        let policies = Some(&given.builder);
        let action = Action::ReplaceLimits { policies };
        let change = self
            .audit
            .begin(record::draft(actor, &action, None))
            .await?;
        if let Err(error) = self.store.remember_limits(&given.text).await {
            let detail = Some("capacity.store_unavailable");
            // The log has said so, and counted it.
            drop(change.finish(AuditOutcome::Failure, detail).await);
            return Err(error.into());
        }
        self.limiter.replace_policies(given.policies.clone());
        Ok(change.finish(AuditOutcome::Success, None).await?)
    }

    fn report(&self, actor: &Actor, action: Action<'_>, result: ActionResult) {
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result,
        });
    }
}

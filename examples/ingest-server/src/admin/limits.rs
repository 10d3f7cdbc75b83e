//! What is limited, who is, and other limits.

use serde::Serialize;
use serde_json::Value;

use super::{
    Action, Actor,
    kept_policy::{InForce, KeptPolicy, Observers, PolicySource, PolicyStart, ReplaceError},
};
use crate::{
    audit::Unrecorded,
    limits::{self, GivenLimits, Limiters},
    pipeline::services::Services,
    store::PolicyKind,
};

/// The use cases on limits.
#[derive(Debug, Clone)]
pub(crate) struct Limits(KeptPolicy<Limiters>);

/// The limits in force, where they are from, and whom they refused most of late.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LimitsReport {
    policies: Value,
    source: PolicySource,
    limited: Vec<LimitedTenant>,
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
    pub(super) fn new(
        limiters: Limiters,
        services: &Services,
        start: PolicyStart,
        observers: Observers,
    ) -> Self {
        let (store, audit) = (services.store.clone(), services.audit.clone());
        Self(KeptPolicy::new(limiters, start, store, audit, observers))
    }

    /// The limits in force, and the tenants refused most of late, most refused first.
    ///
    /// # Errors
    /// That they were looked at cannot be put on record.
    pub(crate) async fn read(&self, actor: &Actor) -> Result<LimitsReport, Unrecorded> {
        self.0.record_read(actor, Action::ReadLimits).await?;
        let limiters = &self.0.in_force;
        let tenants = limiters.most_limited().into_iter();
        let limited = tenants.map(|tenant| LimitedTenant {
            tenant: tenant.tenant,
            refusals: tenant.refusals,
            overcount: tenant.overcount,
            seconds_ago: tenant.last_refused.as_secs(),
        });
        Ok(LimitsReport {
            policies: limits::describe(&limiters.policies()),
            source: self.0.source(),
            limited: limited.collect(),
        })
    }

    /// Replaces the policies; what is left out is as by default.
    ///
    /// # Errors
    /// They cannot be used, or the change cannot be put on record, or the limits not be kept.
    pub(crate) async fn replace(&self, actor: &Actor, given: Value) -> Result<(), ReplaceError> {
        self.0.replace(actor, given).await
    }

    /// Takes over what others change where the limits are kept.
    pub(crate) async fn follow(self) {
        self.0.follow().await;
    }
}

impl InForce for Limiters {
    type Policy = GivenLimits;

    const KIND: PolicyKind = PolicyKind::Limits;
    const FILE: Actor = Actor::LimitsFile;

    fn read(given: Value) -> Result<(GivenLimits, Value), String> {
        let document = limits::of_report(given).map_err(|error| error.to_string())?;
        let given = limits::read(document.clone()).map_err(|error| error.to_string())?;
        Ok((given, document))
    }

    fn read_stored(kept: Option<&str>) -> Result<GivenLimits, String> {
        limits::read_stored(kept).map_err(|error| error.to_string())
    }

    fn file_text(given: &Value) -> Result<String, String> {
        limits::write(given).map_err(|error| error.to_string())
    }

    fn is_in_force(&self, given: &GivenLimits) -> bool {
        *self.policies() == given.policies
    }

    fn put_in_force(&self, given: &GivenLimits) {
        self.replace(&given.policies);
    }

    fn action(given: Option<&GivenLimits>) -> Action<'_> {
        let policies = given.map(|given| &given.policies);
        Action::ReplaceLimits { policies }
    }
}

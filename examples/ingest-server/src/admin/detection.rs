//! What is done with personal data that is found where no schema declares any.

use serde_json::Value;

use super::{
    Action, Actor,
    kept_policy::{InForce, KeptPolicy, Observers, PolicyStart, ReplaceError},
};
use crate::{
    audit::Unrecorded,
    detection::{self, DetectionPolicies, DetectionPolicy},
    pipeline::services::Services,
    store::PolicyKind,
};

/// The use cases on the detection policy.
#[derive(Debug, Clone)]
pub(crate) struct DetectionRules(KeptPolicy<DetectionPolicies>);

impl DetectionRules {
    pub(super) fn new(services: &Services, start: PolicyStart, observers: Observers) -> Self {
        let (store, audit) = (services.store.clone(), services.audit.clone());
        Self(KeptPolicy::new(
            services.detection.clone(),
            start,
            store,
            audit,
            observers,
        ))
    }

    /// The policy in force, as a document.
    ///
    /// # Errors
    /// That it was looked at cannot be put on record.
    pub(crate) async fn read(&self, actor: &Actor) -> Result<Value, Unrecorded> {
        self.0.record_read(actor, Action::ReadDetection).await?;
        Ok(detection::describe(&self.0.in_force.policy()))
    }

    /// Replaces the policy; what is left out is as by default.
    ///
    /// # Errors
    /// It cannot be used, or the change cannot be put on record, or the policy not be kept.
    pub(crate) async fn replace(&self, actor: &Actor, given: Value) -> Result<(), ReplaceError> {
        self.0.replace(actor, given).await
    }

    /// Takes over what others change where the policy is kept.
    pub(crate) async fn follow(self) {
        self.0.follow().await;
    }
}

impl InForce for DetectionPolicies {
    type Policy = DetectionPolicy;

    const KIND: PolicyKind = PolicyKind::Detection;
    const FILE: Actor = Actor::DetectionFile;

    fn read(given: Value) -> Result<(DetectionPolicy, Value), String> {
        let policy = detection::read(given.clone()).map_err(|error| error.to_string())?;
        Ok((policy, given))
    }

    fn read_stored(kept: Option<&str>) -> Result<DetectionPolicy, String> {
        detection::read_stored(kept).map_err(|error| error.to_string())
    }

    fn file_text(given: &Value) -> Result<String, String> {
        Ok(format!("{given:#}\n"))
    }

    fn is_in_force(&self, policy: &DetectionPolicy) -> bool {
        self.policy() == *policy
    }

    fn put_in_force(&self, policy: &DetectionPolicy) {
        self.replace(policy.clone());
    }

    fn action(policy: Option<&DetectionPolicy>) -> Action<'_> {
        Action::ReplaceDetection { policy }
    }
}

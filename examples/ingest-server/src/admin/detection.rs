//! What is done with personal data that is found where no schema declares any.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{sync::Mutex, task::spawn_blocking};
use tracing::Instrument as _;

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver, record};
use crate::{
    detection::{
        self, DetectionPolicies, DetectionPolicy, InvalidPolicy, MAX_POLICY, PolicyFile, PolicyText,
    },
    pipeline::services::Services,
    store::{AuditLog, AuditOutcome, Store, StoreError, Unrecorded},
};

/// The use cases on the detection policy. It is kept in the operator's file if there is one, and else in
/// the database.
#[derive(Debug, Clone)]
pub(crate) struct DetectionRules {
    policies: DetectionPolicies,
    file: Option<PolicyFile>,
    /// What was last seen in the file. Held by the one who changes the policy.
    seen: Arc<Mutex<Option<PolicyText>>>,
    store: Arc<dyn Store>,
    audit: AuditLog,
    observer: Arc<dyn AdminObserver>,
}

/// Why the policy was not replaced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DetectionError {
    #[error(transparent)]
    Invalid(#[from] InvalidPolicy),
    #[error("the policy is larger than {MAX_POLICY} bytes")]
    TooLarge,
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the file of the detection policy cannot be written: {0}")]
    File(std::io::ErrorKind),
}

/// How soon a change of the file is seen.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl DetectionRules {
    pub(crate) fn new(
        services: &Services,
        file: Option<PolicyFile>,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self {
            policies: services.detection.clone(),
            file,
            seen: Arc::default(),
            store: Arc::clone(&services.store),
            audit: services.audit.clone(),
            observer,
        }
    }

    /// The policy in force, as a document.
    ///
    /// # Errors
    /// That it was looked at cannot be put on record.
    pub(crate) async fn read(&self, actor: &Actor) -> Result<Value, Unrecorded> {
        let action = Action::ReadDetection;
        let recorded = self.audit.record(record::draft(actor, &action, None)).await;
        self.report(actor, action, ActionResult::of_read(&recorded));
        recorded?;
        Ok(detection::describe(&self.policies.policy()))
    }

    /// Replaces the policy; what is left out is as by default. It holds at once, and after the next
    /// start.
    ///
    /// # Errors
    /// It cannot be used, or the change cannot be put on record, or the policy not be kept.
    pub(crate) async fn replace(&self, actor: &Actor, given: Value) -> Result<(), DetectionError> {
        let text = match self.file {
            Some(_) => format!("{given:#}\n"),
            None => given.to_string(),
        };
        let policy = if text.len() > MAX_POLICY {
            Err(DetectionError::TooLarge)
        } else {
            detection::read(given).map_err(DetectionError::from)
        };
        let policy = match policy {
            Ok(policy) => policy,
            Err(error) => {
                self.reject(actor);
                return Err(error);
            }
        };
        let mut seen = self.seen.lock().await;
        // What the file held before may stand there again at once, and is a change then.
        *seen = None;
        let keep = async {
            match self.file.clone() {
                None => Ok(self.store.remember_detection(&text).await?),
                Some(file) => {
                    let written = spawn_blocking(move || file.write(&text)).await;
                    let written = written.unwrap_or_else(|error| Err(error.into()));
                    written.map_err(|error| DetectionError::File(error.kind()))
                }
            }
        };
        self.put_in_force(actor, &policy, keep).await
    }

    /// Takes over what the file holds whenever that changes; what cannot be used leaves the policy
    /// before in force.
    pub(crate) async fn follow(self) {
        let Some(file) = &self.file else {
            return std::future::pending().await;
        };
        loop {
            let span = tracing::info_span!(parent: None, "follow_detection_file");
            self.look(file).instrument(span).await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&self, file: &PolicyFile) {
        let actor = &Actor::DetectionFile;
        let mut seen = self.seen.lock().await;
        let (reading, read) = (file.clone(), file.clone());
        let Ok(text) = spawn_blocking(move || reading.text()).await else {
            return;
        };
        if seen.as_ref() == Some(&text) {
            return;
        }
        match read.policy(&text) {
            Ok(policy) if policy == self.policies.policy() => {}
            Ok(policy) => {
                let kept = async { Ok(()) };
                // What cannot be put on record is tried again: it is not in force yet.
                if let Err(error) = self.put_in_force(actor, &policy, kept).await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the changed detection policy is not in force yet"
                    );
                    return;
                }
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the detection policy cannot be used, the one before stays in force"
                );
                self.reject(actor);
            }
        }
        *seen = Some(text);
    }

    /// Puts the change on record, keeps the policy, and has it hold.
    async fn put_in_force(
        &self,
        actor: &Actor,
        policy: &DetectionPolicy,
        keep: impl Future<Output = Result<(), DetectionError>>,
    ) -> Result<(), DetectionError> {
        let action = Action::ReplaceDetection {
            policy: Some(policy),
        };
        let replaced = async {
            let draft = record::draft(actor, &action, None);
            let change = self.audit.begin(draft).await?;
            if let Err(error) = keep.await {
                let detail = Some("capacity.store_unavailable");
                // The log has said so, and counted it.
                drop(change.finish(AuditOutcome::Failure, detail).await);
                return Err(error);
            }
            self.policies.replace(policy.clone());
            Ok(change.finish(AuditOutcome::Success, None).await?)
        };
        let replaced = replaced.await;
        self.report(actor, action, ActionResult::of_read(&replaced));
        replaced
    }

    fn reject(&self, actor: &Actor) {
        let action = Action::ReplaceDetection { policy: None };
        self.audit.note(record::rejected(actor, &action));
        self.report(actor, action, ActionResult::Rejected);
    }

    fn report(&self, actor: &Actor, action: Action<'_>, result: ActionResult) {
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result,
        });
    }
}

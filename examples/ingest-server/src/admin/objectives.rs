//! How what is promised is kept.

use std::sync::Arc;

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver, record};
use crate::{
    audit::{AuditLog, Unrecorded},
    slo::{SloRecorder, SloReport},
    store::StoreError,
};

/// The use case on objectives.
#[derive(Debug, Clone)]
pub(crate) struct Objectives {
    recorder: Arc<SloRecorder>,
    audit: AuditLog,
    observer: Arc<dyn AdminObserver>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObjectivesError {
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    #[error("the history of objectives cannot be read")]
    History(#[from] StoreError),
}

impl Objectives {
    pub(crate) const fn new(
        recorder: Arc<SloRecorder>,
        audit: AuditLog,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self {
            recorder,
            audit,
            observer,
        }
    }

    /// How each objective was kept in 30 days, by all processes of the database.
    ///
    /// # Errors
    /// The history cannot be read, or that it was looked at not be put on record.
    pub(crate) async fn report(&self, actor: &Actor) -> Result<SloReport, ObjectivesError> {
        let action = Action::ReadSlo;
        let shown = async {
            let report = self.recorder.report().await?;
            let draft = record::draft(actor, &action, None);
            self.audit.record(draft).await?;
            Ok(report)
        };
        let shown: Result<SloReport, ObjectivesError> = shown.await;
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result: ActionResult::of_read(&shown),
        });
        shown
    }
}

//! How good the data is that comes in.

use std::sync::Arc;

use portcullis_dq_metrics::{report::Report, sample::SampleGroup};
use serde::Serialize;

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver, names, record};
use crate::{
    audit::{AuditLog, Unrecorded},
    quality::Quality,
};

/// The use cases on data quality.
#[derive(Debug, Clone)]
pub(crate) struct QualityReports {
    quality: Quality,
    audit: AuditLog,
    observer: Arc<dyn AdminObserver>,
}

/// Masked samples of what was discarded, by reason.
#[derive(Debug, Serialize)]
pub(crate) struct Samples {
    samples: Vec<SampleGroup>,
}

impl QualityReports {
    pub(crate) const fn new(
        quality: Quality,
        audit: AuditLog,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self {
            quality,
            audit,
            observer,
        }
    }

    /// Outcomes, reasons, scores and versions of one tenant, or of all.
    ///
    /// # Errors
    /// That they were looked at cannot be put on record.
    pub(crate) async fn report(
        &self,
        actor: &Actor,
        tenant: Option<&str>,
    ) -> Result<Report, Unrecorded> {
        self.record(actor, Action::ReadQuality { tenant }).await?;
        Ok(self.quality.report(tenant))
    }

    /// Masked samples of what was discarded of one tenant, or of all.
    ///
    /// # Errors
    /// That they were looked at cannot be put on record.
    pub(crate) async fn samples(
        &self,
        actor: &Actor,
        tenant: Option<&str>,
    ) -> Result<Samples, Unrecorded> {
        self.record(actor, Action::ReadSamples { tenant }).await?;
        Ok(Samples {
            samples: self.quality.samples(tenant),
        })
    }

    async fn record(&self, actor: &Actor, action: Action<'_>) -> Result<(), Unrecorded> {
        let draft = record::draft(actor, &action, names::recorded(action.tenant()));
        let recorded = self.audit.record(draft).await;
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result: ActionResult::of_read(&recorded),
        });
        recorded.map(drop)
    }
}

//! How good the data is that comes in.

use std::sync::Arc;

use portcullis_dq_metrics::{report::Report, sample::SampleGroup};
use serde::Serialize;

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver};
use crate::quality::Quality;

/// The use cases on data quality.
#[derive(Debug, Clone)]
pub(crate) struct QualityReports {
    quality: Quality,
    observer: Arc<dyn AdminObserver>,
}

/// Masked samples of what was discarded, by reason.
#[derive(Debug, Serialize)]
pub(crate) struct Samples {
    samples: Vec<SampleGroup>,
}

impl QualityReports {
    pub(crate) const fn new(quality: Quality, observer: Arc<dyn AdminObserver>) -> Self {
        Self { quality, observer }
    }

    /// Outcomes, reasons, scores and versions of one tenant, or of all.
    pub(crate) fn report(&self, actor: &Actor, tenant: Option<&str>) -> Report {
        self.announce(actor, Action::ReadQuality { tenant });
        self.quality.report(tenant)
    }

    /// Masked samples of what was discarded of one tenant, or of all.
    pub(crate) fn samples(&self, actor: &Actor, tenant: Option<&str>) -> Samples {
        self.announce(actor, Action::ReadSamples { tenant });
        Samples {
            samples: self.quality.samples(tenant),
        }
    }

    fn announce(&self, actor: &Actor, action: Action<'_>) {
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result: ActionResult::Done,
        });
    }
}

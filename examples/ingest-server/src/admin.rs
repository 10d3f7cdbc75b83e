//! What operators do, for the admin listener and the command line alike: each use case takes an
//! [`Actor`], gives a plain description that serialises, and reports one [`AdminEvent`]. Readiness, which
//! anyone may ask, has neither actor nor event.

mod actor;
mod api_keys;
mod audit;
mod detection;
mod event;
mod limits;
mod names;
mod quality;
mod readiness;
mod record;

use std::sync::Arc;

use crate::{detection::PolicyFile, pipeline::services::Services};

pub(crate) use self::{
    actor::Actor,
    api_keys::{
        ApiKeyDescription, ApiKeyError, ApiKeyPage, ApiKeyRequest, ApiKeys, IssuedApiKey,
        PageRequest,
    },
    audit::{AuditError, AuditEvents, AuditPage, AuditRequest},
    detection::{DetectionError, DetectionRules},
    event::{Action, ActionResult, AdminEvent, AdminObserver},
    limits::{Limits, LimitsError, LimitsReport},
    quality::{QualityReports, Samples},
    readiness::{Components, ReadinessCheck},
};

/// Every use case, for those who serve them.
#[derive(Debug, Clone)]
pub(crate) struct UseCases {
    pub(crate) api_keys: ApiKeys,
    pub(crate) audit: AuditEvents,
    pub(crate) detection: DetectionRules,
    pub(crate) limits: Limits,
    pub(crate) quality: QualityReports,
    pub(crate) readiness: ReadinessCheck,
}

impl UseCases {
    pub(crate) fn new(
        services: &Arc<Services>,
        components: Components,
        detection_file: Option<PolicyFile>,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self {
            api_keys: ApiKeys::new(
                services.keys.clone(),
                services.audit.clone(),
                Arc::clone(&observer),
            ),
            audit: AuditEvents::new(
                Arc::clone(&services.store),
                services.audit.clone(),
                Arc::clone(&observer),
            ),
            detection: DetectionRules::new(services, detection_file, Arc::clone(&observer)),
            limits: Limits::new(services, Arc::clone(&observer)),
            quality: QualityReports::new(
                services.quality.clone(),
                services.audit.clone(),
                observer,
            ),
            readiness: ReadinessCheck::new(Arc::clone(services), components),
        }
    }
}

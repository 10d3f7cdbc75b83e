//! What operators do, for the admin listener and the command line alike: each use case takes an
//! [`Actor`], gives a plain description that serialises, and reports one [`AdminEvent`]. Readiness, which
//! anyone may ask, has neither actor nor event.

mod actor;
mod admission;
mod api_keys;
mod audit;
mod detection;
mod event;
mod kept_policy;
mod key_cache;
mod limits;
mod names;
mod quality;
mod readiness;
mod record;
mod warming;

use std::sync::Arc;

use self::kept_policy::Observers;
use crate::{limits::Limiters, pipeline::services::Services};

pub(crate) use self::{
    actor::Actor,
    admission::Admission,
    api_keys::{
        ApiKeyDescription, ApiKeyError, ApiKeyPage, ApiKeyRequest, ApiKeys, Effect, IssuedApiKey,
        PageRequest, PepperDescription, RevokedApiKey, RotatedApiKey, RotationRequest,
    },
    audit::{AuditError, AuditEvents, AuditPage, AuditRequest},
    detection::DetectionRules,
    event::{Action, ActionResult, AdminEvent, AdminObserver},
    kept_policy::{PolicyObserver, PolicyStart, PolicyState, ReplaceError},
    key_cache::{KeyCache, KeyCacheReport},
    limits::{Limits, LimitsReport},
    quality::{QualityReports, Samples},
    readiness::{Components, ReadinessCheck},
    warming::{Warming, WarmingState},
};

/// Every use case, for those who serve them.
#[derive(Debug, Clone)]
pub(crate) struct UseCases {
    pub(crate) admission: Admission,
    pub(crate) api_keys: ApiKeys,
    pub(crate) audit: AuditEvents,
    pub(crate) detection: DetectionRules,
    pub(crate) key_cache: KeyCache,
    pub(crate) limits: Limits,
    pub(crate) quality: QualityReports,
    pub(crate) readiness: ReadinessCheck,
}

/// Where the policies that operators replace are from.
#[derive(Debug)]
pub(crate) struct PolicyStarts {
    pub(crate) limits: PolicyStart,
    pub(crate) detection: PolicyStart,
}

impl UseCases {
    pub(crate) fn new(
        services: &Arc<Services>,
        components: Components,
        limiters: Limiters,
        starts: PolicyStarts,
        observer: Arc<dyn AdminObserver>,
        policies: Arc<dyn PolicyObserver>,
    ) -> Self {
        let observers = Observers {
            admin: Arc::clone(&observer),
            policies,
        };
        Self {
            admission: Admission::new(
                limiters.clone(),
                services.audit.clone(),
                Arc::clone(&observer),
            ),
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
            detection: DetectionRules::new(services, starts.detection, observers.clone()),
            key_cache: KeyCache::new(
                services.keys.clone(),
                components.warming.clone(),
                services.audit.clone(),
                Arc::clone(&observer),
            ),
            limits: Limits::new(limiters, services, starts.limits, observers),
            quality: QualityReports::new(
                services.quality.clone(),
                services.audit.clone(),
                observer,
            ),
            readiness: ReadinessCheck::new(Arc::clone(services), components),
        }
    }
}

//! What operators do, for the admin listener and the command line alike: each use case takes an
//! [`Actor`], gives a plain description that serialises, and reports one [`AdminEvent`]. Readiness, which
//! anyone may ask, has neither actor nor event.

mod actor;
mod admission;
mod api_keys;
mod audit;
mod data_keys;
mod detection;
mod erasure;
mod event;
mod index_rotation;
mod job;
mod kept_policy;
mod key_cache;
mod limits;
mod names;
mod objectives;
mod probe_rows;
mod quality;
mod quality_periods;
mod readiness;
mod record;
mod recorder;
mod reencryption;
#[cfg(test)]
mod stopping_log;
mod tenant_keys;
mod warming;

use std::sync::Arc;

use self::{kept_policy::Observers, recorder::Recorder};
use crate::{limits::Limiters, pipeline::services::Services};

pub(crate) use self::{
    actor::Actor,
    admission::Admission,
    api_keys::{
        ApiKeyDescription, ApiKeyError, ApiKeyPage, ApiKeyRequest, ApiKeys, Effect, IssuedApiKey,
        PageRequest, PepperDescription, RevokedApiKey, RotatedApiKey, RotationRequest,
    },
    audit::{
        AuditErasureRequest, AuditError, AuditEvents, AuditPage, AuditPeriod, AuditRequest,
        AuditStatus, ClosedFinding, ClosingRequest, DescribedEvent, EarlierPage, EarlierRequest,
        ErasedParts, InvalidRequest, MAX_EARLIER, OneEvent, Rights, VerificationRequest,
        VerificationTally, Verifications, instant,
    },
    data_keys::{
        Census, DAMAGED, DataKeyDescription, DataKeyError, DataKeyPage, DataKeyRequest,
        DataKeyRotation, DataKeySelection, DataKeys, FailedDataKey, FailedRow, KeyCensus,
        KeyMaterial, OnProgress, Reencrypted, RetiredDataKey, RewrappedDataKeys, RotatedDataKeys,
        RowCount, SweepPace, UnusableDataKey, VerifiedRows,
    },
    detection::DetectionRules,
    erasure::{Erased, ErasureRequest, Erasures},
    event::{Action, ActionResult, AdminEvent, AdminObserver, DataKeyAction, IndexAction},
    index_rotation::{IndexRequest, IndexStatus, IndexVersions, RotatedIndex, RotationUnderWay},
    job::{Job, JobStatus},
    kept_policy::{PolicyObserver, PolicyStart, PolicyState, ReplaceError},
    key_cache::{KeyCache, KeyCacheReport},
    limits::{Limits, LimitsReport},
    objectives::{Objectives, ObjectivesError},
    probe_rows::{PROBE_SOURCE, ProbeRows},
    quality::{QualityReports, Samples},
    quality_periods::{PeriodAsked, PeriodError, QualityPeriods},
    readiness::{Components, ReadinessCheck},
    reencryption::{Reencryption, ReencryptionRequest},
    tenant_keys::{TenantKeys, revoke_all},
    warming::{Warming, WarmingState},
};

/// Every use case, for those who serve them.
#[derive(Debug, Clone)]
pub(crate) struct UseCases {
    pub(crate) admission: Admission,
    pub(crate) api_keys: ApiKeys,
    pub(crate) audit: AuditEvents,
    pub(crate) data_keys: DataKeys,
    pub(crate) detection: DetectionRules,
    pub(crate) erasures: Erasures,
    pub(crate) index: IndexVersions,
    pub(crate) key_cache: KeyCache,
    pub(crate) limits: Limits,
    pub(crate) objectives: Objectives,
    pub(crate) probe_rows: ProbeRows,
    pub(crate) quality: QualityReports,
    pub(crate) quality_periods: QualityPeriods,
    pub(crate) readiness: ReadinessCheck,
    pub(crate) reencryption: Reencryption,
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
        keys: KeyMaterial,
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
        let recorder = Recorder::new(services.audit.clone(), Arc::clone(&observer));
        let tenant_keys = TenantKeys {
            data_keys: Arc::clone(&keys.store),
            api_keys: services.keys.clone(),
        };
        let data_keys = DataKeys::new(keys.clone(), Arc::clone(&services.clock), recorder.clone());
        let census = data_keys.census().clone();
        let index = IndexVersions::new(
            keys,
            Arc::clone(&services.store),
            Arc::clone(&services.clock),
            recorder.clone(),
        );
        Self {
            erasures: Erasures {
                keyring: services.keyring.clone(),
                store: Arc::clone(&services.store),
                keys: tenant_keys,
                quality_history: Arc::clone(&components.quality_history),
                tombstones: services.tombstones.clone(),
                clock: Arc::clone(&services.clock),
                recorder: recorder.clone(),
            },
            probe_rows: ProbeRows {
                store: Arc::clone(&services.store),
                clock: Arc::clone(&services.clock),
                recorder: recorder.clone(),
            },
            reencryption: Reencryption::new(
                data_keys.clone(),
                index.clone(),
                &services.clock,
                recorder,
            ),
            data_keys,
            index,
            admission: Admission::new(
                limiters.clone(),
                services.audit.clone(),
                Arc::clone(&observer),
            ),
            api_keys: ApiKeys::new(
                services.keys.clone(),
                Arc::clone(&services.store),
                services.audit.clone(),
                Arc::clone(&observer),
            ),
            audit: AuditEvents::new(
                Arc::clone(&services.store),
                services.audit.clone(),
                services.reason_codes.clone(),
                Arc::clone(&services.clock),
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
            objectives: Objectives::new(
                Arc::clone(&components.slo_recorder),
                services.audit.clone(),
                Arc::clone(&observer),
            ),
            quality: QualityReports::new(
                services.quality.clone(),
                services.audit.clone(),
                Arc::clone(&observer),
            ),
            quality_periods: QualityPeriods::new(
                Arc::clone(&components.quality_history),
                Arc::clone(&services.clock),
                services.audit.clone(),
                observer,
            ),
            readiness: ReadinessCheck::new(Arc::clone(services), components, census),
        }
    }
}

//! What request handlers work with.

use std::sync::Arc;

use portcullis_apikey_cache::ApiKeyCache;
use portcullis_keyring::{Keyring, entropy::Entropy};
use portcullis_pii_crypto::observer::Observer as CipherObserver;
use portcullis_pii_detect::Detector;
use portcullis_ratelimit::RateLimiter;

use super::{
    BodyAllowances, ProbeTenant, failed_attempts::FailedAttempts, key_checks::KeyChecks,
    objectives::ObjectiveObserver, pii::PiiReports, stages::Stages,
};
use crate::{
    audit::{AuditLog, ReasonCodes},
    clock::Clock,
    detection::DetectionPolicies,
    lead::UniqueFields,
    quality::Quality,
    schemas::Schemas,
    store::{LiveIndexRoots, Shredder, Store, Tombstones, Writer},
};

/// Everything a request may need; one for the process.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) keys: ApiKeyCache,
    pub(crate) key_checks: KeyChecks,
    pub(crate) keyring: Keyring,
    pub(crate) cipher_observer: Arc<dyn CipherObserver>,
    pub(crate) index_roots: LiveIndexRoots,
    pub(crate) detector: Detector,
    pub(crate) reason_codes: ReasonCodes,
    pub(crate) detection: DetectionPolicies,
    pub(crate) limiter: RateLimiter,
    pub(crate) quality: Quality,
    pub(crate) probe: ProbeTenant,
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) unique_fields: UniqueFields,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) writer: Writer,
    pub(crate) shredder: Shredder,
    pub(crate) audit: AuditLog,
    pub(crate) tombstones: Tombstones,
    pub(crate) bodies: BodyAllowances,
    pub(crate) pii: PiiReports,
    pub(crate) stages: Stages,
    pub(crate) objectives: Arc<dyn ObjectiveObserver>,
    pub(crate) failed_keys: FailedAttempts,
}

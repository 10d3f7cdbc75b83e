//! What was done, or tried, and by whom.

use std::fmt::Debug;

use portcullis_apikey_cache::{Kid, PepperVersion, feed::Invalidation};
use portcullis_audit_log::event::EventId;
use portcullis_keyring::KeyId;
use portcullis_pii_crypto::IndexVersion;
use portcullis_ratelimit::policy::Policies;

use super::Actor;
use crate::{
    audit::{AuditAction, actions as on_record},
    detection::DetectionPolicy,
    lead::LeadId,
};

/// Is told of every use case of operators.
pub(crate) trait AdminObserver: Debug + Send + Sync {
    /// Called once for each use case, when its outcome is known.
    fn observe(&self, event: &AdminEvent<'_>);
}

/// One use case and what came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdminEvent<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) action: Action<'a>,
    pub(crate) result: ActionResult,
}

/// What operators do, with what they asked for. A kid is there once it is known to be one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action<'a> {
    IssueApiKey {
        tenant: &'a str,
        tier: &'a str,
        scopes: &'a [String],
        kid: Option<&'a Kid>,
    },
    ListApiKeys {
        tenant: Option<&'a str>,
    },
    ReadApiKey {
        kid: Option<&'a Kid>,
    },
    RevokeApiKey {
        kid: Option<&'a Kid>,
    },
    RotateApiKey {
        kid: Option<&'a Kid>,
        new: Option<&'a Kid>,
    },
    ReadPeppers,
    ReadTagKey {
        version: PepperVersion,
    },
    ReadKeyCache,
    /// To have it forget, what it is known to be about.
    InvalidateKeyCache {
        what: Option<&'a Invalidation>,
    },
    /// Any at all.
    Request,
    ReadLimits,
    ReplaceLimits {
        policies: Option<&'a Policies>,
    },
    ReadDetection,
    ReplaceDetection {
        policy: Option<&'a DetectionPolicy>,
    },
    ReadQuality {
        tenant: Option<&'a str>,
    },
    ReadSamples {
        tenant: Option<&'a str>,
    },
    ReadSlo,
    ReadAudit {
        tenant: Option<&'a str>,
    },
    VerifyAudit,
    /// Which, once it is known to be one, and of which tenant.
    CloseFinding {
        finding: Option<EventId>,
        tenant: Option<&'a str>,
    },
    /// Of an event, an actor, a resource or a tenant.
    EraseAudit {
        whose: Option<&'a str>,
    },
    DataKeys {
        what: DataKeyAction,
        /// Whose, if it was not everybody's.
        tenant: Option<&'a str>,
        key: Option<KeyId>,
    },
    Index {
        what: IndexAction,
        version: Option<IndexVersion>,
    },
    Erase {
        tenant: &'a str,
        /// All of the tenant unless it is one lead.
        lead: Option<LeadId>,
    },
    DeleteProbeRows {
        tenant: &'a str,
    },
}

/// What operators do with data keys, and with the rows that need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataKeyAction {
    List,
    Rotate,
    Rewrap,
    Reencrypt,
    ReadReencryption,
    Verify,
    Disable,
    Destroy,
    Restore,
}

/// What operators do with index versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexAction {
    Read,
    Rotate,
    Abandon,
    HoldUnique,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActionResult {
    Done,
    /// What was asked for is not possible.
    Rejected,
    /// The service could not do it.
    Failed,
}

impl Action<'_> {
    /// What is on record of it.
    pub(crate) const fn on_record(&self) -> &'static AuditAction {
        match self {
            Self::IssueApiKey { .. } => on_record::API_KEY_ISSUE,
            Self::ListApiKeys { .. } => on_record::API_KEY_LIST,
            Self::ReadApiKey { .. } => on_record::API_KEY_READ,
            Self::RevokeApiKey { .. } => on_record::API_KEY_REVOKE,
            Self::RotateApiKey { .. } => on_record::API_KEY_ROTATE,
            Self::ReadPeppers => on_record::PEPPER_LIST,
            Self::ReadTagKey { .. } => on_record::PEPPER_TAG_KEY,
            Self::ReadKeyCache => on_record::KEY_CACHE_READ,
            Self::InvalidateKeyCache { .. } => on_record::KEY_CACHE_INVALIDATE,
            Self::Request => on_record::ADMIN_REQUEST,
            Self::ReadLimits => on_record::LIMITS_READ,
            Self::ReplaceLimits { .. } => on_record::LIMITS_REPLACE,
            Self::ReadDetection => on_record::DETECTION_READ,
            Self::ReplaceDetection { .. } => on_record::DETECTION_REPLACE,
            Self::ReadQuality { .. } => on_record::QUALITY_READ,
            Self::ReadSamples { .. } => on_record::QUALITY_SAMPLES,
            Self::ReadSlo => on_record::SLO_READ,
            Self::ReadAudit { .. } => on_record::AUDIT_READ,
            Self::VerifyAudit => on_record::AUDIT_VERIFY,
            Self::CloseFinding { .. } => on_record::AUDIT_FINDING_CLOSED,
            Self::EraseAudit { .. } => on_record::AUDIT_ERASE,
            Self::DataKeys { what, .. } => what.on_record(),
            Self::Index { what, .. } => what.on_record(),
            Self::Erase { lead: None, .. } => on_record::TENANT_ERASE,
            Self::Erase { lead: Some(_), .. } => on_record::LEAD_ERASE,
            Self::DeleteProbeRows { .. } => on_record::PROBE_DELETE,
        }
    }

    /// As a label.
    pub(crate) const fn as_str(&self) -> &'static str {
        self.on_record().action.as_str()
    }

    /// Whether it changes anything.
    pub(crate) const fn is_change(&self) -> bool {
        match self {
            Self::DataKeys { what, .. } => return what.is_change(),
            Self::Index { what, .. } => return !matches!(what, IndexAction::Read),
            _ => {}
        }
        matches!(
            self,
            Self::IssueApiKey { .. }
                | Self::RevokeApiKey { .. }
                | Self::RotateApiKey { .. }
                | Self::InvalidateKeyCache { .. }
                | Self::ReplaceLimits { .. }
                | Self::ReplaceDetection { .. }
                | Self::CloseFinding { .. }
                | Self::EraseAudit { .. }
                | Self::Erase { .. }
                | Self::DeleteProbeRows { .. }
        )
    }

    /// The API key it is about.
    pub(crate) const fn kid(&self) -> Option<&Kid> {
        match self {
            Self::IssueApiKey { kid, .. }
            | Self::ReadApiKey { kid }
            | Self::RevokeApiKey { kid }
            | Self::RotateApiKey { kid, .. } => *kid,
            Self::InvalidateKeyCache {
                what: Some(Invalidation::Key(kid)),
            } => Some(kid),
            _ => None,
        }
    }

    /// What it is about by name: a key, a version of the pepper or of the index, a lead.
    pub(crate) fn resource(&self) -> Option<String> {
        match self {
            Self::ReadTagKey { version } => Some(version.to_string()),
            Self::DataKeys { key, .. } => key.map(|key| key.to_string()),
            Self::Index { version, .. } => version.map(|version| version.to_string()),
            Self::Erase { lead, .. } => lead.map(|lead| lead.to_string()),
            Self::CloseFinding { finding, .. } => finding.map(|finding| finding.to_string()),
            Self::EraseAudit { whose } => whose.map(str::to_owned),
            _ => self.kid().map(ToString::to_string),
        }
    }

    /// The tenant it is about, as it was asked for.
    pub(crate) fn tenant(&self) -> Option<&str> {
        match self {
            Self::IssueApiKey { tenant, .. }
            | Self::Erase { tenant, .. }
            | Self::DeleteProbeRows { tenant } => Some(tenant),
            Self::DataKeys { tenant, .. } => *tenant,
            Self::ListApiKeys { tenant }
            | Self::ReadQuality { tenant }
            | Self::ReadSamples { tenant }
            | Self::ReadAudit { tenant }
            | Self::CloseFinding { tenant, .. } => *tenant,
            Self::InvalidateKeyCache {
                what: Some(Invalidation::Tenant(tenant)),
            } => Some(tenant.as_str()),
            _ => None,
        }
    }
}

impl DataKeyAction {
    const fn on_record(self) -> &'static AuditAction {
        match self {
            Self::List => on_record::DATA_KEY_LIST,
            Self::Rotate => on_record::DATA_KEY_ROTATE,
            Self::Rewrap => on_record::DATA_KEY_REWRAP,
            Self::Reencrypt => on_record::DATA_KEY_REENCRYPT,
            Self::ReadReencryption => on_record::DATA_KEY_REENCRYPTION,
            Self::Verify => on_record::DATA_KEY_VERIFY,
            Self::Disable => on_record::DATA_KEY_DISABLE,
            Self::Destroy => on_record::DATA_KEY_DESTROY,
            Self::Restore => on_record::DATA_KEY_RESTORE,
        }
    }

    pub(crate) const fn is_change(self) -> bool {
        !matches!(self, Self::List | Self::ReadReencryption | Self::Verify)
    }
}

impl IndexAction {
    const fn on_record(self) -> &'static AuditAction {
        match self {
            Self::Read => on_record::INDEX_READ,
            Self::Rotate => on_record::INDEX_ROTATE,
            Self::Abandon => on_record::INDEX_ABANDON,
            Self::HoldUnique => on_record::INDEX_UNIQUE,
        }
    }
}

impl ActionResult {
    pub(crate) const ALL: [Self; 3] = [Self::Done, Self::Rejected, Self::Failed];

    /// Of something that is shown if it could be put on record.
    pub(super) const fn of_read<T, E>(shown: &Result<T, E>) -> Self {
        match shown {
            Ok(_) => Self::Done,
            Err(_) => Self::Failed,
        }
    }

    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

//! Why something was not accepted.

use std::borrow::Cow;

use portcullis_ratelimit::Decision;

use crate::{
    json::{Fault, JsonError},
    quality::Reason,
    schemas::{Violation, ViolationKind},
    store::{StoreError, UnusableState},
};

/// Why a whole request was not accepted.
#[derive(Debug)]
pub(crate) enum RequestRejection {
    Rejected(Rejection),
    /// A limit had no room; the decision says which, and when it has.
    Limited(Box<Decision>),
}

/// A reason of the closed taxonomy, and a sentence for who sent it. The sentence is made from
/// schemas and limits, never from what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) reason: Reason,
    pub(crate) detail: Cow<'static, str>,
}

impl Rejection {
    pub(crate) fn new(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }

    /// A rejection that the reason's own description explains.
    pub(crate) const fn plain(reason: Reason) -> Self {
        Self {
            reason,
            detail: Cow::Borrowed(reason.meaning()),
        }
    }
}

/// The reason to give where the reduced limits of an outage refused; `None` where the limits themselves did.
pub(crate) fn reduced(decision: &Decision) -> Option<Reason> {
    let Decision::Refused(refused) = decision else {
        return None;
    };
    let status = Reason::CapacityLimitsReduced.status();
    (refused.problem().status == status).then_some(Reason::CapacityLimitsReduced)
}

impl From<Rejection> for RequestRejection {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<JsonError> for Rejection {
    fn from(error: JsonError) -> Self {
        let reason = match error.fault {
            Fault::NotUtf8 => Reason::ParseUtf8,
            Fault::Broken | Fault::EndsEarly => Reason::ParseJson,
            Fault::TooDeep => Reason::ParseDepth,
            Fault::RepeatedName => Reason::ParseRepeatedName,
            Fault::InexactNumber => Reason::ParseNumber,
        };
        Self::new(reason, error.to_string())
    }
}

impl From<Violation> for Rejection {
    fn from(violation: Violation) -> Self {
        let reason = match violation.kind {
            ViolationKind::RequiredMissing => Reason::SchemaRequiredMissing,
            ViolationKind::TypeMismatch => Reason::SchemaTypeMismatch,
            ViolationKind::AdditionalProperty => Reason::SchemaAdditionalProperty,
            ViolationKind::Constraint => Reason::SchemaConstraint,
        };
        Self::new(reason, violation.detail)
    }
}

/// Which versions of the index are to be written is not known, or one of them cannot be.
impl From<UnusableState> for Rejection {
    fn from(error: UnusableState) -> Self {
        Self::plain(match error {
            UnusableState::Stale => Reason::CapacityStoreUnavailable,
            UnusableState::NotConfigured(_) | UnusableState::Different(_) => {
                Reason::CapacityKeysUnavailable
            }
        })
    }
}

/// A store that cannot be written or read, logged here in full and told without any of it.
impl From<StoreError> for Rejection {
    fn from(error: StoreError) -> Self {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the store failed a request"
        );
        Self::plain(match error {
            StoreError::Stopped => Reason::CapacityDraining,
            StoreError::Malformed(_) => Reason::Internal,
            _ => Reason::CapacityStoreUnavailable,
        })
    }
}

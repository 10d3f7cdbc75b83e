//! What is done with personal data, told to those who count it; and whether stored values were lately
//! found that are not what was written.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis_keyring::TenantId;
use portcullis_pii_crypto::PiiKind;
use portcullis_pii_detect::Kind;

use crate::{
    clock::Clock,
    detection::Handling,
    lead::{ColumnFault, LeadColumn, OpenedLead},
};

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PiiOperation {
    Seal,
    Open,
    /// Looks a value up by its fingerprint.
    Index,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PiiOutcome {
    Ok,
    /// What is stored is not what was written.
    Rejected,
    KeyUnavailable,
    KeyDestroyed,
    Failed,
}

/// Is told of every operation on a value.
pub(crate) trait PiiObserver: Debug + Send + Sync {
    fn observe(&self, operation: PiiOperation, kind: PiiKind, outcome: PiiOutcome);

    /// A kind was found in a value that no schema declares, and this becomes of the value, or of all of its
    /// event.
    fn detected(&self, kind: Kind, handling: Handling);
}

/// Reports operations on personal data. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct PiiReports {
    observer: Arc<dyn PiiObserver>,
    clock: Arc<dyn Clock>,
    last_rejected: Arc<Mutex<Option<Duration>>>,
}

/// How long a stored value that is not what was written shows in readiness.
const SHOWN_FOR: Duration = Duration::from_secs(15 * 60);

impl PiiReports {
    pub(crate) fn new(observer: Arc<dyn PiiObserver>, clock: Arc<dyn Clock>) -> Self {
        Self {
            observer,
            clock,
            last_rejected: Arc::default(),
        }
    }

    /// Counts a value that was sealed, or was not.
    pub(super) fn sealed(&self, kind: PiiKind, outcome: PiiOutcome) {
        self.count(PiiOperation::Seal, kind, outcome);
    }

    /// Counts what was found where no schema declares any.
    pub(super) fn detected(&self, kind: Kind, handling: Handling) {
        self.observer.detected(kind, handling);
    }

    /// Counts each column of a lead, and logs those that do not open.
    pub(super) fn opened(&self, tenant: &TenantId, lead: &OpenedLead) {
        for (column, value) in &lead.columns {
            let outcome = value.as_ref().map_or_else(outcome, |_| PiiOutcome::Ok);
            self.count(PiiOperation::Open, column.kind(), outcome);
        }
        for (column, fault) in lead.faults() {
            let (tenant, field) = (tenant.as_str(), column.field());
            tracing::error!(
                tenant,
                lead = %lead.id,
                field,
                error = &fault as &dyn std::error::Error,
                "a stored value does not open"
            );
        }
    }

    /// Counts a look-up by the index of a column.
    pub(super) fn looked_up(&self, column: &LeadColumn) {
        self.count(PiiOperation::Index, column.kind(), PiiOutcome::Ok);
    }

    /// Counts and logs an entry of an index that leads to no lead of its tenant.
    pub(super) fn index_leads_nowhere(&self, tenant: &TenantId, column: &LeadColumn) {
        self.count(PiiOperation::Index, column.kind(), PiiOutcome::Rejected);
        let (tenant, field) = (tenant.as_str(), column.field());
        tracing::error!(tenant, field, "an entry of the index leads to no lead");
    }

    /// Whether something that is stored was lately found not to be what was written.
    pub(crate) fn found_tampering_lately(&self) -> bool {
        let now = self.clock.monotonic();
        let last = *self
            .last_rejected
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| now.saturating_sub(last) < SHOWN_FOR)
    }

    fn count(&self, operation: PiiOperation, kind: PiiKind, outcome: PiiOutcome) {
        self.observer.observe(operation, kind, outcome);
        if outcome == PiiOutcome::Rejected {
            let now = self.clock.monotonic();
            *self
                .last_rejected
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
    }
}

impl PiiOperation {
    pub(crate) const ALL: [Self; 3] = [Self::Seal, Self::Open, Self::Index];

    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Open => "open",
            Self::Index => "index",
        }
    }
}

impl PiiOutcome {
    pub(crate) const ALL: [Self; 5] = [
        Self::Ok,
        Self::Rejected,
        Self::KeyUnavailable,
        Self::KeyDestroyed,
        Self::Failed,
    ];

    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::KeyUnavailable => "key_unavailable",
            Self::KeyDestroyed => "key_destroyed",
            Self::Failed => "failed",
        }
    }
}

pub(super) fn outcome(fault: &ColumnFault) -> PiiOutcome {
    match fault {
        ColumnFault::NotIntact => PiiOutcome::Rejected,
        ColumnFault::KeyUnavailable => PiiOutcome::KeyUnavailable,
        ColumnFault::KeyDestroyed => PiiOutcome::KeyDestroyed,
        ColumnFault::KeyNotOpened => PiiOutcome::Failed,
    }
}

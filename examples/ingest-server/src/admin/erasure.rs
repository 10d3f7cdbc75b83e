//! Erasing a tenant or a lead, at the request of an operator.

use std::{sync::Arc, time::Duration};

use portcullis_keyring::{Keyring, TenantId};
use serde::{Deserialize, Serialize};

use super::{Action, Actor, AdminObserver, DataKeyError, data_keys, recorder::Recorder};
use crate::{
    clock::Clock,
    lead::LeadId,
    store::{AuditLog, Store, Tombstone, Tombstones},
};

/// The use case of erasing.
#[derive(Debug, Clone)]
pub(crate) struct Erasures {
    keyring: Keyring,
    store: Arc<dyn Store>,
    tombstones: Tombstones,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
}

/// Who is to be erased.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErasureRequest {
    pub(crate) tenant: String,
    /// One lead of the tenant; all of it, and every data key, unless it is said.
    pub(crate) lead: Option<String>,
}

/// What was erased.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Erased {
    pub(crate) tenant: String,
    pub(crate) lead: Option<String>,
    /// Leads and events that held something.
    pub(crate) rows: u64,
    /// Whether nothing of it is left in the write-ahead log either; if it is, until the log is used again.
    pub(crate) log_emptied: bool,
}

/// After so long nothing is stored any more that was sealed with a key which is destroyed now: processes seal
/// with what they have read less than 10 s ago, and store it within 30 s.
const STORED_AFTER: Duration = Duration::from_secs(40);

/// How often the log is tried to be emptied while others read it, and how far apart.
const FOLDS: u32 = 20;
const FOLD_EVERY: Duration = Duration::from_millis(25);

impl Erasures {
    pub(super) const fn new(
        keyring: Keyring,
        store: Arc<dyn Store>,
        tombstones: Tombstones,
        clock: Arc<dyn Clock>,
        recorder: Recorder,
    ) -> Self {
        Self {
            keyring,
            store,
            tombstones,
            clock,
            recorder,
        }
    }

    /// For the command line, which has no more than these.
    pub(crate) fn standalone(
        keyring: Keyring,
        store: Arc<dyn Store>,
        tombstones: Tombstones,
        clock: Arc<dyn Clock>,
        (audit, observer): (AuditLog, Arc<dyn AdminObserver>),
    ) -> Self {
        let recorder = Recorder::new(audit, observer);
        Self::new(keyring, store, tombstones, clock, recorder)
    }

    /// Erases for good. That it is to be done is noted outside the database first, so that a backup that is
    /// restored brings nobody back.
    pub(crate) async fn erase(
        &self,
        actor: &Actor,
        request: &ErasureRequest,
    ) -> Result<Erased, DataKeyError> {
        let lead = request.lead.as_deref().map(|id| {
            let lead = LeadId::parse(id);
            lead.ok_or_else(|| DataKeyError::Invalid("`lead`: not the id of a lead".to_owned()))
        });
        let lead = lead.transpose();
        let action = |lead| Action::Erase {
            tenant: &request.tenant,
            lead,
        };
        let read = async { Ok((data_keys::parse_tenant(&request.tenant)?, lead?)) };
        let (tenant, lead) = match read.await {
            Ok(read) => read,
            Err(error) => return Err(self.recorder.rejected(actor, action(None), error)),
        };
        let erase = self.erase_noted(&tenant, lead);
        self.recorder.change(actor, action(lead), erase).await
    }

    async fn erase_noted(
        &self,
        tenant: &TenantId,
        lead: Option<LeadId>,
    ) -> Result<Erased, DataKeyError> {
        if let Some(lead) = lead
            && self.store.lead(tenant, lead).await?.is_none()
        {
            return Err(DataKeyError::NoLead);
        }
        let tombstone = Tombstone {
            tenant: tenant.clone(),
            lead,
            at: self.clock.wall(),
        };
        let noted = self.tombstones.add(tombstone).await;
        noted.map_err(DataKeyError::other)?;
        let rows = match lead {
            Some(lead) => self.store.erase_leads(&[(tenant.clone(), lead)]).await?,
            None => self.erase_tenant(tenant).await?,
        };
        Ok(Erased {
            tenant: tenant.to_string(),
            lead: lead.map(|lead| lead.to_string()),
            rows,
            log_emptied: self.empty_log().await?,
        })
    }

    /// Erases what there is, and what other processes store until they know that the keys are destroyed. One
    /// that ends before it is done is run again: the next start does it too.
    async fn erase_tenant(&self, tenant: &TenantId) -> Result<u64, DataKeyError> {
        // First, so that nothing new is sealed.
        self.keyring.erase_tenant(tenant).await?;
        let mut rows = self.store.erase_tenant(tenant).await?;
        self.empty_log().await?;
        tokio::time::sleep(STORED_AFTER).await;
        rows += self.store.erase_tenant(tenant).await?;
        Ok(rows)
    }

    async fn empty_log(&self) -> Result<bool, DataKeyError> {
        for _ in 0..FOLDS {
            if self.store.fold_log().await? {
                return Ok(true);
            }
            tokio::time::sleep(FOLD_EVERY).await;
        }
        Ok(false)
    }
}

//! Erasing a tenant or a lead, at the request of an operator.

use std::{sync::Arc, time::Duration};

use portcullis_dq_metrics::history::QualityHistory;
use portcullis_keyring::{Keyring, TenantId};
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    Action, Actor, AdminObserver, DataKeyError, data_keys, names,
    recorder::Recorder,
    tenant_keys::{self, TenantKeys},
};
use crate::{
    audit::AuditLog,
    clock::Clock,
    lead::LeadId,
    store::{COMMITTED_WITHIN, Store, StoreError, Tombstone, Tombstones},
};

/// The use case of erasing.
#[derive(Debug, Clone)]
pub(crate) struct Erasures {
    pub(super) keyring: Keyring,
    pub(super) store: Arc<dyn Store>,
    pub(super) keys: TenantKeys,
    pub(super) quality_history: Arc<dyn QualityHistory>,
    pub(super) tombstones: Tombstones,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) recorder: Recorder,
}

/// Who is to be erased.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErasureRequest {
    pub(crate) tenant: String,
    /// One lead of the tenant.
    #[serde(default, deserialize_with = "named")]
    pub(crate) lead: Option<String>,
    /// All of the tenant, with every data key.
    #[serde(default)]
    pub(crate) all: bool,
}

/// A lead that is there is a text: null is no way to say that all is meant.
fn named<'de, D: Deserializer<'de>>(lead: D) -> Result<Option<String>, D::Error> {
    String::deserialize(lead).map(Some)
}

impl ErasureRequest {
    /// Which lead is meant; none where all of the tenant is.
    fn lead(&self) -> Result<Option<LeadId>, DataKeyError> {
        match (&self.lead, self.all) {
            (Some(id), false) => match LeadId::parse(id) {
                Some(lead) => Ok(Some(lead)),
                None => Err(invalid("`lead`: not the id of a lead")),
            },
            (None, true) => Ok(None),
            (Some(_), true) => Err(invalid("`lead` and `all`: one of them, not both")),
            (None, false) => Err(invalid(
                "name a `lead`, or send `\"all\": true` to erase all of the tenant",
            )),
        }
    }
}

fn invalid(message: &str) -> DataKeyError {
    DataKeyError::Invalid(message.to_owned())
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
const STORED_AFTER: Duration = SEALED_AFTER.saturating_add(COMMITTED_WITHIN);
const SEALED_AFTER: Duration = Duration::from_secs(10);

impl Erasures {
    /// For the command line, which has no more than these.
    pub(crate) fn standalone(
        keyring: Keyring,
        store: Arc<dyn Store>,
        keys: TenantKeys,
        quality_history: Arc<dyn QualityHistory>,
        tombstones: Tombstones,
        clock: Arc<dyn Clock>,
        (audit, observer): (AuditLog, Arc<dyn AdminObserver>),
    ) -> Self {
        Self {
            keyring,
            store,
            keys,
            quality_history,
            tombstones,
            clock,
            recorder: Recorder::new(audit, observer),
        }
    }

    /// Erases for good. That it is to be done is noted outside the database first, so that a backup that is
    /// restored brings nobody back.
    pub(crate) async fn erase(
        &self,
        actor: &Actor,
        request: &ErasureRequest,
    ) -> Result<Erased, DataKeyError> {
        let action = |lead| Action::Erase {
            tenant: &request.tenant,
            lead,
        };
        let read = async {
            if request.tenant == names::SYSTEM {
                return Err(invalid("`tenant`: the name is reserved, and nobody's"));
            }
            let (tenant, lead) = (data_keys::parse_tenant(&request.tenant)?, request.lead()?);
            if lead.is_none() {
                // With its keys goes what lies beside the audit log, of every log and backup.
                self.recorder.require_no_hold()?;
            }
            Ok((tenant, lead))
        };
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
        match lead {
            Some(lead) if self.store.lead(tenant, lead).await?.is_none() => {
                return Err(DataKeyError::NoLead);
            }
            None if !self.is_known(tenant).await? => return Err(DataKeyError::NoTenant),
            _ => {}
        }
        let tombstone = Tombstone {
            tenant: tenant.clone(),
            lead,
            at: self.clock.wall(),
        };
        self.tombstones.note(&*self.store, tombstone).await?;
        let rows = match lead {
            Some(lead) => self.store.erase_leads(&[(tenant.clone(), lead)]).await?,
            None => self.erase_tenant(tenant).await?,
        };
        Ok(Erased {
            tenant: tenant.to_string(),
            lead: lead.map(|lead| lead.to_string()),
            rows,
            log_emptied: self.store.shred().await?,
        })
    }

    /// Erases what there is, and what other processes store until they know that the keys are destroyed. One
    /// that ends before it is done is run again: the next start does it too.
    async fn erase_tenant(&self, tenant: &TenantId) -> Result<u64, DataKeyError> {
        self.store.owe_shredding().await?;
        // First, so that nobody sends for it, and then that nothing new is sealed.
        let revoked = tenant_keys::revoke_all(&self.keys.api_keys, tenant).await;
        revoked.map_err(DataKeyError::other)?;
        self.keyring.erase_tenant(tenant).await?;
        let mut rows = self.erase_rows(tenant).await?;
        self.store.shred().await?;
        tokio::time::sleep(STORED_AFTER).await;
        rows += self.erase_rows(tenant).await?;
        let forgotten = self.recorder.forget(tenant).await;
        forgotten.map_err(DataKeyError::other)?;
        Ok(rows)
    }

    /// Leads and events that held something, and with them what the history of data quality has of the tenant: its
    /// samples leave every process with the next look at the history.
    async fn erase_rows(&self, tenant: &TenantId) -> Result<u64, DataKeyError> {
        let rows = self.store.erase_tenant(tenant).await?;
        let forgotten = self.quality_history.erase_tenant(tenant.as_str()).await;
        forgotten.map_err(StoreError::from)?;
        Ok(rows)
    }

    /// Whether there is, or was, anything of a tenant: a name that was mistyped would be nobody's for ever.
    async fn is_known(&self, tenant: &TenantId) -> Result<bool, DataKeyError> {
        Ok(self.keys.has_any(tenant).await? || self.store.has_rows_of(tenant).await?)
    }
}

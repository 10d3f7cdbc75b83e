//! The proof that an entry is in the log.

use portcullis_audit_log::proof::TlogProof;

use super::{AuditError, AuditEvents};
use crate::admin::{Action, Actor};

impl AuditEvents {
    /// The proof of one event, for a third party.
    pub(crate) async fn proof(&self, actor: &Actor, n: u64) -> Result<TlogProof, AuditError> {
        let action = Action::ReadAudit { tenant: None };
        let proof = async {
            let proof = self.audit.reading().proof(n).await?;
            proof.ok_or(AuditError::NotFound)
        };
        self.recorded(actor, action, proof).await
    }
}

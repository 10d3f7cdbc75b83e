//! `audit close`: a finding of the rules that somebody has looked at.

use clap::Args;
use portcullis_audit_log::event::Code;

use super::{
    log::{LogError, Named},
    open::Open,
};
use crate::{
    admin::ClosingRequest,
    audit::{AuditActor, AuditDraft, actions::AUDIT_FINDING_CLOSED, finding},
    cli::{CliError, opened::Opened, print},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Close {
    /// The number of its entry, `audit.suspicious`.
    #[arg(value_name = "NUMBER")]
    n: u64,
    #[command(flatten)]
    log: Named,
    /// What it was, in a code of INGEST_ACCESS_REASONS.
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
}

pub(super) async fn run(opened: &Opened, arguments: Close) -> Result<(), CliError> {
    let Close { n, log, reason } = arguments;
    let reason = ClosingRequest::new(reason).read(&opened.reason_codes);
    let reason = reason.map_err(LogError::from)?;
    let open = Open::open(opened, &log).await?;
    let draft = AuditDraft {
        count: 1,
        reason,
        ..AuditDraft::new(
            None,
            AUDIT_FINDING_CLOSED,
            AuditActor::System(opened.actor.id()),
        )
    };
    let closed = close(opened, &open, n, draft).await;
    open.close().await?;
    closed?;
    print(&format!("the finding {n} is closed"))
}

async fn close(opened: &Opened, open: &Open, n: u64, draft: AuditDraft) -> Result<(), LogError> {
    let (refused, error) = match finding(&*open.store(), n).await? {
        Some(found) if !found.is_closed => {
            let draft = AuditDraft {
                tenant: Some(found.tenant),
                resources: vec![found.id.to_string()],
                refs: vec![found.id],
                ..draft
            };
            // Where the command's doings are, and where the finding is, whose report counts it.
            opened.audit.record(draft.clone()).await?;
            return open.record(&draft).await;
        }
        Some(_) => (Code::new("conflict"), LogError::Closed),
        None => (Code::new("not_found"), LogError::NoSuchFinding),
    };
    opened.audit.record(draft.denied(refused)).await?;
    Err(error)
}

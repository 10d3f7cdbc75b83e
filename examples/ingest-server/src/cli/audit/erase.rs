//! `audit erase`: what lies beside entries goes before its time.

use clap::{ArgGroup, Args};
use portcullis_audit_log::event::{Code, Outcome};

use super::{
    log::{LogError, Named, require_no_hold, unless_refused},
    open::Open,
};
use crate::{
    admin::AuditErasureRequest,
    audit::{AuditActor, AuditDraft, actions::AUDIT_ERASE, concerns_any},
    cli::{CliError, keys::to_json, opened::Opened, print},
};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whose").required(true).args(["event", "actor", "resource", "tenant"]))]
pub(in crate::cli) struct Erase {
    #[command(flatten)]
    log: Named,
    /// Of this entry.
    #[arg(long, value_name = "NUMBER")]
    event: Option<u64>,
    /// Of every entry of this actor.
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Of every entry about this resource.
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    /// Of every entry of this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(opened: &Opened, arguments: Erase) -> Result<(), CliError> {
    let Erase {
        log,
        event,
        actor,
        resource,
        tenant,
        json,
    } = arguments;
    let request = AuditErasureRequest::new(event, actor, resource, tenant);
    let by = AuditActor::System(opened.actor.id());
    let draft = AuditDraft {
        count: 1,
        ..AuditDraft::new(None, AUDIT_ERASE, by)
    };
    let read = request.read().map_err(LogError::from);
    let (erasure, whose) = unless_refused(opened, &draft, read).await?;
    require_no_hold(opened, &draft).await?;
    let open = Open::open(opened, &log).await;
    let open = unless_refused(opened, &draft, open).await?;
    let erased = async {
        // What somebody types must not get into a log by being asked for.
        let concerns = concerns_any(&*open.store(), &erasure).await;
        let concerns = match concerns {
            Ok(true) => Ok(()),
            Ok(false) => Err(LogError::NoSuchEntry),
            Err(error) => Err(error.into()),
        };
        unless_refused(opened, &draft, concerns).await?;
        let draft = AuditDraft {
            resources: vec![whose],
            ..draft
        };
        let begun = opened.audit.begin(draft).await?;
        let erased = open.erase(&erasure).await;
        let (outcome, detail) = match &erased {
            Ok(_) => (Outcome::Success, None),
            Err(_) => (Outcome::Failure, Some(Code::new("failed"))),
        };
        begun.finish(outcome, detail).await?;
        erased
    };
    let erased: Result<u64, LogError> = erased.await;
    open.close().await?;
    let erased = erased?;
    if json {
        print(&to_json(&serde_json::json!({ "erased": erased })))
    } else {
        print(&format!(
            "{erased} parts that lay beside entries are erased"
        ))
    }
}

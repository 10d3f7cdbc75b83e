//! `audit prune`: what is too old goes now, and not within the hour.

use clap::Args;
use portcullis_audit_log::{
    audit::Retained,
    event::{Code, Outcome},
};
use serde_json::json;

use super::{
    log::{LogError, Named},
    open::Open,
};
use crate::{
    audit::{AuditActor, AuditDraft, actions::AUDIT_PRUNE},
    cli::{CliError, opened::Opened, print},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Prune {
    #[command(flatten)]
    log: Named,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(opened: &Opened, arguments: &Prune) -> Result<(), CliError> {
    let open = Open::open(opened, &arguments.log).await?;
    let retained = async {
        let by = AuditActor::System(opened.actor.id());
        let draft = AuditDraft {
            count: 1,
            ..AuditDraft::new(None, AUDIT_PRUNE, by)
        };
        let begun = opened.audit.begin(draft).await?;
        let retained = open.retain(opened).await;
        let (outcome, detail) = match &retained {
            Ok(_) => (Outcome::Success, None),
            Err(_) => (Outcome::Failure, Some(Code::new("failed"))),
        };
        begun.finish(outcome, detail).await?;
        retained
    };
    let retained: Result<Retained, LogError> = retained.await;
    open.close().await?;
    let Retained {
        erased,
        pruned,
        first,
        ..
    } = retained?;
    if arguments.json {
        return print(&json!({ "erased": erased, "pruned": pruned, "first": first }).to_string());
    }
    print(&format!(
        "{pruned} entries are gone, and {erased} parts that lay beside entries; the first that is left is {first}"
    ))
}

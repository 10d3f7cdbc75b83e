//! `audit archive`: what a log has more than its archive goes there now, and not within the hour.

use clap::Args;
use portcullis_audit_log::event::{Code, Outcome};
use serde_json::json;

use super::{
    log::{LogError, Named, unless_refused},
    open::Open,
};
use crate::{
    audit::{AuditActor, AuditDraft, actions::AUDIT_ARCHIVE},
    cli::{CliError, opened::Opened, print},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Archive {
    #[command(flatten)]
    log: Named,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(opened: &Opened, arguments: &Archive) -> Result<(), CliError> {
    let name = arguments.log.name(&opened.logs);
    let generation = arguments.log.generation();
    let by = AuditActor::System(opened.actor.id());
    let draft = AuditDraft {
        count: 1,
        ..AuditDraft::new(None, AUDIT_ARCHIVE, by)
    };
    let ready = async {
        let archive = opened.logs.archive(name, generation)?;
        let keys = opened.logs.keys(name, generation)?;
        Ok((archive, keys, Open::open(opened, &arguments.log).await?))
    };
    let (archive, keys, open) = unless_refused(opened, &draft, ready.await).await?;
    let archived = async {
        let begun = opened.audit.begin(draft).await?;
        open.publish().await;
        let archived = archive.fill(&open.store(), &keys).await;
        let (outcome, detail) = match &archived {
            Ok(_) => (Outcome::Success, None),
            Err(_) => (Outcome::Failure, Some(Code::new("failed"))),
        };
        begun.finish(outcome, detail).await?;
        Ok(archived?)
    };
    let archived: Result<u64, LogError> = archived.await;
    open.close().await?;
    let (entries, place) = (archived?, archive.url());
    if arguments.json {
        return print(&json!({ "archive": place, "entries": entries }).to_string());
    }
    print(&format!("{entries} entries are in {place}"))
}

//! `audit prune`: what is too old goes now, and not within the hour.

use clap::Args;
use portcullis_audit_log::{
    audit::Retained,
    event::{Code, Outcome},
};
use serde_json::json;

use super::{
    log::{LogError, Named, require_no_hold, unless_refused},
    open::Open,
};
use crate::{
    audit::{AuditActor, AuditDraft, actions::AUDIT_PRUNE},
    cli::{CliError, opened::Opened, print, warn},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Prune {
    #[command(flatten)]
    log: Named,
    /// Say that the clock is right, though it is far ahead of the last entry of the log. Without, ages are counted to a
    /// day behind that.
    #[arg(long)]
    confirm_clock: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(opened: &Opened, arguments: &Prune) -> Result<(), CliError> {
    let by = AuditActor::System(opened.actor.id());
    let draft = AuditDraft {
        count: 1,
        ..AuditDraft::new(None, AUDIT_PRUNE, by)
    };
    require_no_hold(opened, &draft).await?;
    let open = Open::open(opened, &arguments.log).await;
    let open = unless_refused(opened, &draft, open).await?;
    let retained = async {
        let begun = opened.audit.begin(draft).await?;
        let retained = open.retain(opened, arguments.confirm_clock).await;
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
        clock_ahead,
        ..
    } = retained?;
    if let Some(ahead) = clock_ahead {
        warn(&format!(
            "the clock says {}, and entries were taken to be as old as they are on {}: if the clock is right, say \
             --confirm-clock",
            ahead.clock, ahead.trusted
        ));
    }
    if arguments.json {
        return print(&json!({ "erased": erased, "pruned": pruned, "first": first }).to_string());
    }
    print(&format!(
        "{pruned} entries are gone, and {erased} parts that lay beside entries; the first that is left is {first}"
    ))
}

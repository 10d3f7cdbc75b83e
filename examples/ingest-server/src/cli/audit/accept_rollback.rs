//! `audit accept-rollback`: a log that was put back, cut or damaged stays as it is, and another follows it.

use clap::Args;
use portcullis_audit_log::{
    audit::AcceptError,
    event::{Code, Outcome},
};
use serde_json::{Value, json};

use super::log::{LogError, Node};
use crate::{
    audit::{AuditActor, AuditDraft, actions::AUDIT_ACCEPT_ROLLBACK},
    backend::{ForeignLog, LogTreeNamed, MissingPeppers, NamedLogError, RefusedLogs},
    cli::{
        CliError,
        opened::{Opened, Reached},
        print,
        settings::Settings,
    },
};

#[derive(Debug, Args)]
pub(in crate::cli) struct AcceptRollback {
    #[command(flatten)]
    log: Node,
    /// Say that it was looked into, and that entries are lost. Without, it is shown what there is, and nothing changed.
    #[arg(long)]
    confirm: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The log that follows: its origin, and its folder.
type Begun = (String, String);

/// Its own log is another one if its own is the one that was put back.
pub(super) async fn run(settings: &Settings, arguments: &AcceptRollback) -> Result<(), CliError> {
    let reached = Reached::open(settings, MissingPeppers::Accept).await?;
    let name = arguments.log.name(&reached.logs).to_owned();
    let looking = reached
        .logs
        .foreign(&reached.backend, &name, &reached.clock);
    let foreign = match looking.await {
        Err(error @ NamedLogError::Accept(_)) => Err(error),
        Err(NamedLogError::InUse) => return Err(LogError::Running.into()),
        found => Ok(found.map_err(LogError::from)?),
    };
    let opened = reached.audited(RefusedLogs::PassOver).await?;
    let outcome = accept(&opened, arguments, foreign.as_ref()).await;
    opened.close().await;
    let Ok(foreign) = foreign else {
        outcome?;
        return foreign
            .map(drop)
            .map_err(|error| LogError::from(error).into());
    };
    let shown = outcome.map_err(CliError::from).and_then(|begun| {
        if arguments.json {
            print(&to_json(&foreign, begun.as_ref()).to_string())
        } else {
            print(&to_text(&foreign, begun.as_ref()))
        }
    });
    foreign.release().await;
    shown
}

/// Puts on record what comes of it, whatever it is.
async fn accept(
    opened: &Opened,
    arguments: &AcceptRollback,
    foreign: Result<&ForeignLog, &NamedLogError>,
) -> Result<Option<Begun>, LogError> {
    let by = AuditActor::System(opened.actor.id());
    let draft = AuditDraft {
        resources: vec![arguments.log.name(&opened.logs).to_owned()],
        count: 1,
        ..AuditDraft::new(None, AUDIT_ACCEPT_ROLLBACK, by)
    };
    let pending = opened.audit.begin(draft).await?;
    let (begun, why) = match foreign {
        Ok(foreign) if arguments.confirm => match foreign.accept().await {
            Ok((origin, folder)) => (Ok(Some((origin, folder.display().to_string()))), None),
            Err(error) => (Err(LogError::Begin(error)), Some(Code::new("failed"))),
        },
        Ok(_) => (Ok(None), Some(Code::new("unconfirmed"))),
        Err(NamedLogError::Accept(AcceptError::NothingToAccept)) => {
            (Ok(None), Some(Code::new("not_found")))
        }
        Err(_) => (Ok(None), Some(Code::new("failed"))),
    };
    let outcome = match why {
        None => Outcome::Success,
        Some(_) => Outcome::Failure,
    };
    pending.finish(outcome, why).await?;
    begun
}

fn to_text(foreign: &ForeignLog, begun: Option<&Begun>) -> String {
    let line = |log: &LogTreeNamed| {
        format!(
            "{} with {} entries, root {}",
            log.origin, log.tree.size, log.tree.root
        )
    };
    let folder = foreign.folder();
    let mut lines = match foreign.damage() {
        None => vec![format!("there is:    {}", line(&foreign.kept()))],
        Some(damage) => vec![
            format!(
                "damaged is:  {} in {}",
                foreign.kept().origin,
                folder.display()
            ),
            format!("             {damage}"),
            published(&foreign.kept()),
        ],
    };
    lines.push(known(&foreign.known(), line));
    match begun {
        None => {
            lines.push("nothing is changed: say --confirm to begin the log that follows".into())
        }
        Some((origin, new)) => {
            lines.push(format!("from now on: {origin} in {new}"));
            let with = match foreign.keys() {
                [] => " the public key of the one that is missing",
                _ => ":",
            };
            lines.push(format!(
                "what there is stays in {}, and is verified with{with}",
                folder.display()
            ));
            lines.extend(foreign.keys().iter().map(ToString::to_string));
        }
    }
    lines.join("\n")
}

/// No anchor keeps a tree without entries: of that, nobody knows more than the log that it is of.
fn known(known: &LogTreeNamed, line: impl Fn(&LogTreeNamed) -> String) -> String {
    match known.tree.size {
        0 => format!(
            "known is:    {}, and nothing of it that a key which is configured has signed",
            known.origin
        ),
        _ => format!("known is:    {}", line(known)),
    }
}

fn published(kept: &LogTreeNamed) -> String {
    match kept.tree.size {
        0 => "published:   nothing that can be read and verified".to_owned(),
        size => format!("published:   {size} entries, root {}", kept.tree.root),
    }
}

fn to_json(foreign: &ForeignLog, begun: Option<&Begun>) -> Value {
    let tree = |log: &LogTreeNamed| {
        let root = log.tree.root.to_string();
        json!({ "origin": log.origin, "size": log.tree.size, "root": root })
    };
    let keys: Vec<_> = foreign.keys().iter().map(ToString::to_string).collect();
    json!({
        "kept": tree(&foreign.kept()),
        "known": tree(&foreign.known()),
        "damage": foreign.damage(),
        "folder": foreign.folder(),
        "vkeys": keys,
        "begun": begun.map(|(origin, folder)| json!({ "origin": origin, "folder": folder })),
    })
}

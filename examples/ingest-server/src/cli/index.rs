//! `index rotate`: another root for the blind indexes, while servers run; `index unique`: other fields that only
//! one lead may have a value of.

use clap::{Args, Subcommand};

use super::{
    CliError,
    columns::Columns,
    keys::{Unfinished, to_json, whole_seconds},
    opened::Opened,
    print,
    progress::Shown,
    settings::Settings,
    warn,
};
use crate::{
    admin::{FailedRow, IndexRequest, IndexStatus, IndexVersions, RotatedIndex, RotationUnderWay},
    backend::MissingPeppers,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Index everything under another root, and let the one before it go: takes some minutes, most of them
    /// waiting. Run again, it goes on where it was.
    Rotate(Rotate),
    /// Have the database hold the fields of INGEST_UNIQUE_LEAD_FIELDS unique, in place of those that its processes
    /// hold. A process is started with the new ones from then on, and those that run are to be restarted.
    #[command(name = "unique")]
    HoldUnique(HoldUnique),
}

#[derive(Debug, Args)]
pub(super) struct HoldUnique {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// To this version; default: the primary one of PORTCULLIS_INDEX_ROOTS.
    #[arg(long, value_name = "NUMBER")]
    version: Option<u16>,
    /// Show which versions are live and in which phase, and change nothing.
    #[arg(long, conflicts_with = "abandon")]
    status: bool,
    /// Give up a rotation whose version is not looked up yet.
    #[arg(long)]
    abandon: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CliError> {
    let opened = Opened::open(settings, MissingPeppers::Accept).await?;
    let outcome = match command {
        Command::Rotate(arguments) => rotate(&opened, &opened.index(), &arguments).await,
        Command::HoldUnique(HoldUnique { json }) => unique(&opened, &opened.index(), json).await,
    };
    opened.close().await;
    outcome
}

async fn rotate(
    opened: &Opened,
    index: &IndexVersions,
    arguments: &Rotate,
) -> Result<(), CliError> {
    let actor = &opened.actor;
    let request = IndexRequest {
        version: arguments.version,
    };
    if arguments.abandon {
        if !index.abandon(actor, request).await? {
            warn("that version is not on its way: there was nothing to give up");
        }
    } else if !arguments.status {
        let mut shown = Shown::new(&opened.clock);
        let mut progress = |at: &str, done: &_| shown.show(at, done);
        let rotated = index.rotate(actor, request, &mut progress).await;
        shown.end();
        return print_rotated(&rotated?, arguments.json);
    }
    print_status(&index.status(actor).await?, arguments.json)
}

async fn unique(opened: &Opened, index: &IndexVersions, json: bool) -> Result<(), CliError> {
    let held = index
        .hold_unique(&opened.actor, &opened.unique_fields)
        .await?;
    if json {
        return print(&to_json(&held));
    }
    let fields = held.fields;
    print(&format!(
        "the database holds unique: {fields}; restart each server with that setting"
    ))
}

fn print_status(status: &IndexStatus, json: bool) -> Result<(), CliError> {
    if json {
        return print(&to_json(status));
    }
    let mut columns = Columns::new(["VERSION", "PHASE", "SINCE", "CONFIGURED"]);
    for live in &status.live {
        let is_configured = if live.is_configured { "yes" } else { "no" };
        let (version, phase) = (live.version.to_string(), live.phase.to_owned());
        let since = whole_seconds(live.since.as_deref());
        columns.add([version, phase, since, is_configured.to_owned()]);
    }
    print(&columns.to_string())?;
    if let Some(under_way) = &status.under_way {
        let RotationUnderWay {
            at, done, total, ..
        } = under_way;
        let rows = if *total > 0 {
            format!(": {done} of {total}")
        } else {
            String::new()
        };
        print(&format!("{under_way}: {at}{rows}"))?;
    }
    let unused = |version: &&u32| {
        let mut live = status.live.iter();
        !live.any(|live| u32::from(live.version) == **version)
    };
    let mut unused = status.configured.iter().filter(unused);
    unused.try_for_each(|version| print(&format!("version {version} is configured and not used")))
}

fn print_rotated(rotated: &RotatedIndex, json: bool) -> Result<(), CliError> {
    if json {
        print(&to_json(rotated))?;
    }
    let version = rotated.version;
    if rotated.is_done() {
        return if json {
            Ok(())
        } else {
            print(&format!(
                "version {version} is the only one that is used: others can be taken out of \
                 PORTCULLIS_INDEX_ROOTS"
            ))
        };
    }
    if !json {
        let rows = rotated.duplicates.iter().chain(&rotated.failures);
        for FailedRow {
            table,
            tenant,
            row,
            reason,
            ..
        } in rows
        {
            print(&format!("{table} {row} of {tenant}: {reason}"))?;
        }
        for (key, rows) in &rotated.unusable_keys {
            print(&format!(
                "{rows} records fail for key {key}, a few of them above"
            ))?;
        }
        let (left, differences) = (rotated.left, rotated.differences);
        print(&format!(
            "{left} records lack the version, {differences} values are under one version alone"
        ))?;
    }
    if rotated.wrong > 0 {
        let wrong = rotated.wrong;
        return Err(Unfinished::new(format!(
            "version {version} is not looked up yet: {wrong} of its values are not those of their records; give \
             it up with --abandon and rotate again, which writes all of them again"
        ))
        .into());
    }
    let text = format!(
        "version {version} is not looked up yet: set the records above right (merge or erase those that are \
         the same) and run it again, or give it up with --abandon"
    );
    Err(Unfinished::new(text).into())
}

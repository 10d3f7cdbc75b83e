//! `keys list|rotate|rewrap|reencrypt|verify|disable|destroy|restore`: data keys and the rows that need them.
//! They work on the database itself, while servers run.

use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    CliError, columns::Columns, opened::Opened, print, progress::Shown, settings::Settings,
};
use crate::{
    admin::{
        DataKeyDescription, DataKeyError, DataKeyRequest, DataKeySelection, DataKeys,
        FailedDataKey, FailedRow, Reencrypted, RetiredDataKey, RewrappedDataKeys, RotatedDataKeys,
        RowCount, SweepPace, VerifiedRows,
    },
    backend::MissingPeppers,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List data keys, each with its state and how many rows need it.
    List(List),
    /// Replace the keys that seal by new ones: takes about 15 seconds.
    Rotate(Selected),
    /// Wrap every data key under the primary version of the key-encryption key.
    Rewrap(Paced),
    /// Seal again, under the keys that seal now, what is sealed under keys that only open.
    Reencrypt(Reencrypt),
    /// Open every row, and count which keys they need.
    Verify(Json),
    /// Refuse a key that no row needs; it can be taken back.
    Disable(One),
    /// Take a key that no row needs to its destruction: it waits for seven days, then this destroys it.
    Destroy(One),
    /// Take a key back that is disabled or waits for its destruction.
    Restore(One),
}

#[derive(Debug, Args)]
pub(super) struct Json {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    selection: Selection,
    /// Only those in this state: pending, primary, decrypt-only, disabled, destroy-scheduled, destroyed.
    #[arg(long)]
    state: Option<String>,
    /// Print JSON, one key a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Only this tenant's.
    #[arg(long)]
    tenant: Option<String>,
    /// Only those for this purpose, such as email.
    #[arg(long)]
    purpose: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Selected {
    #[command(flatten)]
    selection: Selection,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Paced {
    /// At most so many in a second.
    #[arg(long, value_name = "NUMBER")]
    rows_per_second: Option<NonZeroU32>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Reencrypt {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    paced: Paced,
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// The key's id, as `list` shows it.
    key: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Something is left that needs a person; the output says what.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unfinished(String);

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CliError> {
    let opened = Opened::open(settings, MissingPeppers::Accept).await?;
    let outcome = run_on(&opened, command).await;
    opened.close().await;
    outcome
}

async fn run_on(opened: &Opened, command: Command) -> Result<(), CliError> {
    let (keys, actor) = (opened.data_keys(), &opened.actor);
    let mut shown = Shown::new(&opened.clock);
    let mut progress = |at: &str, done: &_| shown.show(at, done);
    match command {
        Command::List(arguments) => list(&keys, opened, arguments).await,
        Command::Rotate(Selected { selection, json }) => {
            let rotated = keys.rotate(actor, &selection.into(), &mut progress).await;
            shown.end();
            print_rotated(&rotated?, json)
        }
        Command::Rewrap(paced) => {
            let rewrapped = keys.rewrap(actor, paced.pace(), &mut progress).await;
            shown.end();
            print_rewrapped(&rewrapped?, paced.json)
        }
        Command::Reencrypt(Reencrypt { selection, paced }) => {
            let selection = selection.into();
            let sealed = keys.reencrypt(actor, &selection, paced.pace(), &mut progress);
            let sealed = sealed.await;
            shown.end();
            print_reencrypted(&sealed?, paced.json)
        }
        Command::Verify(Json { json }) => {
            let verified = keys.verify(actor, &mut progress).await;
            shown.end();
            print_verified(&verified?, json)
        }
        Command::Disable(One { key, json }) => {
            let disabled = keys.disable(actor, &key, &mut progress).await;
            shown.end();
            print_retired(&disabled?, json)
        }
        Command::Destroy(One { key, json }) => {
            let destroyed = keys.destroy(actor, &key, &mut progress).await;
            shown.end();
            print_retired(&destroyed?, json)
        }
        Command::Restore(One { key, json }) => {
            print_retired(&keys.restore(actor, &key).await?, json)
        }
    }
}

async fn list(keys: &DataKeys, opened: &Opened, arguments: List) -> Result<(), CliError> {
    let mut request = DataKeyRequest {
        selection: arguments.selection.into(),
        state: arguments.state,
        after: None,
        limit: None,
    };
    let header = [
        "KEY", "STATE", "SINCE", "AGE", "KEK", "ROWS", "PURPOSE", "TENANT",
    ];
    let mut columns = Columns::new(header);
    loop {
        let page = keys.list(&opened.actor, &request).await?;
        for key in &page.keys {
            if arguments.json {
                print(&to_json(key))?;
            } else {
                columns.add(row(key));
            }
        }
        if page.next.is_none() {
            break;
        }
        request.after = page.next;
    }
    if arguments.json {
        Ok(())
    } else {
        print(&columns.to_string())
    }
}

fn row(key: &DataKeyDescription) -> [String; 8] {
    let since = key.since.split_once('.');
    [
        key.key.clone(),
        key.state.to_owned(),
        since.map_or_else(|| key.since.clone(), |(seconds, _)| format!("{seconds}Z")),
        format!("{} d", key.age_seconds / 86_400),
        key.kek_version.clone().unwrap_or_else(|| "-".to_owned()),
        key.rows.to_string(),
        key.purpose.clone(),
        key.tenant.clone(),
    ]
}

fn print_rotated(rotated: &RotatedDataKeys, json: bool) -> Result<(), CliError> {
    if json {
        print(&to_json(rotated))?;
    } else {
        let mut columns = Columns::new(["KEY", "BEFORE", "PURPOSE", "TENANT"]);
        for key in &rotated.rotated {
            let (now, former) = (&key.key, &key.former);
            columns.add([now, former, &key.purpose, &key.tenant].map(String::clone));
        }
        print(&columns.to_string())?;
        print_failed_keys(&rotated.failed)?;
    }
    check(rotated.failed.len(), "keys were not rotated: run it again")
}

fn print_rewrapped(rewrapped: &RewrappedDataKeys, json: bool) -> Result<(), CliError> {
    if json {
        print(&to_json(rewrapped))?;
    } else {
        let RewrappedDataKeys {
            keys,
            rewrapped,
            failed,
            failures,
            kek_versions,
        } = rewrapped;
        print(&format!(
            "{keys} keys: {rewrapped} wrapped again, {failed} failed"
        ))?;
        for (version, keys) in kek_versions {
            print(&format!("version {version} wraps {keys} keys"))?;
        }
        print_failed_keys(failures)?;
    }
    let failed = usize::try_from(rewrapped.failed).unwrap_or(usize::MAX);
    check(failed, "keys were not wrapped again: run it again")
}

fn print_reencrypted(sealed: &Reencrypted, json: bool) -> Result<(), CliError> {
    if json {
        print(&to_json(sealed))?;
    } else {
        let Reencrypted {
            keys,
            rows,
            rewritten,
            skipped,
            failed,
            left,
            failures,
        } = sealed;
        print(&format!(
            "{rows} rows of {keys} keys: {rewritten} sealed again, {skipped} written by others, {failed} \
             failed; {left} rows still need one of them"
        ))?;
        print_failed_rows(failures)?;
    }
    let left = usize::try_from(sealed.left).unwrap_or(usize::MAX);
    check(left, "rows are left: see above, and run it again")
}

fn print_verified(verified: &VerifiedRows, json: bool) -> Result<(), CliError> {
    if json {
        print(&to_json(verified))?;
    } else {
        let mut columns = Columns::new(["KEY", "STATE", "ROWS", "PURPOSE", "TENANT"]);
        for count in &verified.keys {
            columns.add(counted(count));
        }
        print(&columns.to_string())?;
        let (rows, failed) = (verified.rows, verified.failed);
        print(&format!("{rows} rows opened, {failed} of them not"))?;
        if !verified.differing.is_empty() {
            let keys = verified.differing.join(" ");
            print(&format!(
                "noted for other rows than those that need them: {keys}"
            ))?;
        }
        print_failed_rows(&verified.failures)?;
    }
    let failed = usize::try_from(verified.failed).unwrap_or(usize::MAX);
    check(failed, "rows do not open: see above")
}

fn counted(count: &RowCount) -> [String; 5] {
    let unknown = || "-".to_owned();
    [
        count.key.clone(),
        count.state.unwrap_or("unknown").to_owned(),
        count.rows.to_string(),
        count.purpose.clone().unwrap_or_else(unknown),
        count.tenant.clone().unwrap_or_else(unknown),
    ]
}

fn print_retired(retired: &RetiredDataKey, json: bool) -> Result<(), CliError> {
    if json {
        return print(&to_json(retired));
    }
    let RetiredDataKey {
        key,
        tenant,
        purpose,
        state,
        ready_in_seconds,
    } = retired;
    print(&format!("{key} ({purpose} of {tenant}) is {state}"))?;
    match ready_in_seconds {
        Some(seconds) => print(&format!(
            "it can be destroyed in {} h {} min: run `keys destroy {key}` again then",
            seconds / 3_600,
            seconds % 3_600 / 60
        )),
        None => Ok(()),
    }
}

fn print_failed_keys(failed: &[FailedDataKey]) -> Result<(), CliError> {
    let mut failed = failed.iter();
    failed.try_for_each(|failed| print(&format!("failed: {}: {}", failed.key, failed.error)))
}

fn print_failed_rows(failed: &[FailedRow]) -> Result<(), CliError> {
    for row in failed {
        let field = row.field.as_deref().unwrap_or("the whole row");
        let (table, tenant, id, reason) = (&row.table, &row.tenant, &row.row, &row.reason);
        print(&format!(
            "failed: {table} {id} of {tenant}, {field}: {reason}"
        ))?;
    }
    Ok(())
}

fn check(number: usize, what: &str) -> Result<(), CliError> {
    if number == 0 {
        Ok(())
    } else {
        Err(Unfinished(format!("{number} {what}")).into())
    }
}

pub(super) fn to_json(shown: &impl Serialize) -> String {
    serde_json::to_string(shown).expect("texts and numbers are JSON")
}

impl Paced {
    const fn pace(&self) -> SweepPace {
        SweepPace {
            rows_per_second: self.rows_per_second,
        }
    }
}

impl From<Selection> for DataKeySelection {
    fn from(Selection { tenant, purpose }: Selection) -> Self {
        Self { tenant, purpose }
    }
}

impl Unfinished {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<DataKeyError> for CliError {
    fn from(error: DataKeyError) -> Self {
        Self::DataKeys(error)
    }
}

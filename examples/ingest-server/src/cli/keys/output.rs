//! What came of work on keys, for people and for programs.

use serde::Serialize;

use crate::{
    admin::{
        DataKeyDescription, FailedDataKey, FailedRow, Reencrypted, RetiredDataKey,
        RewrappedDataKeys, RotatedDataKeys, RowCount, VerifiedRows,
    },
    cli::{CliError, columns::Columns, print},
};

/// Something is left that needs a person; the output says what.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::cli) struct Unfinished(String);

pub(super) fn row(key: &DataKeyDescription) -> [String; 8] {
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

pub(super) fn print_rotated(rotated: &RotatedDataKeys, json: bool) -> Result<(), CliError> {
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

pub(super) fn print_rewrapped(rewrapped: &RewrappedDataKeys, json: bool) -> Result<(), CliError> {
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

pub(super) fn print_reencrypted(sealed: &Reencrypted, json: bool) -> Result<(), CliError> {
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

pub(super) fn print_verified(verified: &VerifiedRows, json: bool) -> Result<(), CliError> {
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

pub(super) fn print_retired(retired: &RetiredDataKey, json: bool) -> Result<(), CliError> {
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

pub(in crate::cli) fn to_json(shown: &impl Serialize) -> String {
    serde_json::to_string(shown).expect("texts and numbers are JSON")
}

impl Unfinished {
    pub(in crate::cli) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

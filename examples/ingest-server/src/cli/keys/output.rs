//! What came of work on keys, for people and for programs.

use std::time::Duration;

use portcullis_keyring::clock::Waiting;
use serde::Serialize;

use crate::{
    admin::{
        DAMAGED, DataKeyDescription, FailedDataKey, FailedRow, Reencrypted, RetiredDataKey,
        RewrappedDataKeys, RotatedDataKeys, RowCount, UnusableDataKey, VerifiedRows,
    },
    cli::{CliError, columns::Columns, print},
};

/// Something is left that needs a person; the output says what.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::cli) struct Unfinished(String);

pub(super) fn row(key: &DataKeyDescription) -> [String; 8] {
    [
        key.key.clone(),
        key.state.to_owned(),
        whole_seconds(key.since.as_deref()),
        key.age_seconds
            .map_or_else(unknown, |age| format!("{} d", age / 86_400)),
        key.kek_version.clone().unwrap_or_else(|| "-".to_owned()),
        key.rows.to_string(),
        key.purpose.clone(),
        key.tenant.clone(),
    ]
}

/// A key whose row cannot be read.
pub(super) fn damaged_row(key: &RowCount) -> [String; 8] {
    [
        key.key.clone(),
        key.state.unwrap_or("unknown").to_owned(),
        unknown(),
        unknown(),
        unknown(),
        key.rows.to_string(),
        key.purpose.clone().unwrap_or_else(unknown),
        key.tenant.clone().unwrap_or_else(unknown),
    ]
}

/// A time without what is less than a second.
pub(in crate::cli) fn whole_seconds(time: Option<&str>) -> String {
    let Some(time) = time else {
        return unknown();
    };
    let seconds = time.split_once('.');
    seconds.map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

fn unknown() -> String {
    "-".to_owned()
}

pub(super) fn print_rotated(rotated: &RotatedDataKeys, json: bool) -> Result<(), CliError> {
    if json {
        print(&to_json(rotated))?;
    } else {
        let RotatedDataKeys {
            rotated,
            failed,
            by_others,
            resumed_from,
            passed_over,
        } = rotated;
        let mut columns = Columns::new(["KEY", "BEFORE", "PURPOSE", "TENANT"]);
        for key in rotated.iter().chain(by_others) {
            let (now, former) = (&key.key, &key.former);
            columns.add([now, former, &key.purpose, &key.tenant].map(String::clone));
        }
        print(&columns.to_string())?;
        if !by_others.is_empty() {
            let others = by_others.len();
            print(&format!(
                "{others} of these were rotated by somebody else at the same time"
            ))?;
        }
        if let Some(began) = resumed_from {
            let began = whole_seconds(Some(began));
            print(&format!(
                "this went on with a rotation that began at {began} and had not ended"
            ))?;
        }
        if *passed_over > 0 {
            print(&format!(
                "{passed_over} keys were left alone: that rotation has made them, or they are younger than was asked \
                 for"
            ))?;
        }
        print_failed_keys(failed)?;
    }
    let advice = "keys were not rotated: run it again, with --older-than for the others alone";
    check(rotated.failed.len(), advice)
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
            unusable_keys,
            passed_over,
            ..
        } = sealed;
        print(&format!(
            "{rows} rows of {keys} keys: {rewritten} sealed again, {skipped} written by others, {failed} \
             failed; {left} rows still need one of them"
        ))?;
        print_failed_rows(failures, unusable_keys)?;
        print_passed_over(passed_over)?;
    }
    let left = usize::try_from(sealed.left).unwrap_or(usize::MAX);
    check(left, "rows are left: see above, and run it again")?;
    let refused = sealed.passed_over.iter().filter(|key| is_refused(key));
    let refused: Vec<&str> = refused.map(|key| key.key.as_str()).collect();
    if !refused.is_empty() {
        let keys = refused.join(" ");
        return Err(Unfinished(format!(
            "rows need keys that are refused: take each back with `keys restore KEY`, and run this again: {keys}"
        ))
        .into());
    }
    check(
        sealed.passed_over.len(),
        "keys are gone or damaged, and rows need them: see above",
    )
}

/// Rows that sealing again passes over, and what brings each key back.
fn print_passed_over(keys: &[RowCount]) -> Result<(), CliError> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut columns = Columns::new(["PASSED OVER", "STATE", "ROWS", "PURPOSE", "TENANT"]);
    for key in keys {
        columns.add(counted(key));
    }
    print(&columns.to_string())?;
    for key in keys {
        let id = &key.key;
        let advice = match key.state {
            _ if is_refused(key) => format!("`keys restore {id}` takes it back"),
            Some(DAMAGED) => "restore its row of keyring_data_key from a backup".to_owned(),
            Some(_) => "it is destroyed, and what it sealed with it: erase those rows".to_owned(),
            None => {
                "there is no such key: restore its row of keyring_data_key from a backup".to_owned()
            }
        };
        print(&format!("{id}: {advice}"))?;
    }
    Ok(())
}

/// Whether it is disabled, or waits for its destruction.
fn is_refused(key: &RowCount) -> bool {
    matches!(key.state, Some("disabled" | "destroy-scheduled"))
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
        print_failed_rows(&verified.failures, &verified.unusable_keys)?;
    }
    let failed = usize::try_from(verified.failed).unwrap_or(usize::MAX);
    check(failed, "rows do not open: see above")
}

fn counted(count: &RowCount) -> [String; 5] {
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
        unchanged,
        ready_in_seconds,
        shredded,
    } = retired;
    let already = if *unchanged {
        " already: nothing was done"
    } else {
        ""
    };
    print(&format!(
        "{key} ({purpose} of {tenant}) is {state}{already}"
    ))?;
    if *shredded == Some(false) {
        print(
            "its wrapped bytes may still stand in the files of the database, which somebody reads: the service \
             overwrites them when nobody does; without a service, run this again",
        )?;
    }
    match ready_in_seconds {
        Some(seconds) => {
            let waiting = Waiting::new(Duration::from_secs(*seconds));
            print(&format!(
                "it can be destroyed in {waiting}: run `keys destroy {key}` again then"
            ))
        }
        None => Ok(()),
    }
}

fn print_failed_keys(failed: &[FailedDataKey]) -> Result<(), CliError> {
    let mut failed = failed.iter();
    failed.try_for_each(|failed| print(&format!("failed: {}: {}", failed.key, failed.error)))
}

/// What is wrong with a key is said once, with a few of its rows.
fn print_failed_rows(failed: &[FailedRow], unusable: &[UnusableDataKey]) -> Result<(), CliError> {
    let is_of = |row: &FailedRow, key: &UnusableDataKey| {
        row.key.as_ref() == Some(&key.count.key) && row.reason == key.reason
    };
    for key in unusable {
        let UnusableDataKey {
            count:
                RowCount {
                    key: id,
                    tenant,
                    purpose,
                    state,
                    rows,
                },
            reason,
        } = key;
        let purpose = purpose.clone().unwrap_or_else(unknown);
        let tenant = tenant.clone().unwrap_or_else(unknown);
        let state = state.unwrap_or("unknown");
        print(&format!(
            "failed: {rows} rows that need key {id} ({purpose} of {tenant}, {state}): {reason}"
        ))?;
        for row in failed.iter().filter(|row| is_of(row, key)) {
            let (table, tenant, id) = (&row.table, &row.tenant, &row.row);
            print(&format!("  such as {table} {id} of {tenant}"))?;
        }
    }
    let others = failed
        .iter()
        .filter(|row| !unusable.iter().any(|key| is_of(row, key)));
    for row in others {
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

//! Which data keys the rows of a group need, so that no key is destroyed while it is in use.

use std::sync::LazyLock;

use serde_json::json;
use sqlx::SqliteConnection;

use super::{failure::Failure, lead_sql};
use crate::store::{Receipt, Write};

/// Brings the references of everything the group stored in line with what is in the rows: those of
/// leads are replaced, since columns may have moved to other keys, those of events are new.
pub(super) async fn write(
    tx: &mut SqliteConnection,
    group: &[Write],
    receipts: &[Option<Receipt>],
) -> Result<(), Failure> {
    let is_stored = |(_, receipt): &(&Write, &Option<Receipt>)| **receipt == Some(Receipt::Stored);
    let stored = || group.iter().zip(receipts).filter(is_stored);
    let events: Vec<_> = stored()
        .filter_map(|(write, _)| write.event.as_ref())
        .flat_map(|event| {
            let record = event.record();
            event
                .key_ids
                .iter()
                .map(move |key| json!([key.value(), record]))
        })
        .collect();
    let leads: Vec<String> = stored()
        .filter_map(|(write, _)| write.lead.as_ref())
        .map(|lead| lead.id.to_string())
        .collect();
    if events.is_empty() && leads.is_empty() {
        return Ok(());
    }
    let leads = json!(leads).to_string();
    sqlx::query(DELETE).bind(&leads).execute(&mut *tx).await?;
    sqlx::query(INSERT.as_str())
        .bind(json!(events).to_string())
        .bind(leads)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

const DELETE: &str = r#"DELETE FROM sealed_ref
    WHERE "table" = 'lead' AND row IN (SELECT value FROM json_each(?))"#;

/// `?1` is a JSON array of `[key id, record]` of events, `?2` one of lead ids.
static INSERT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO sealed_ref
         SELECT value ->> 0, 'event', value ->> 1 FROM json_each(?1) WHERE true
         UNION {} ON CONFLICT DO NOTHING",
        *lead_sql::SELECT_REFS
    )
});

//! What a patch changes. A value that the lead has already is not sealed again: it would be another
//! ciphertext of the same, under a key that need not be loaded.

use super::Target;
use crate::{
    lead::{LeadColumn, LeadIndexes, LeadOpener, LeadRecord},
    pipeline::{
        authenticate::Caller, fingerprint::LeadData, open::open, rejection::Rejection,
        services::Services, validate::Personal,
    },
    quality::Reason,
};

/// The target of a patch, with the columns that it leaves as they are.
///
/// # Errors
/// The lead cannot be read. What is rejected is the patch, where nothing would be left of the lead.
pub(super) async fn compare(
    services: &Services,
    caller: &Caller,
    lead: &LeadData,
    personal: &[Personal],
    target: Target,
) -> Result<Result<Target, Rejection>, Rejection> {
    let stored = services.store.lead(&caller.tenant, target.id).await?;
    let Some(stored) = stored else {
        // Gone since it was looked for; the write will find it so.
        return Ok(Ok(target));
    };
    let has_more = stored
        .sealed
        .iter()
        .any(|it| !lead.cleared.contains(&it.column));
    if lead.values.is_empty() && !has_more {
        let detail = "at least one field must remain; to erase the lead, send DELETE";
        return Ok(Err(Rejection::new(Reason::SchemaConstraint, detail)));
    }
    Ok(Ok(Target {
        unchanged: unchanged(services, caller, lead, personal, stored).await?,
        ..target
    }))
}

/// The columns whose values are those that are stored, letter by letter: one index value may stand for
/// several spellings. What does not open is not among them, and is sealed.
async fn unchanged(
    services: &Services,
    caller: &Caller,
    lead: &LeadData,
    personal: &[Personal],
    mut stored: LeadRecord,
) -> Result<Vec<&'static LeadColumn>, Rejection> {
    let new = |column| lead.values.iter().find(|value| value.column == column);
    stored.sealed.retain(|it| new(it.column).is_some());
    let roots = services.index_roots.present()?;
    let opener = LeadOpener {
        keyring: &services.keyring,
        observer: &services.cipher_observer,
        tenant: &caller.tenant,
        indexes: &LeadIndexes::of(&roots, &caller.tenant),
        found_by: None,
    };
    let opened = open(&opener, vec![stored], |_| {}).await;
    let opened = opened.unwrap_or_default();
    let columns = opened.iter().flat_map(|lead| &lead.columns);
    let columns = columns.filter_map(|(column, value)| {
        let (new, stored) = (&personal[new(column)?.at].value, value.as_ref().ok()?);
        // EXPOSE: compared, and shown to nobody.
        (new.expose() == stored.expose()).then_some(*column)
    });
    Ok(columns.collect())
}

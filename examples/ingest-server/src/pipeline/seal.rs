//! No plaintext from here on: [`Resolved`] → [`Sealed`].

mod content;

use std::collections::BTreeSet;

use portcullis_keyring::Purpose;
use portcullis_pii_crypto::{Cipher, FingerprintIndex, SealError};
use serde_json::Value;

use super::{
    authenticate::Caller,
    batch::{Batch, Item},
    parse::Envelope,
    rejection::Rejection,
    resolve::{Resolved, Target},
    services::Services,
    validate::Valid,
};
use crate::{
    quality::Reason,
    store::{EventRow, LeadWrite, SealedColumn, Write},
};

/// What the store is given, and what it came from, should a race be lost.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) resolved: Resolved,
    pub(crate) write: Write,
}

/// Seals every item's personal data for the record it goes to.
#[tracing::instrument(skip_all)]
pub(crate) async fn seal(
    services: &Services,
    batch: Batch<Resolved>,
) -> Result<Batch<Sealed>, Rejection> {
    let Batch {
        caller,
        admission,
        items,
        rejected,
    } = batch;
    let sealer = Sealer {
        cipher: cipher(services, &caller, &items).await?,
        contents: services
            .index_roots
            .fingerprint_index(&caller.tenant, content::FIELD),
        caller: &caller,
    };
    let mut sealed = Vec::with_capacity(items.len());
    for Item {
        origin,
        value: resolved,
    } in items
    {
        let write = sealer.write(&resolved).map_err(|error| failed(&error))?;
        sealed.push(Item {
            origin,
            value: Sealed { resolved, write },
        });
    }
    Ok(Batch {
        caller,
        admission,
        items: sealed,
        rejected,
    })
}

/// A cipher with a primary key loaded for every purpose of the batch.
async fn cipher(
    services: &Services,
    caller: &Caller,
    items: &[Item<Resolved>],
) -> Result<Cipher, Rejection> {
    let personal = items.iter().flat_map(|item| &item.value.valid.personal);
    let purposes: BTreeSet<Purpose> = personal.map(|found| found.value.kind().purpose()).collect();
    let purposes: Vec<Purpose> = purposes.into_iter().collect();
    let keys = services
        .keyring
        .prepare(&caller.tenant, &purposes)
        .await
        .map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "no data keys to seal with"
            );
            Rejection::plain(Reason::CapacityKeysUnavailable)
        })?;
    Ok(Cipher::new(keys))
}

/// Everything that the items of one batch are sealed with.
struct Sealer<'a> {
    cipher: Cipher,
    contents: FingerprintIndex,
    caller: &'a Caller,
}

impl Sealer<'_> {
    fn write(&self, Resolved { valid, lead }: &Resolved) -> Result<Write, SealError> {
        let event = valid
            .envelope
            .as_ref()
            .map(|envelope| self.event(valid, envelope, lead.as_ref()));
        let lead = lead.as_ref().map(|target| self.lead(valid, target));
        Ok(Write {
            tenant: self.caller.tenant.clone(),
            event: event.transpose()?,
            lead: lead.transpose()?,
        })
    }

    fn event(
        &self,
        valid: &Valid,
        envelope: &Envelope,
        lead: Option<&Target>,
    ) -> Result<EventRow, SealError> {
        let data = valid.data.to_string();
        let mut row = EventRow {
            source: envelope.source.clone(),
            id: envelope.id.clone(),
            content_fp: content::fingerprint(&self.contents, envelope, &data),
            lead: lead.map(|target| target.id),
            event_type: envelope.event_type.clone(),
            schema_version: envelope.version,
            time: envelope.time.unwrap_or(self.caller.received_at),
            received_at: self.caller.received_at,
            payload: data,
            key_ids: Vec::new(),
        };
        // Without personal data, what came in is what is stored.
        if !valid.personal.is_empty() {
            self.seal_in_place(valid, &mut row)?;
        }
        Ok(row)
    }

    fn seal_in_place(&self, valid: &Valid, row: &mut EventRow) -> Result<(), SealError> {
        let record = row.record();
        let mut payload = valid.data.clone();
        let mut key_ids = BTreeSet::new();
        for personal in &valid.personal {
            let field = format!("event.{}{}", row.event_type, personal.pointer);
            let sealed = personal.value.seal(&self.cipher, &field, &record)?;
            if let Some(place) = payload.pointer_mut(&personal.pointer) {
                *place = Value::String(sealed.to_string());
            }
            key_ids.insert(sealed.key_id());
        }
        row.payload = payload.to_string();
        row.key_ids = key_ids.into_iter().collect();
        Ok(())
    }

    fn lead(&self, valid: &Valid, target: &Target) -> Result<LeadWrite, SealError> {
        let record = target.id.to_string();
        let columns = valid
            .lead_values()
            .zip(&target.index)
            .map(|((column, value), index)| {
                let sealed = value.seal(&self.cipher, column.field(), &record)?;
                Ok(SealedColumn {
                    column,
                    key_id: sealed.key_id(),
                    sealed: sealed.into_bytes(),
                    index: index.clone(),
                })
            });
        Ok(LeadWrite {
            id: target.id,
            change: target.change,
            columns: columns.collect::<Result<_, SealError>>()?,
            at: self.caller.received_at,
        })
    }
}

fn failed(error: &SealError) -> Rejection {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "a value was not sealed"
    );
    Rejection::plain(Reason::CapacityKeysUnavailable)
}

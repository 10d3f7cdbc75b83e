//! No plaintext from here on: [`Unique`] → [`Sealed`].

use std::collections::BTreeSet;

use portcullis_keyring::Purpose;
use portcullis_pii_crypto::{Cipher, FingerprintIndex, SealError};
use serde_json::Value;

use super::{
    authenticate::Caller,
    batch::{Batch, Item},
    parse::Envelope,
    resolve::{Target, Unique},
    validate::Valid,
};
use crate::{
    lead::personal::LeadIndexes,
    pipeline::rejection::Rejection,
    pipeline::services::Services,
    quality::Reason,
    store::{EventRow, LeadWrite, SealedColumn, Write},
};

/// What the store is given, and what it came from, should a race be lost.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) unique: Unique,
    pub(crate) write: Write,
}

/// Seals every item's personal data for the record it goes to.
#[tracing::instrument(skip_all)]
pub(crate) async fn seal(
    services: &Services,
    indexes: &LeadIndexes,
    batch: Batch<Unique>,
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
            .fingerprint_index(&caller.tenant, CONTENT_FIELD),
        indexes,
        caller: &caller,
    };
    let mut sealed = Vec::with_capacity(items.len());
    for Item {
        origin,
        value: unique,
    } in items
    {
        let write = sealer.write(&unique).map_err(|error| failed(&error))?;
        sealed.push(Item {
            origin,
            value: Sealed { unique, write },
        });
    }
    Ok(Batch {
        caller,
        admission,
        items: sealed,
        rejected,
    })
}

/// A cipher with a primary key in hand for every purpose of the batch.
async fn cipher(
    services: &Services,
    caller: &Caller,
    items: &[Item<Unique>],
) -> Result<Cipher, Rejection> {
    let personal = items.iter().flat_map(|item| &item.value.valid.personal);
    let purposes: BTreeSet<Purpose> = personal.map(|found| found.value.purpose()).collect();
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

/// The field and the form under which an event's content has its fingerprint.
const CONTENT_FIELD: &str = "event.content";
const CONTENT_FORM: &str = "event-content/1";

/// Everything that the items of one batch are sealed with.
struct Sealer<'a> {
    cipher: Cipher,
    contents: FingerprintIndex,
    indexes: &'a LeadIndexes,
    caller: &'a Caller,
}

impl Sealer<'_> {
    fn write(&self, Unique { valid, lead }: &Unique) -> Result<Write, SealError> {
        let event = valid
            .envelope
            .as_ref()
            .map(|envelope| self.event(valid, envelope, *lead));
        let lead = lead.map(|target| self.lead(valid, target));
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
        lead: Option<Target>,
    ) -> Result<EventRow, SealError> {
        let mut row = EventRow {
            source: envelope.source.clone(),
            id: envelope.id.clone(),
            content_fp: self.content_fingerprint(valid, envelope),
            lead: lead.map(|target| target.id),
            event_type: envelope.event_type.clone(),
            schema_version: envelope.version,
            time: envelope.time.unwrap_or(self.caller.received_at),
            received_at: self.caller.received_at,
            payload: String::new(),
            key_ids: Vec::new(),
        };
        let record = row.record();
        let mut payload = valid.data.clone();
        let mut key_ids = BTreeSet::new();
        for personal in &valid.personal {
            let field = format!("event.{}{}", envelope.event_type, personal.pointer);
            let sealed = personal.value.seal(&self.cipher, &field, &record)?;
            if let Some(place) = payload.pointer_mut(&personal.pointer) {
                *place = Value::String(sealed.text);
            }
            key_ids.insert(sealed.key_id);
        }
        row.payload = payload.to_string();
        row.key_ids = key_ids.into_iter().collect();
        Ok(row)
    }

    /// Keyed, because the content holds personal data that could be guessed.
    fn content_fingerprint(&self, valid: &Valid, envelope: &Envelope) -> Vec<u8> {
        let time = envelope.time.map(|time| time.unix_timestamp_nanos());
        let content = (&envelope.event_type, envelope.version, time, &valid.data);
        let content = serde_json::to_vec(&content).expect("text, numbers and JSON are JSON");
        self.contents
            .value(CONTENT_FORM, &content)
            .as_bytes()
            .to_vec()
    }

    fn lead(&self, valid: &Valid, target: Target) -> Result<LeadWrite, SealError> {
        let record = target.id.to_string();
        let columns = valid.lead_values().map(|(column, value)| {
            let sealed = value.seal(&self.cipher, column.field(), &record)?;
            Ok(SealedColumn {
                column,
                sealed: sealed.bytes,
                key_id: sealed.key_id,
                index: self.indexes.rows(value),
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

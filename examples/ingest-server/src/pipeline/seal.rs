//! Personal data leaves the clear: [`Resolved`] → [`Sealed`]. What has no lead is kept in no other
//! form from here on; what has one may lose a race for it and be sealed again for another.

mod cipher;

use portcullis_pii_crypto::{self as pii_crypto, AnyPii, Cipher, SealError};
use serde_json::Value;
use tracing::Instrument as _;

use super::{
    authenticate::Caller,
    batch::{Batch, Item},
    fingerprint::{Event, Fingerprinted, LeadData, Payload},
    pii::{PiiOutcome, PiiReports},
    pii_span::{self, PiiWork},
    rejection::Rejection,
    resolve::{Resolved, Target},
    services::Services,
    turns::Turns,
    validate::{Personal, PersonalSource},
};
use crate::{
    lead::LeadId,
    quality::Reason,
    store::{Asked, EventRow, LeadWrite, SealedColumn, Write},
};

/// What the store is given.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) write: Write,
    pub(crate) form: StoredForm,
    /// Boxed: most items have no lead, and each of them is moved some times.
    pub(crate) lead: Option<Box<LeadAttempt>>,
    /// Whether it brings personal data in its event.
    pub(crate) is_personal: bool,
    /// Why it is rejected unless its event came before.
    pub(crate) refused: Option<Rejection>,
}

/// How an item is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredForm {
    /// As its schema says that it is.
    Planned,
    /// With values sealed that its schema says nothing of.
    Modified,
}

/// The lead that a write is meant for, and the item to try again with should the race for it be lost.
#[derive(Debug)]
pub(crate) struct LeadAttempt {
    pub(crate) target: Target,
    pub(crate) item: Fingerprinted,
}

/// Seals every item's personal data for the record it goes to.
pub(crate) async fn seal(
    services: &Services,
    batch: Batch<Resolved>,
) -> Result<Batch<Sealed>, Rejection> {
    let span = pii_span::span("seal");
    let (head, items) = batch.split();
    let mut work = PiiWork::on(personal(&items).map(|found| found.value.kind()));
    let sealed = seal_items(services, &head.caller, items, &mut work);
    let sealed = sealed.instrument(span.clone()).await;
    work.record(&span);
    Ok(head.with_items(sealed?))
}

async fn seal_items(
    services: &Services,
    caller: &Caller,
    items: Vec<Item<Resolved>>,
    work: &mut PiiWork,
) -> Result<Vec<Item<Sealed>>, Rejection> {
    let sealer = Sealer {
        pii: &services.pii,
        cipher: cipher::prepare(services, caller, &items, work).await?,
        caller,
    };
    let mut turns = Turns::of(VALUES_AT_A_TIME);
    let mut sealed = Vec::with_capacity(items.len());
    for Item { origin, value } in items {
        let values = to_seal(&value).len();
        let value = sealer.seal(value).map_err(|error| {
            work.failed(outcome(&error));
            failed(&error)
        })?;
        sealed.push(Item { origin, value });
        turns.done(values).await;
    }
    Ok(sealed)
}

/// How many values are sealed before others run. A request can bring a hundred thousand.
const VALUES_AT_A_TIME: usize = 256;

/// Of what is not written, nothing is sealed.
fn to_seal(resolved: &Resolved) -> &[Personal] {
    if resolved.refused.is_some() {
        &[]
    } else {
        &resolved.item.personal
    }
}

/// Everything that the items have to have sealed.
fn personal(items: &[Item<Resolved>]) -> impl Iterator<Item = &Personal> {
    items.iter().flat_map(|item| to_seal(&item.value))
}

/// Everything that the items of one batch are sealed with.
struct Sealer<'a> {
    cipher: Cipher,
    caller: &'a Caller,
    pii: &'a PiiReports,
}

impl Sealer<'_> {
    fn seal_value(
        &self,
        value: &AnyPii,
        field: &str,
        record: &str,
    ) -> Result<pii_crypto::Sealed<AnyPii>, SealError> {
        let sealed = value.seal(&self.cipher, field, record);
        let outcome = sealed.as_ref().map_or_else(outcome, |_| PiiOutcome::Ok);
        self.pii.sealed(value.kind(), outcome);
        sealed
    }

    fn seal(&self, resolved: Resolved) -> Result<Sealed, SealError> {
        let Resolved {
            item,
            lead: target,
            refused,
        } = resolved;
        if let Some(rejection) = refused {
            return Ok(self.refused(item, rejection));
        }
        let Fingerprinted {
            event,
            personal,
            lead,
            decided_at,
        } = item;
        let is_detected = |found: &Personal| found.source == PersonalSource::Detected;
        let form = if personal.iter().any(is_detected) {
            StoredForm::Modified
        } else {
            StoredForm::Planned
        };
        let kept = target.as_ref().and_then(|_| event.clone());
        let event =
            event.map(|event| self.event(event, &personal, target.as_ref().map(|lead| lead.id)));
        let mut write = Write {
            tenant: self.caller.tenant.clone(),
            event: event.transpose()?,
            lead: None,
            asked: Asked::Store,
            decided_at: Some(decided_at),
        };
        let sealed_event = write.event.as_ref();
        let is_personal = sealed_event.is_some_and(|event| !event.key_ids.is_empty());
        let Some((lead, target)) = lead.zip(target) else {
            return Ok(Sealed {
                write,
                form,
                lead: None,
                is_personal,
                refused: None,
            });
        };
        write.lead = Some(Box::new(self.lead(&lead, &personal, &target)?));
        let item = Fingerprinted {
            event: kept,
            personal,
            lead: Some(lead),
            decided_at,
        };
        Ok(Sealed {
            write,
            form,
            lead: Some(Box::new(LeadAttempt { target, item })),
            is_personal,
            refused: None,
        })
    }

    /// What asks whether its event came before, without anything of the event but what tells that.
    fn refused(&self, item: Fingerprinted, rejection: Rejection) -> Sealed {
        let event = item.event.map(|event| self.row(event, None).0);
        Sealed {
            write: Write {
                tenant: self.caller.tenant.clone(),
                event,
                lead: None,
                asked: Asked::Recognise,
                decided_at: Some(item.decided_at),
            },
            form: StoredForm::Planned,
            lead: None,
            is_personal: !item.personal.is_empty(),
            refused: Some(rejection),
        }
    }

    fn event(
        &self,
        event: Event,
        personal: &[Personal],
        lead: Option<LeadId>,
    ) -> Result<EventRow, SealError> {
        let (mut row, payload) = self.row(event, lead);
        match payload {
            Payload::Plain(text) => row.payload = text,
            Payload::Personal(data) => self.seal_payload(data, personal, &mut row)?,
        }
        Ok(row)
    }

    /// The row of an event, and the payload that is yet to be put into it.
    fn row(&self, event: Event, lead: Option<LeadId>) -> (EventRow, Payload) {
        let Event {
            envelope,
            content_fp,
            other_fps,
            payload,
        } = event;
        let row = EventRow {
            source: envelope.source,
            id: envelope.id,
            content_fp,
            other_fps,
            lead,
            event_type: envelope.event_type,
            schema_version: envelope.version,
            time: envelope.time.unwrap_or(self.caller.received_at),
            received_at: self.caller.received_at,
            payload: String::new(),
            key_ids: Vec::new(),
        };
        (row, payload)
    }

    fn seal_payload(
        &self,
        mut data: Value,
        personal: &[Personal],
        row: &mut EventRow,
    ) -> Result<(), SealError> {
        let record = row.record();
        for Personal { pointer, value, .. } in personal {
            let field = format!("event.{}{pointer}", row.event_type);
            let sealed = self.seal_value(value, &field, &record)?;
            // Without its place, the value would be stored in the clear.
            let text = data.pointer_mut(pointer);
            *text.ok_or(SealError::InvalidContext)? = Value::String(sealed.to_text());
            // One for each kind, whatever the number of values.
            if !row.key_ids.contains(&sealed.key_id()) {
                row.key_ids.push(sealed.key_id());
            }
        }
        row.payload = serde_json::to_string(&data).expect("a JSON value is written into memory");
        row.key_ids.sort_unstable();
        Ok(())
    }

    fn lead(
        &self,
        lead: &LeadData,
        personal: &[Personal],
        target: &Target,
    ) -> Result<LeadWrite, SealError> {
        let record = target.id.to_string();
        let changed = lead.values.iter();
        let changed = changed.filter(|value| !target.unchanged.contains(&value.column));
        let columns = changed.map(|value| {
            let (column, personal) = (value.column, &personal[value.at]);
            let sealed = self.seal_value(&personal.value, column.field(), &record)?;
            Ok(SealedColumn {
                column,
                key_id: sealed.key_id(),
                sealed: sealed.into_bytes(),
                index: value.index.clone(),
            })
        });
        Ok(LeadWrite {
            id: target.id,
            change: target.change,
            expected: target.expected.clone(),
            columns: columns.collect::<Result<_, SealError>>()?,
            cleared: lead.cleared.clone(),
            at: self.caller.received_at,
        })
    }
}

fn outcome(error: &SealError) -> PiiOutcome {
    match error {
        SealError::NoKey | SealError::StaleKeys => PiiOutcome::KeyUnavailable,
        _ => PiiOutcome::Failed,
    }
}

fn failed(error: &SealError) -> Rejection {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "a value was not sealed"
    );
    Rejection::plain(Reason::CapacityKeysUnavailable)
}

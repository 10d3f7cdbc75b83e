//! Is it what it should be: parsed events and leads → [`Valid`].

mod clean_texts;
mod time;
mod undeclared;

use ::time::OffsetDateTime;
use portcullis_pii_crypto::AnyPii;
use portcullis_pii_detect::Kind;
use serde_json::{Value, json};

use self::undeclared::Exempt;
use super::{
    LeadRequest, OnConflict,
    batch::Batch,
    parse::{Envelope, Parsed},
    rejection::Rejection,
    services::Services,
};
use crate::{
    detection::{Detection, Handling},
    lead::{LeadColumn, LeadId},
    quality::Reason,
    schemas::{Schema, Schemas, Unplanned},
};

pub(super) use self::clean_texts::CleanTexts;

/// Data that keeps to its schema, with every declared piece of personal data read.
#[derive(Debug)]
pub(crate) struct Valid {
    pub(crate) envelope: Option<Envelope>,
    pub(crate) data: Value,
    pub(crate) personal: Vec<Personal>,
    pub(crate) intent: Option<LeadIntent>,
    /// The columns that a patch takes away.
    pub(crate) cleared: Vec<&'static LeadColumn>,
}

/// One piece of personal data and its JSON pointer in the data.
#[derive(Debug)]
pub(crate) struct Personal {
    pub(crate) pointer: String,
    pub(crate) value: AnyPii,
    pub(crate) source: PersonalSource,
}

/// How a value is known to be personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PersonalSource {
    /// A schema says so.
    Declared,
    /// It looks like some, where no schema says anything.
    Detected,
}

/// What the item means for a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeadIntent {
    /// The lead with this e-mail, or a new one.
    Upsert(OnConflict),
    /// The lead that the data names.
    Update(LeadId),
    /// The lead that the target of the request names.
    Patch(LeadId),
}

/// Checks every item against its schema and the clock.
#[tracing::instrument(skip_all)]
pub(crate) fn validate(services: &Services, batch: Batch<Parsed>) -> Batch<Valid> {
    let Services { schemas, pii, .. } = services;
    let detection = services.detection.of_tenant(batch.caller.tenant.as_str());
    let note = |kind, handling| pii.detected(kind, handling);
    let mut clean = CleanTexts::of(batch.items.len());
    batch.try_map(|caller, parsed| {
        let received_at = caller.received_at;
        check(schemas, &detection, received_at, parsed, &mut clean, note)
    })
}

/// Checks one item that came in at this time. What is found where nothing is declared is noted, with
/// what becomes of it.
pub(super) fn check(
    schemas: &Schemas,
    detection: &Detection,
    received_at: OffsetDateTime,
    parsed: Parsed,
    clean: &mut CleanTexts,
    note: impl Fn(Kind, Handling),
) -> Result<Valid, Rejection> {
    let schema = schema(schemas, parsed.envelope.as_ref())?;
    // What only takes values away has none to check.
    if parsed.cleared.is_empty() || parsed.data != json!({}) {
        schema.check(&parsed.data)?;
    }
    if let Some(at) = parsed.envelope.as_ref().and_then(|envelope| envelope.time) {
        time::check(at, received_at)?;
    }
    let (mut personal, exempt) = personal(schema, &parsed.data)?;
    let detected =
        undeclared::check(detection, schema, &parsed, &exempt, clean).map_err(|undeclared| {
            note(undeclared.kind, Handling::Reject);
            undeclared.rejection
        })?;
    let intent = intent(&parsed)?;
    personal.extend(detected.into_iter().map(|detected| {
        note(detected.kind, Handling::Seal);
        detected.personal
    }));
    Ok(Valid {
        envelope: parsed.envelope,
        data: parsed.data,
        personal,
        intent,
        cleared: parsed.cleared,
    })
}

fn schema<'a>(schemas: &'a Schemas, envelope: Option<&Envelope>) -> Result<&'a Schema, Rejection> {
    let Some(envelope) = envelope else {
        return Ok(schemas.lead());
    };
    let found = schemas.event(&envelope.event_type, envelope.version);
    let event_type = &envelope.event_type;
    found
        .map(AsRef::as_ref)
        .map_err(|unplanned| match unplanned {
            Unplanned::Type => {
                let detail = schemas.about_types(event_type);
                Rejection::new(Reason::SchemaUnplannedEvent, detail)
            }
            Unplanned::Version => {
                let detail = schemas.about_versions(event_type);
                Rejection::new(Reason::SchemaUnknownVersion, detail)
            }
        })
}

/// The most faults of personal data that are told of one event.
const MAX_BROKEN: usize = 5;

/// The declared personal data, and which values need no look: those, and what is harmless.
fn personal(schema: &Schema, data: &Value) -> Result<(Vec<Personal>, Exempt), Rejection> {
    let mut found = Vec::new();
    let mut exempt: Vec<*const Value> = Vec::new();
    let mut broken = Vec::new();
    for path in schema.personal() {
        path.visit(data, &mut |pointer, value, text| {
            exempt.push(value);
            match path.kind.parse(text) {
                Ok(value) => found.push(Personal {
                    pointer: pointer.to_owned(),
                    value,
                    source: PersonalSource::Declared,
                }),
                // The names in the pointer are those of the schema.
                Err(error) => broken.push(format!("`{pointer}` {}", path.kind.refusal(error))),
            }
        });
    }
    for place in schema.harmless() {
        place.visit(data, &mut |_, value| {
            exempt.push(value);
        });
    }
    if broken.is_empty() {
        return Ok((found, Exempt::new(exempt)));
    }
    let is_more = broken.len() > MAX_BROKEN;
    broken.truncate(MAX_BROKEN);
    let more = if is_more { "; and more" } else { "" };
    let detail = format!("{}{more}", broken.join("; "));
    Err(Rejection::new(Reason::SchemaConstraint, detail))
}

fn intent(parsed: &Parsed) -> Result<Option<LeadIntent>, Rejection> {
    match parsed.lead {
        Some(LeadRequest::Upsert(on_conflict)) => {
            return Ok(Some(LeadIntent::Upsert(on_conflict)));
        }
        Some(LeadRequest::Patch(id)) => return Ok(Some(LeadIntent::Patch(id))),
        None => {}
    }
    let envelope = parsed.envelope.as_ref();
    match envelope.map(|envelope| envelope.event_type.as_str()) {
        Some("lead.created") => Ok(Some(LeadIntent::Upsert(OnConflict::Refuse))),
        Some("lead.updated") => {
            let id = parsed.data.get("lead").and_then(Value::as_str);
            let id = id.and_then(LeadId::parse).ok_or_else(|| {
                Rejection::new(Reason::SchemaConstraint, "`lead` must be the id of a lead")
            })?;
            Ok(Some(LeadIntent::Update(id)))
        }
        _ => Ok(None),
    }
}

//! Is it what it should be: parsed events and leads → [`Valid`].

mod time;
mod undeclared;

use ::time::OffsetDateTime;
use portcullis_pii_crypto::AnyPii;
use portcullis_pii_detect::Detector;
use serde_json::Value;

use super::{
    batch::Batch,
    parse::{Envelope, Parsed},
    rejection::Rejection,
    services::Services,
};
use crate::{
    lead::LeadId,
    quality::Reason,
    schemas::{Schema, Schemas, Unplanned},
};

/// Data that keeps to its schema, with every declared piece of personal data read.
#[derive(Debug)]
pub(crate) struct Valid {
    pub(crate) envelope: Option<Envelope>,
    pub(crate) data: Value,
    pub(crate) personal: Vec<Personal>,
    pub(crate) intent: Option<LeadIntent>,
}

/// One piece of personal data and its JSON pointer in the data.
#[derive(Debug)]
pub(crate) struct Personal {
    pub(crate) pointer: String,
    pub(crate) value: AnyPii,
}

/// What the item means for a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeadIntent {
    /// The lead with this e-mail, or a new one.
    Upsert,
    /// The lead that the data names.
    Update(LeadId),
}

/// Checks every item against its schema and the clock.
#[tracing::instrument(skip_all)]
pub(crate) fn validate(services: &Services, batch: Batch<Parsed>) -> Batch<Valid> {
    batch.try_map(|caller, parsed| {
        let Services {
            schemas, detector, ..
        } = services;
        check(schemas, detector, caller.received_at, parsed)
    })
}

/// Checks one item that came in at this time.
pub(super) fn check(
    schemas: &Schemas,
    detector: &Detector,
    received_at: OffsetDateTime,
    parsed: Parsed,
) -> Result<Valid, Rejection> {
    let schema = schema(schemas, parsed.envelope.as_ref())?;
    schema.check(&parsed.data)?;
    if let Some(at) = parsed.envelope.as_ref().and_then(|envelope| envelope.time) {
        time::check(at, received_at)?;
    }
    let personal = personal(schema, &parsed.data)?;
    undeclared::check(detector, &parsed, &personal)?;
    let intent = intent(&parsed)?;
    Ok(Valid {
        envelope: parsed.envelope,
        data: parsed.data,
        personal,
        intent,
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

fn personal(schema: &Schema, data: &Value) -> Result<Vec<Personal>, Rejection> {
    let mut found = Vec::new();
    let mut broken = Vec::new();
    for path in schema.personal() {
        path.visit(data, &mut |pointer, text| match path.kind.parse(text) {
            Ok(value) => found.push(Personal { pointer, value }),
            // The names in the pointer are those of the schema.
            Err(error) => broken.push(format!("`{pointer}` {}", path.kind.refusal(error))),
        });
    }
    if broken.is_empty() {
        return Ok(found);
    }
    let is_more = broken.len() > MAX_BROKEN;
    broken.truncate(MAX_BROKEN);
    let more = if is_more { "; and more" } else { "" };
    let detail = format!("{}{more}", broken.join("; "));
    Err(Rejection::new(Reason::SchemaConstraint, detail))
}

fn intent(parsed: &Parsed) -> Result<Option<LeadIntent>, Rejection> {
    match parsed
        .envelope
        .as_ref()
        .map(|envelope| envelope.event_type.as_str())
    {
        None | Some("lead.created") => Ok(Some(LeadIntent::Upsert)),
        Some("lead.updated") => {
            let id = parsed
                .data
                .get("lead")
                .and_then(Value::as_str)
                .and_then(LeadId::parse);
            let id = id.ok_or_else(|| {
                Rejection::new(Reason::SchemaConstraint, "`lead` must be the id of a lead")
            })?;
            Ok(Some(LeadIntent::Update(id)))
        }
        Some(_) => Ok(None),
    }
}

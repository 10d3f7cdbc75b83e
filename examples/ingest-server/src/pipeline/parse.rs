//! What is this: `Admitted` → events with their CloudEvents attributes, or leads.

mod attributes;
mod data;
mod extensions;

use serde_json::Value;
use time::OffsetDateTime;

use self::attributes::Attributes;
use super::{
    Intake, LeadRequest,
    batch::{Batch, Item, Origin, Rejected, SchemaName},
    charge_content::Admitted,
    frame::{Frame, Members},
};
use crate::{
    lead::{COLUMNS, LeadColumn},
    pipeline::rejection::Rejection,
    schemas::{DEFAULT_VERSION, LEAD},
};

/// The data of an event or of a lead.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The attributes around the data; a lead has none.
    pub(crate) envelope: Option<Envelope>,
    pub(crate) data: Value,
    /// What a request for a lead asks for; nothing of an event.
    pub(crate) lead: Option<LeadRequest>,
    /// The columns that a patch takes away, which are not in the data.
    pub(crate) cleared: Vec<&'static LeadColumn>,
    /// What is accepted and dropped.
    pub(crate) unstored: Vec<DroppedText>,
}

/// A text that is not stored.
#[derive(Debug)]
pub(crate) struct DroppedText {
    /// Where it stood, as its sender is told.
    pub(crate) place: &'static str,
    /// The name of its attribute, where that says something of it.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The CloudEvents 1.0 attributes that are kept; the others are checked and dropped.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) event_type: String,
    pub(crate) version: u32,
    pub(crate) time: Option<OffsetDateTime>,
}

/// Reads each frame as an event or a lead.
#[tracing::instrument(skip_all)]
pub(crate) fn parse(intake: Intake, admitted: Admitted) -> Batch<Parsed> {
    let Admitted {
        caller,
        admission,
        frames,
    } = admitted;
    let mut items = Vec::with_capacity(frames.len());
    let mut rejected = Vec::new();
    for (index, frame) in frames.into_iter().enumerate() {
        let (origin, parsed) = parse_frame(intake, index, frame);
        match parsed {
            Ok(value) => items.push(Item { origin, value }),
            Err(rejection) => rejected.push(Rejected { origin, rejection }),
        }
    }
    Batch {
        caller,
        admission,
        items,
        rejected,
    }
}

/// Reads the frame at this place of its request.
pub(super) fn parse_frame(
    intake: Intake,
    index: usize,
    Frame { text, members }: Frame,
) -> (Origin, Result<Parsed, Rejection>) {
    let mut origin = Origin {
        index,
        id: None,
        schema: None,
        text,
    };
    let parsed = members.and_then(|members| match intake {
        Intake::Events => event(members, &mut origin),
        Intake::Lead(request) => Ok(lead(*members, request, &mut origin)),
    });
    (origin, parsed)
}

fn event(mut members: Box<Members>, origin: &mut Origin) -> Result<Parsed, Rejection> {
    // A null attribute is one that is not set (JSON format, 2.2). `data` is none.
    members.drop_nulls();
    let mut attributes = Attributes::new(members);
    origin.id = attributes.id_as_sent().map(str::to_owned);
    origin.schema = attributes.schema_name();
    let envelope = attributes.take_envelope(origin.schema.as_ref())?;
    let data = data::take(&mut attributes)?;
    Ok(Parsed {
        envelope: Some(envelope),
        data,
        lead: None,
        cleared: Vec::new(),
        unstored: extensions::check(attributes)?,
    })
}

fn lead(members: Members, request: LeadRequest, origin: &mut Origin) -> Parsed {
    origin.schema = Some(SchemaName {
        event_type: LEAD.to_owned(),
        version: DEFAULT_VERSION,
    });
    let mut members = members.into_map();
    let mut cleared = Vec::new();
    if let LeadRequest::Patch(_) = request {
        // What is null is taken away (RFC 7396, 2); other members are left for the schema to refuse.
        for column in COLUMNS {
            if members.get(column.name()).is_some_and(Value::is_null) {
                members.remove(column.name());
                cleared.push(column);
            }
        }
    }
    Parsed {
        envelope: None,
        data: Value::Object(members),
        lead: Some(request),
        cleared,
        unstored: Vec::new(),
    }
}

#[cfg(test)]
mod tests;

//! What is this: `Admitted` → events with their CloudEvents attributes, or leads.

use std::borrow::Cow;

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{
    Intake,
    admit::Admitted,
    batch::{Batch, Item, Origin, Rejected, SchemaName},
    frame::Frame,
};
use crate::{
    pipeline::rejection::Rejection,
    quality::Reason,
    schemas::{DEFAULT_VERSION, LEAD},
    timestamp,
};

/// The data of an event or of a lead.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The attributes around the data; a lead has none.
    pub(crate) envelope: Option<Envelope>,
    pub(crate) data: Value,
}

/// The CloudEvents 1.0 attributes that are kept; extension attributes are accepted and dropped.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) event_type: String,
    pub(crate) version: u32,
    pub(crate) time: Option<OffsetDateTime>,
}

/// The most bytes of an id and of a source: together they name the record that sealed values are
/// bound to.
const MAX_ID: usize = 256;
const MAX_SOURCE: usize = 512;
const MAX_TYPE: usize = 255;

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
    Frame { text, value }: Frame,
) -> (Origin, Result<Parsed, Rejection>) {
    let mut origin = Origin {
        index,
        id: None,
        schema: None,
        text,
    };
    let parsed = value.and_then(object).and_then(|members| match intake {
        Intake::Events => event(members, &mut origin),
        Intake::Lead => Ok(lead(members, &mut origin)),
    });
    (origin, parsed)
}

fn event(mut members: Map<String, Value>, origin: &mut Origin) -> Result<Parsed, Rejection> {
    let id = members
        .get("id")
        .and_then(Value::as_str)
        .filter(|id| id.len() <= MAX_ID);
    origin.id = id.map(str::to_owned);
    origin.schema = schema_name(&members);
    let envelope = envelope(&members, origin.id.as_deref())?;
    let data = members.remove("data").ok_or_else(|| {
        let detail = if members.contains_key("data_base64") {
            "binary data is not accepted, put JSON into `data`"
        } else {
            "`data` is missing"
        };
        Rejection::new(Reason::EnvelopeMissingData, detail)
    })?;
    Ok(Parsed {
        envelope: Some(envelope),
        data,
    })
}

fn lead(members: Map<String, Value>, origin: &mut Origin) -> Parsed {
    origin.schema = Some(SchemaName {
        event_type: LEAD.to_owned(),
        version: DEFAULT_VERSION,
    });
    Parsed {
        envelope: None,
        data: Value::Object(members),
    }
}

fn object(value: Value) -> Result<Map<String, Value>, Rejection> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(Rejection::new(
            Reason::ParseJson,
            "an event must be a JSON object",
        )),
    }
}

fn schema_name(members: &Map<String, Value>) -> Option<SchemaName> {
    Some(SchemaName {
        event_type: read_type(members).ok()?,
        version: read_version(members).ok()?,
    })
}

fn envelope(members: &Map<String, Value>, id: Option<&str>) -> Result<Envelope, Rejection> {
    // Plain JSON may leave it out: there is only one version to mean.
    if members
        .get("specversion")
        .is_some_and(|version| version != "1.0")
    {
        let detail = "`specversion` must be \"1.0\"";
        return Err(Rejection::new(Reason::EnvelopeInvalidVersion, detail));
    }
    Ok(Envelope {
        id: read_id(members, id)?,
        source: read_source(members)?,
        event_type: read_type(members)?,
        version: read_version(members)?,
        time: read_time(members)?,
    })
}

fn read_id(members: &Map<String, Value>, id: Option<&str>) -> Result<String, Rejection> {
    if !members.contains_key("id") {
        return Err(Rejection::new(Reason::EnvelopeMissingId, "`id` is missing"));
    }
    id.filter(|id| !id.is_empty() && !id.contains(char::is_control))
        .map(str::to_owned)
        .ok_or_else(|| {
            let detail =
                format!("`id` must be 1 to {MAX_ID} bytes of text without control characters");
            Rejection::new(Reason::EnvelopeInvalidId, detail)
        })
}

fn read_source(members: &Map<String, Value>) -> Result<String, Rejection> {
    let source = members.get("source").and_then(Value::as_str);
    let is_source = |text: &&str| {
        (1..=MAX_SOURCE).contains(&text.len()) && text.bytes().all(|byte| byte > 0x20)
    };
    source.filter(is_source).map(str::to_owned).ok_or_else(|| {
        let detail = format!("`source` must be a URI reference of 1 to {MAX_SOURCE} bytes");
        Rejection::new(Reason::EnvelopeInvalidSource, detail)
    })
}

fn read_type(members: &Map<String, Value>) -> Result<String, Rejection> {
    let event_type = members.get("type").and_then(Value::as_str);
    event_type
        .filter(|text| is_type(text))
        .map(str::to_owned)
        .ok_or_else(|| {
            let detail = "`type` must match [A-Za-z0-9][A-Za-z0-9._-]{0,254}";
            Rejection::new(Reason::EnvelopeInvalidType, detail)
        })
}

fn is_type(text: &str) -> bool {
    let follows = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=MAX_TYPE).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && text.bytes().all(follows)
}

/// The version is the last segment of `dataschema`, so that both `2` and a URI that ends in `/2`
/// or `/2.json` name it.
fn read_version(members: &Map<String, Value>) -> Result<u32, Rejection> {
    let Some(schema) = members.get("dataschema") else {
        return Ok(DEFAULT_VERSION);
    };
    let segment = schema.as_str().and_then(|text| text.rsplit('/').next());
    segment
        .map(|segment| segment.strip_suffix(".json").unwrap_or(segment))
        .and_then(|version| version.parse().ok())
        .ok_or_else(|| {
            let detail = "`dataschema` must be a version number or a URI that ends in one";
            Rejection::new(Reason::SchemaUnknownVersion, detail)
        })
}

fn read_time(members: &Map<String, Value>) -> Result<Option<OffsetDateTime>, Rejection> {
    let Some(time) = members.get("time") else {
        return Ok(None);
    };
    match time.as_str().and_then(timestamp::parse) {
        Some(time) => Ok(Some(time)),
        None => {
            let detail = Cow::Borrowed("`time` must be an RFC 3339 timestamp");
            Err(Rejection::new(Reason::EnvelopeInvalidTime, detail))
        }
    }
}

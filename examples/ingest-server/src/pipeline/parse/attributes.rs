//! The attributes of CloudEvents 1.0.2 that the service keeps.

use fluent_uri::{Uri, UriRef};
use portcullis_keyring::MAX_NAME_BYTES;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::Envelope;
use crate::{
    pipeline::{
        batch::SchemaName,
        frame::{Defined, Members},
        rejection::Rejection,
    },
    quality::Reason,
    schemas::{DEFAULT_VERSION, MAX_POINTER},
    timestamp,
};

/// The most bytes of an id and of a source: together they name the record that sealed values are
/// bound to, as a type and a pointer name the field.
const MAX_ID: usize = 256;
const MAX_SOURCE: usize = 512;
const MAX_TYPE: usize = 255;
const _: () = assert!(MAX_SOURCE + " ".len() + MAX_ID <= MAX_NAME_BYTES);
const _: () = assert!("event.".len() + MAX_TYPE + MAX_POINTER <= MAX_NAME_BYTES);

/// What an event says of itself, and its data.
#[derive(Debug)]
pub(super) struct Attributes(Box<Members>);

impl Attributes {
    pub(super) const fn new(members: Box<Members>) -> Self {
        Self(members)
    }

    pub(super) const fn find(&self, member: Defined) -> Option<&Value> {
        self.0.get(member)
    }

    pub(super) const fn take(&mut self, member: Defined) -> Option<Value> {
        self.0.take(member)
    }

    /// Those that CloudEvents does not define.
    pub(super) fn into_extensions(self) -> Map<String, Value> {
        self.0.into_others()
    }

    /// The id, as far as its sender can be told which one is meant.
    pub(super) fn id_as_sent(&self) -> Option<&str> {
        let id = self.0.get(Defined::Id).and_then(Value::as_str);
        id.filter(|id| id.len() <= MAX_ID)
    }

    /// The schema that the data is said to follow.
    pub(super) fn schema_name(&self) -> Option<SchemaName> {
        Some(SchemaName {
            event_type: self.event_type().ok()?.to_owned(),
            version: self.version().ok()?,
        })
    }

    /// Takes out what is kept; `schema` is what the data is [said to follow](Self::schema_name).
    pub(super) fn take_envelope(
        &mut self,
        schema: Option<&SchemaName>,
    ) -> Result<Envelope, Rejection> {
        // Plain JSON may leave it out: there is only one version to mean.
        let version = self.0.get(Defined::SpecVersion);
        if version.is_some_and(|version| version != "1.0") {
            let detail = "`specversion` must be \"1.0\"";
            return Err(Rejection::new(Reason::EnvelopeInvalidVersion, detail));
        }
        self.check_id()?;
        self.check_source()?;
        let version = match schema {
            Some(schema) => schema.version,
            None => {
                self.event_type()?;
                self.version()?
            }
        };
        let time = self.time()?;
        Ok(Envelope {
            id: self.take_text(Defined::Id),
            source: self.take_text(Defined::Source),
            event_type: self.take_text(Defined::Type),
            version,
            time,
        })
    }

    /// Takes the text of an attribute that was found to be one.
    fn take_text(&mut self, member: Defined) -> String {
        match self.0.take(member) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        }
    }

    fn check_id(&self) -> Result<(), Rejection> {
        if self.0.get(Defined::Id).is_none() {
            return Err(Rejection::new(Reason::EnvelopeMissingId, "`id` is missing"));
        }
        let id = self.id_as_sent();
        let id = id.filter(|id| !id.is_empty() && is_text(id));
        id.map(drop).ok_or_else(|| {
            let detail =
                format!("`id` must be 1 to {MAX_ID} bytes of text without control characters");
            Rejection::new(Reason::EnvelopeInvalidId, detail)
        })
    }

    fn check_source(&self) -> Result<(), Rejection> {
        let invalid = |detail| Rejection::new(Reason::EnvelopeInvalidSource, detail);
        let Some(source) = self.0.get(Defined::Source) else {
            return Err(invalid("`source` is missing".to_owned()));
        };
        let is_source =
            |text: &&str| (1..=MAX_SOURCE).contains(&text.len()) && UriRef::parse(*text).is_ok();
        let source = source.as_str().filter(is_source);
        source.map(drop).ok_or_else(|| {
            invalid(format!(
                "`source` must be a URI reference (RFC 3986) of 1 to {MAX_SOURCE} bytes; what such a \
                 reference may not hold as it is, is percent-encoded"
            ))
        })
    }

    fn event_type(&self) -> Result<&str, Rejection> {
        let invalid = |detail| Rejection::new(Reason::EnvelopeInvalidType, detail);
        let Some(event_type) = self.0.get(Defined::Type) else {
            return Err(invalid("`type` is missing"));
        };
        let event_type = event_type.as_str().filter(|text| is_type(text));
        event_type.ok_or_else(|| invalid("`type` must match [A-Za-z0-9][A-Za-z0-9._-]{0,254}"))
    }

    /// The version is the last segment of the path of `dataschema`, so that a URI that ends in `/2`
    /// or `/2.json` names it. `2` by itself does too, which no URI is.
    fn version(&self) -> Result<u32, Rejection> {
        let Some(schema) = self.0.get(Defined::DataSchema) else {
            return Ok(DEFAULT_VERSION);
        };
        let not_a_uri = || {
            let detail = "`dataschema` must be a URI (RFC 3986) with a scheme, or a version number";
            Rejection::new(Reason::EnvelopeInvalidAttribute, detail)
        };
        let schema = schema.as_str().ok_or_else(not_a_uri)?;
        if let Some(version) = version(schema) {
            return Ok(version);
        }
        let uri = Uri::parse(schema).map_err(|_| not_a_uri())?;
        let segment = uri.path().as_str().rsplit('/').next();
        segment.and_then(version).ok_or_else(|| {
            let detail = "`dataschema` must end in the number of a version, such as `/2`";
            Rejection::new(Reason::SchemaUnknownVersion, detail)
        })
    }

    fn time(&self) -> Result<Option<OffsetDateTime>, Rejection> {
        let Some(time) = self.0.get(Defined::Time) else {
            return Ok(None);
        };
        let time = time.as_str().and_then(timestamp::parse);
        time.map(Some).ok_or_else(|| {
            let detail = "`time` must be an RFC 3339 timestamp such as 2026-05-01T12:00:00.123Z, of at \
                          most nanoseconds";
            Rejection::new(Reason::EnvelopeInvalidTime, detail)
        })
    }
}

/// Whether a string is one of CloudEvents' type system: without control characters and what Unicode
/// says is no character (CloudEvents, 2.1).
pub(super) fn is_text(text: &str) -> bool {
    let is_noncharacter = |character: char| {
        let code = u32::from(character);
        (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
    };
    !text.contains(|character: char| character.is_control() || is_noncharacter(character))
}

fn is_type(text: &str) -> bool {
    let follows = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=MAX_TYPE).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && text.bytes().all(follows)
}

fn version(segment: &str) -> Option<u32> {
    let number = segment.strip_suffix(".json").unwrap_or(segment);
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(number)?.parse().ok()
}

//! Where one event ends and the next begins, and what it holds: body → [`Frames`].

mod binary;
mod body;
mod buffer;
mod members;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, header::CONTENT_TYPE};

use self::body::{Received, Unpacked, Unpacking};
use super::{
    Intake, LeadRequest,
    allowance::{BodyAllowance, LIGHT},
    charge_request::Charged,
    rejection::{Rejection, RequestRejection},
    services::Services,
};
use crate::{
    fields::MediaType,
    json::{Element, JsonError, Reader, footprint},
    quality::Reason,
};

pub(crate) use self::body::CONTENT_CODINGS;
pub(super) use self::{
    body::MAX_BYTES,
    members::{Defined, Members},
};

/// The most events of one request.
pub(crate) const MAX_BATCH: usize = 1_000;

/// The JSON values of one request, in order.
#[derive(Debug)]
pub(crate) struct Frames {
    pub(super) charged: Charged,
    /// The bytes of the body, as far as it came and was unpacked.
    pub(super) bytes: usize,
    /// A rejection if the body is none of what may come; its bytes cost what they cost.
    pub(super) frames: Result<Vec<Frame>, Rejection>,
}

/// One JSON object.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The part of the request's body that it was read from, not copied: of an event in binary mode,
    /// its data.
    pub(crate) text: Bytes,
    /// A rejection if it is no object, has a name twice, a number that is not kept, or a header that says
    /// nothing.
    pub(crate) members: Result<Box<Members>, Rejection>,
}

/// What the media type says that the body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    One,
    Lead,
    Many,
    Either,
    /// An event whose attributes are headers.
    Binary,
}

/// Reads a body and cuts it into the events, or the lead, that it holds. No more of it is unpacked
/// and looked at than the tenant's limits have room for.
///
/// # Errors
/// The limits have no room for the body, and it was not looked at to its end.
#[tracing::instrument(skip_all)]
pub(crate) async fn frame(
    services: &Services,
    intake: Intake,
    mut charged: Charged,
    headers: &HeaderMap,
    body: Body,
) -> Result<Frames, RequestRejection> {
    let form = match form(intake, headers) {
        Ok(form) => form,
        Err(rejection) => return Ok(Frames::rejected(charged, 0, rejection)),
    };
    let Received { mut bytes, body } = body::receive(headers, body, &mut charged.allowance).await;
    let text = match body {
        Ok(body::Body::Plain(text)) => {
            charged.begin_work(services, bytes).await?;
            if bytes > charged.room() {
                charged.pay(services, bytes).await?;
            }
            Ok(text)
        }
        Ok(body::Body::Packed(packed)) => {
            let mut unpacking = Unpacking::new(packed.as_ref());
            let unpacked = loop {
                let step = charged.room().min(unpacking.bytes() + LIGHT);
                let unpacked = unpacking.up_to(step, &mut charged.allowance);
                bytes = unpacking.bytes();
                match unpacked {
                    Unpacked::Whole(text) => {
                        bytes = text.len();
                        break Ok(text);
                    }
                    Unpacked::Failed(rejection) => break Err(rejection),
                    Unpacked::HasMore if bytes > charged.room() => {
                        charged.pay(services, bytes).await?;
                    }
                    Unpacked::HasMore => charged.begin_work(services, bytes + 1).await?,
                }
            };
            charged.allowance.shrink(packed.counted());
            unpacked
        }
        Err(rejection) => Err(rejection),
    };
    let frames = text.and_then(|text| {
        charged.allowance.grow(footprint(&text))?;
        split(headers, &text, form)
    });
    Ok(Frames {
        charged,
        bytes,
        frames,
    })
}

impl Frames {
    /// Whether the body could be cut into frames, or why not.
    pub(super) fn cut(&self) -> Result<(), &Rejection> {
        self.frames.as_ref().map(drop)
    }

    const fn rejected(charged: Charged, bytes: usize, rejection: Rejection) -> Self {
        Self {
            charged,
            bytes,
            frames: Err(rejection),
        }
    }
}

fn form(intake: Intake, headers: &HeaderMap) -> Result<Form, Rejection> {
    let media_type = media_type(headers)?;
    let name = media_type.as_ref().map(MediaType::name);
    let refused = |detail| Err(Rejection::new(Reason::TransportContentType, detail));
    match (intake, name) {
        (Intake::Events, _) if binary::is_meant(headers, name) => match media_type {
            Some(media_type) if media_type.is_json() => Ok(Form::Binary),
            _ => refused("send data in binary mode as application/json, in UTF-8"),
        },
        (Intake::Events, Some("application/cloudevents+json")) => Ok(Form::One),
        (Intake::Events, Some("application/cloudevents-batch+json")) => Ok(Form::Many),
        (Intake::Events, Some("application/json")) => Ok(Form::Either),
        (Intake::Lead(_), Some("application/json")) => Ok(Form::Lead),
        (Intake::Lead(LeadRequest::Patch(_)), Some("application/merge-patch+json")) => {
            Ok(Form::Lead)
        }
        (Intake::Events, _) => refused(
            "send application/cloudevents+json, application/cloudevents-batch+json or \
             application/json",
        ),
        (Intake::Lead(LeadRequest::Upsert(_)), _) => refused("send application/json"),
        (Intake::Lead(LeadRequest::Patch(_)), _) => {
            refused("send application/merge-patch+json or application/json")
        }
    }
}

/// The frames of a body that is read and unpacked already.
#[cfg(feature = "fuzzing")]
pub(super) fn frames_of(
    intake: Intake,
    headers: &HeaderMap,
    text: &Bytes,
) -> Result<Vec<Frame>, Rejection> {
    split(headers, text, form(intake, headers)?)
}

/// The body of a request that is no record, under the same bounds.
pub(crate) async fn read_body(request: Request<Body>) -> Result<Bytes, Rejection> {
    let (head, body) = request.into_parts();
    let mut allowance = BodyAllowance::of_operator(4 * MAX_BYTES)?;
    let received = body::receive(&head.headers, body, &mut allowance).await;
    match received.body? {
        body::Body::Plain(text) => Ok(text),
        body::Body::Packed(packed) => Unpacking::new(packed.as_ref()).all(&mut allowance),
    }
}

fn split(headers: &HeaderMap, text: &Bytes, form: Form) -> Result<Vec<Frame>, Rejection> {
    match form {
        Form::Binary => Ok(vec![binary::frame(headers, text)?]),
        form => cut(text, form),
    }
}

/// What the body is; none where nothing valid says so.
pub(crate) fn media_type(headers: &HeaderMap) -> Result<Option<MediaType>, Rejection> {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let first = lines.next();
    if lines.next().is_some() {
        let detail = "send one Content-Type header field";
        return Err(Rejection::new(Reason::TransportContentType, detail));
    }
    let Some(media_type) = first.and_then(|line| MediaType::parse(line.as_bytes())) else {
        return Ok(None);
    };
    if media_type.is_utf8() {
        Ok(Some(media_type))
    } else {
        let detail = "the charset must be utf-8";
        Err(Rejection::new(Reason::TransportCharset, detail))
    }
}

fn cut(body: &Bytes, form: Form) -> Result<Vec<Frame>, Rejection> {
    let mut reader = Reader::new(body)?;
    match (reader.first(), form) {
        (Some(b'{'), Form::One | Form::Lead | Form::Either) => {
            let Element { range, value } = reader.into_object()?;
            Ok(vec![Frame {
                text: body.slice(range),
                members: Ok(object(Ok(value?))?),
            }])
        }
        (Some(b'['), Form::Many | Form::Either) => {
            // One more tells that there are too many; what follows it is not read.
            let elements = reader.into_objects().take(MAX_BATCH + 1);
            let frames = elements.map(|element| {
                let Element { range, value } = element?;
                Ok(Frame {
                    text: body.slice(range),
                    members: object(value),
                })
            });
            let frames: Vec<Frame> = frames.collect::<Result<_, Rejection>>()?;
            if frames.len() > MAX_BATCH {
                let detail = format!("a batch has at most {MAX_BATCH} events");
                return Err(Rejection::new(Reason::EnvelopeBatchTooLarge, detail));
            }
            // None at all is a batch too (JSON format, 4.3).
            Ok(frames)
        }
        (found, wanted) => Err(Rejection::new(Reason::ParseJson, other_form(found, wanted))),
    }
}

fn object(value: Result<Option<Box<Members>>, JsonError>) -> Result<Box<Members>, Rejection> {
    value?.ok_or_else(|| Rejection::new(Reason::ParseJson, "an event must be a JSON object"))
}

/// What to do about a body that is not of the form its media type says.
const fn other_form(found: Option<u8>, wanted: Form) -> &'static str {
    match (found, wanted) {
        (Some(b'['), Form::One | Form::Binary) => {
            "the body must be a JSON object; many events are sent as application/cloudevents-batch+json"
        }
        (_, Form::One | Form::Binary) => "the body must be a JSON object",
        (_, Form::Lead) => {
            "the body must be a JSON object with the fields of one lead, such as `email` and `name`; in a patch, null \
             takes a field away"
        }
        (Some(b'{'), Form::Many) => {
            "the body must be a JSON array; one event is sent as application/cloudevents+json"
        }
        (_, Form::Many) => "the body must be a JSON array",
        (_, Form::Either) => "the body must be a JSON object or array",
    }
}

#[cfg(test)]
mod tests;

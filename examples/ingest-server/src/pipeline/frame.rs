//! Where one event ends and the next begins, and what it holds: body → [`Frames`].

mod body;
mod buffer;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, header::CONTENT_TYPE};
use serde_json::Value;

use self::body::{Received, Unpacked, Unpacking};
use super::{
    Intake,
    allowance::{BodyAllowance, LIGHT},
    charge_request::Charged,
    rejection::{Rejection, RequestRejection},
    services::Services,
};
use crate::{
    fields::MediaType,
    json::{Element, Reader, footprint},
    quality::Reason,
};

pub(crate) use self::body::CONTENT_CODINGS;
pub(super) use self::body::MAX_BYTES;

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

/// One JSON value.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The part of the request's body that it was read from, not copied.
    pub(crate) text: Bytes,
    /// A rejection if it has a name twice, or a number that is not kept.
    pub(crate) value: Result<Value, Rejection>,
}

/// What the media type says that the body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    One,
    Many,
    Either,
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
    let form = match media_type(headers).and_then(|name| form(intake, name.as_deref())) {
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
        cut(&text, form)
    });
    Ok(Frames {
        charged,
        bytes,
        frames,
    })
}

impl Frames {
    const fn rejected(charged: Charged, bytes: usize, rejection: Rejection) -> Self {
        Self {
            charged,
            bytes,
            frames: Err(rejection),
        }
    }
}

fn form(intake: Intake, media_type: Option<&str>) -> Result<Form, Rejection> {
    match (intake, media_type) {
        (Intake::Events, Some("application/cloudevents+json")) => Ok(Form::One),
        (Intake::Events, Some("application/cloudevents-batch+json")) => Ok(Form::Many),
        (Intake::Events, Some("application/json")) => Ok(Form::Either),
        (Intake::Lead, Some("application/json")) => Ok(Form::One),
        (Intake::Events, _) => Err(Rejection::new(
            Reason::TransportContentType,
            "send application/cloudevents+json, application/cloudevents-batch+json or \
             application/json",
        )),
        (Intake::Lead, _) => Err(Rejection::new(
            Reason::TransportContentType,
            "send application/json",
        )),
    }
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

/// The media type in lower case, without parameters; none where there is none, or no valid one.
fn media_type(headers: &HeaderMap) -> Result<Option<String>, Rejection> {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let first = lines.next();
    if lines.next().is_some() {
        let detail = "send one Content-Type header field";
        return Err(Rejection::new(Reason::TransportContentType, detail));
    }
    let Some(media_type) = first.and_then(|line| MediaType::parse(line.as_bytes())) else {
        return Ok(None);
    };
    let is_utf8 = |charset: &String| matches!(charset.as_str(), "utf-8" | "utf8");
    if media_type.charsets.iter().all(is_utf8) {
        Ok(Some(media_type.essence))
    } else {
        let detail = "the charset must be utf-8";
        Err(Rejection::new(Reason::TransportCharset, detail))
    }
}

fn cut(body: &Bytes, form: Form) -> Result<Vec<Frame>, Rejection> {
    let mut reader = Reader::new(body)?;
    match (reader.first(), form) {
        (Some(b'{'), Form::One | Form::Either) => {
            let Element { range, value } = reader.into_element()?;
            Ok(vec![Frame {
                text: body.slice(range),
                value: Ok(value?),
            }])
        }
        (Some(b'['), Form::Many | Form::Either) => {
            // One more tells that there are too many; what follows it is not read.
            let elements = reader.into_elements().take(MAX_BATCH + 1);
            let frames = elements.map(|element| {
                let Element { range, value } = element?;
                Ok(Frame {
                    text: body.slice(range),
                    value: value.map_err(Rejection::from),
                })
            });
            let frames: Vec<Frame> = frames.collect::<Result<_, Rejection>>()?;
            match frames.len() {
                0 => Err(Rejection::plain(Reason::EnvelopeBatchEmpty)),
                1..=MAX_BATCH => Ok(frames),
                _ => Err(Rejection::new(
                    Reason::EnvelopeBatchTooLarge,
                    format!("a batch has at most {MAX_BATCH} events"),
                )),
            }
        }
        (_, Form::One) => Err(Rejection::new(
            Reason::ParseJson,
            "the body must be a JSON object",
        )),
        (_, Form::Many) => Err(Rejection::new(
            Reason::ParseJson,
            "the body must be a JSON array",
        )),
        (_, Form::Either) => Err(Rejection::new(
            Reason::ParseJson,
            "the body must be a JSON object or array",
        )),
    }
}

#[cfg(test)]
mod tests;

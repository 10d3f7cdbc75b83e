//! Where one event ends and the next begins, and what it holds: body → [`Frames`].

mod binary;
mod body;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, header::CONTENT_TYPE};
use serde_json::Value;

use super::{Intake, allowance::BodyAllowance, charge_request::Charged};
use crate::{
    fields::MediaType,
    json::{Element, Reader, footprint},
    pipeline::rejection::Rejection,
    quality::Reason,
};

pub(crate) use self::body::CONTENT_CODINGS;

/// The most events of one request.
pub(crate) const MAX_BATCH: usize = 1_000;

/// The JSON values of one request, in order.
#[derive(Debug)]
pub(crate) struct Frames {
    pub(crate) charged: Charged,
    pub(crate) frames: Vec<Frame>,
}

/// One JSON value.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The part of the request's body that it was read from, not copied: of an event in binary mode,
    /// its data.
    pub(crate) text: Bytes,
    /// A rejection if it has a name twice, a number that is not kept, or a header that says nothing.
    pub(crate) value: Result<Value, Rejection>,
}

/// What the media type says that the body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    One,
    Many,
    Either,
    /// An event whose attributes are headers.
    Binary,
}

/// Reads a body and cuts it into the events, or the lead, that it holds.
#[tracing::instrument(skip_all)]
pub(crate) async fn frame(
    intake: Intake,
    mut charged: Charged,
    headers: &HeaderMap,
    body: Body,
) -> Result<Frames, Rejection> {
    let frames = read_frames(intake, &mut charged.allowance, headers, body).await?;
    Ok(Frames { charged, frames })
}

/// What needs to know nothing of the sender.
pub(super) async fn read_frames(
    intake: Intake,
    allowance: &mut BodyAllowance,
    headers: &HeaderMap,
    body: Body,
) -> Result<Vec<Frame>, Rejection> {
    let form = form(intake, headers)?;
    let text = body::read(headers, body, allowance).await?;
    allowance.grow(footprint(&text))?;
    allowance.begin_work(text.len()).await;
    match form {
        Form::Binary => Ok(vec![binary::frame(headers, &text)?]),
        form => cut(&text, form),
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
        (Intake::Lead, Some("application/json")) => Ok(Form::One),
        (Intake::Events, _) => refused(
            "send application/cloudevents+json, application/cloudevents-batch+json or \
             application/json",
        ),
        (Intake::Lead, _) => refused("send application/json"),
    }
}

/// The body of a request that is no record, under the same bounds.
pub(crate) async fn read_body(request: Request<Body>) -> Result<Bytes, Rejection> {
    let (head, body) = request.into_parts();
    let mut allowance = BodyAllowance::of_operator(4 * body::MAX_BYTES)?;
    body::read(&head.headers, body, &mut allowance).await
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

/// What to do about a body that is not of the form its media type says.
const fn other_form(found: Option<u8>, wanted: Form) -> &'static str {
    match (found, wanted) {
        (Some(b'['), Form::One | Form::Binary) => {
            "the body must be a JSON object; many events are sent as application/cloudevents-batch+json"
        }
        (_, Form::One | Form::Binary) => "the body must be a JSON object",
        (Some(b'{'), Form::Many) => {
            "the body must be a JSON array; one event is sent as application/cloudevents+json"
        }
        (_, Form::Many) => "the body must be a JSON array",
        (_, Form::Either) => "the body must be a JSON object or array",
    }
}

#[cfg(test)]
mod tests;

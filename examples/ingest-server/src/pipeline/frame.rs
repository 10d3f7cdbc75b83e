//! Where one event ends and the next begins, and what it holds: body → [`Frames`].

mod body;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, header::CONTENT_TYPE};
use serde_json::Value;

use super::{Intake, authenticate::Caller};
use crate::{
    json::{Element, Reader},
    pipeline::rejection::Rejection,
    quality::Reason,
};

/// The most events of one request.
pub(crate) const MAX_BATCH: usize = 1_000;

/// The JSON values of one request, in order.
#[derive(Debug)]
pub(crate) struct Frames {
    pub(crate) caller: Caller,
    pub(crate) frames: Vec<Frame>,
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

/// Reads a body and cuts it into the events, or the lead, that it holds.
#[tracing::instrument(skip_all)]
pub(crate) async fn frame(
    intake: Intake,
    caller: Caller,
    headers: &HeaderMap,
    body: Body,
) -> Result<Frames, Rejection> {
    let form = form(intake, media_type(headers).as_deref())?;
    let text = body::read(headers, body).await?;
    Ok(Frames {
        caller,
        frames: cut(&text, form)?,
    })
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

/// The frames of a body that is read and unpacked already.
#[cfg(feature = "fuzzing")]
pub(super) fn frames_of(
    intake: Intake,
    headers: &HeaderMap,
    text: &Bytes,
) -> Result<Vec<Frame>, Rejection> {
    cut(text, form(intake, media_type(headers).as_deref())?)
}

/// The body of a request that is no record, under the same bounds.
pub(crate) async fn read_body(request: Request<Body>) -> Result<Bytes, Rejection> {
    let (head, body) = request.into_parts();
    body::read(&head.headers, body).await
}

/// The media type in lower case, without parameters; none if it names a charset but UTF-8.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers
        .get(CONTENT_TYPE)?
        .to_str()
        .ok()?
        .to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next()?.to_owned();
    let is_utf8 = |charset: &str| matches!(charset.trim_matches('"'), "utf-8" | "utf8");
    parts
        .filter_map(|parameter| parameter.strip_prefix("charset="))
        .all(is_utf8)
        .then_some(media_type)
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

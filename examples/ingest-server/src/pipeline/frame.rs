//! Where one event ends and the next begins: body → [`Frames`].

mod body;
mod depth;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, header::CONTENT_TYPE};
use serde_json::value::RawValue;

use super::{Intake, authenticate::Caller};
use crate::{pipeline::rejection::Rejection, quality::Reason};

/// The most events of one request.
pub(crate) const MAX_BATCH: usize = 1_000;

/// The deepest nesting of one event.
const MAX_DEPTH: usize = 32;

/// Well-formed JSON texts of one request, in order.
#[derive(Debug)]
pub(crate) struct Frames {
    pub(crate) caller: Caller,
    pub(crate) frames: Vec<Frame>,
}

/// One JSON object: a part of the request's body, not copied.
#[derive(Debug)]
pub(crate) struct Frame(pub(crate) Bytes);

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

fn cut(text: &Bytes, form: Form) -> Result<Vec<Frame>, Rejection> {
    if std::str::from_utf8(text).is_err() {
        return Err(Rejection::new(
            Reason::ParseUtf8,
            "the body is not valid UTF-8",
        ));
    }
    match (text.trim_ascii_start().first(), form) {
        (Some(b'{'), Form::One | Form::Either) => {
            depth::check(text, MAX_DEPTH)?;
            let one: &RawValue = serde_json::from_slice(text).map_err(|error| broken(&error))?;
            Ok(vec![slice(text, one)])
        }
        (Some(b'['), Form::Many | Form::Either) => {
            depth::check(text, MAX_DEPTH + 1)?;
            let many: Vec<&RawValue> =
                serde_json::from_slice(text).map_err(|error| broken(&error))?;
            match many.len() {
                0 => Err(Rejection::plain(Reason::EnvelopeBatchEmpty)),
                1..=MAX_BATCH => Ok(many.into_iter().map(|one| slice(text, one)).collect()),
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

fn slice(text: &Bytes, one: &RawValue) -> Frame {
    Frame(text.slice_ref(one.get().as_bytes()))
}

fn broken(error: &serde_json::Error) -> Rejection {
    let (line, column) = (error.line(), error.column());
    let detail = if error.is_eof() {
        format!("the JSON ends early, at line {line} column {column}")
    } else {
        format!("the JSON is broken at line {line} column {column}")
    };
    Rejection::new(Reason::ParseJson, detail)
}

#[cfg(test)]
mod tests;

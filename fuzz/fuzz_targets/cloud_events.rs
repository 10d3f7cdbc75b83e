//! Requests with events and leads, from their head to where keys and a database are needed.

#![no_main]

use std::{io::Write as _, sync::LazyLock};

use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
};
use ingest_server::fuzzing::{
    events::{Accepted, Attributes, Events, Items, Refusal},
    json,
};
use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::message;
use serde_json::Value;

static EVENTS: LazyLock<Events> = LazyLock::new(Events::new);

/// Stands for what no answer may repeat.
const CANARY: &str = "c4n4ry";
/// Personal data that no detector can miss where it stands alone.
const EMAIL: &str = "jane.doe@example.com";
/// How many events a request may have.
const MAX_BATCH: usize = 1_000;

// Header lines, an empty line, the body: to /v1/events, and after `!` to /v1/leads.
fuzz_target!(|input: &[u8]| {
    let (is_lead, input) = match input.strip_prefix(b"!") {
        Some(input) => (true, input),
        None => (false, input),
    };
    let (headers, body) = message::split(input);
    let outcome = examine(is_lead, &headers, body);
    assert_eq!(
        outcome,
        examine(is_lead, &headers, body),
        "one request, two outcomes"
    );
    match &outcome {
        Ok(items) => {
            assert!(
                items.len() <= MAX_BATCH,
                "{} items of one request",
                items.len()
            );
            for item in items {
                match item {
                    Ok(accepted) => check(is_lead, accepted),
                    Err(refusal) => repeats_nothing(refusal),
                }
            }
            if !is_lead && !headers.contains_key(CONTENT_ENCODING) {
                batch_is_its_events(&headers, body, items);
            }
        }
        Err(refusal) => repeats_nothing(refusal),
    }
    if !headers.contains_key(CONTENT_ENCODING) {
        packed_is_unpacked(is_lead, &headers, body, &outcome);
    }
});

fn examine(is_lead: bool, headers: &HeaderMap, body: &[u8]) -> Result<Items, Refusal> {
    if is_lead {
        EVENTS.lead(headers, body)
    } else {
        EVENTS.events(headers, body)
    }
}

/// Sentences are made from schemas and limits, never from what was sent.
fn repeats_nothing(refusal: &Refusal) {
    let Refusal { reason, detail } = refusal;
    assert!(
        !detail.to_lowercase().contains(CANARY),
        "{reason} repeats what was sent: {detail}"
    );
    assert!(
        !detail.contains(EMAIL),
        "{reason} repeats personal data: {detail}"
    );
    assert!(!detail.is_empty() && !reason.is_empty());
}

/// What would be stored has the form that the documents promise.
fn check(is_lead: bool, accepted: &Accepted) {
    let Accepted {
        attributes,
        data,
        personal,
    } = accepted;
    match attributes {
        Some(attributes) => check_attributes(attributes),
        None => assert!(is_lead, "an event without attributes"),
    }
    for pointer in personal {
        let found = data.pointer(pointer);
        assert!(
            found.is_some_and(Value::is_string),
            "no text to seal at {pointer}"
        );
    }
    walk(data, &mut String::new(), &mut |pointer, text| {
        assert!(
            text != EMAIL || personal.iter().any(|declared| declared == pointer),
            "personal data would be stored as it is, at {pointer}"
        );
    });
    assert!(
        json::read(data.to_string().as_bytes()).as_ref() == Ok(data),
        "data that is not kept"
    );
}

fn check_attributes(attributes: &Attributes) {
    let Attributes {
        id,
        source,
        event_type,
        version,
        time,
    } = attributes;
    assert!(
        (1..=256).contains(&id.len()) && !id.contains(char::is_control),
        "id {id:?}"
    );
    assert!((1..=512).contains(&source.len()), "source {source:?}");
    assert!(
        !source.contains(|char: char| char.is_ascii_control() || char == ' '),
        "{source:?}"
    );
    let is_type = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
    assert!((1..=255).contains(&event_type.len()) && event_type.chars().all(is_type));
    assert!(*version > 0, "versions count from 1");
    if let Some(time) = time {
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
        // Ten minutes ahead, five years back.
        assert!(("2021-05-02T12:00:00.000Z"..="2026-05-01T12:10:00.000Z").contains(&&**time));
    }
    for text in [id, source] {
        assert!(text != EMAIL, "personal data in the attributes");
    }
}

fn walk(value: &Value, pointer: &mut String, visit: &mut impl FnMut(&str, &str)) {
    let length = pointer.len();
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::String(text) => visit(pointer, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                walk(item, pointer, visit);
                pointer.truncate(length);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                visit(&format!("{pointer}/"), name);
                pointer.push_str(&format!("/{}", escaped(name)));
                walk(member, pointer, visit);
                pointer.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// An event fares alone as it does in a batch.
fn batch_is_its_events(headers: &HeaderMap, body: &[u8], items: &Items) {
    let Ok(value) = json::read(body) else {
        return;
    };
    let (events, media_type) = match value {
        Value::Array(events) => (events, "application/cloudevents+json"),
        event @ Value::Object(_) => (vec![event], "application/cloudevents-batch+json"),
        _ => return,
    };
    // Attributes in the head belong to the body as a whole.
    if events.len() != items.len() || events.len() > 8 || has_attributes(headers) {
        return;
    }
    let mut headers = without_length(headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    for (event, item) in events.into_iter().zip(items) {
        let is_object = event.is_object();
        let text = match media_type {
            "application/cloudevents+json" => event.to_string(),
            _ => Value::from(vec![event]).to_string(),
        };
        match examine(false, &headers, text.as_bytes()) {
            Ok(other) => assert_eq!(&other[..], std::slice::from_ref(item), "an event elsewhere"),
            // One more bracket may be one too many, and what is no object is refused at once.
            Err(refusal) => assert!(
                refusal.reason == "parse.depth" || !is_object,
                "{} of an event that was read elsewhere",
                refusal.reason
            ),
        }
    }
}

fn has_attributes(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("ce-"))
}

fn without_length(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(CONTENT_LENGTH);
    headers
}

/// A body that was packed, in two members, is the body.
fn packed_is_unpacked(
    is_lead: bool,
    headers: &HeaderMap,
    body: &[u8],
    outcome: &Result<Items, Refusal>,
) {
    // A length that a message's own reader would not have let through.
    if headers.contains_key(CONTENT_LENGTH) {
        return;
    }
    let mut headers = headers.clone();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let (first, second) = body.split_at(body.len() / 2);
    let packed = [gzip(first), gzip(second)].concat();
    assert_eq!(
        &examine(is_lead, &headers, &packed),
        outcome,
        "a packed body is another"
    );
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

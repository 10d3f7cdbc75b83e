//! What tells a repeated event from another one under the same id: a fingerprint of its content.

use portcullis_pii_crypto::FingerprintIndex;

use crate::pipeline::parse::Envelope;

/// The field and the form under which an event's content has its fingerprint.
pub(super) const FIELD: &str = "event.content";
const FORM: &str = "event-content/1";

/// Keyed, because the content holds personal data that could be guessed. `data` is the event's data
/// as JSON text.
pub(super) fn fingerprint(contents: &FingerprintIndex, envelope: &Envelope, data: &str) -> Vec<u8> {
    let value = contents.value(FORM, &bytes(envelope, data));
    value.as_bytes().to_vec()
}

/// Room for a version, a time, and what stands around them.
const HEAD: usize = 64;

/// `[type, version, time in nanoseconds or null, data]` as JSON, around the text that is there.
fn bytes(envelope: &Envelope, data: &str) -> Vec<u8> {
    let time = envelope.time.map(|time| time.unix_timestamp_nanos());
    let head = (&envelope.event_type, envelope.version, time);
    let mut content = Vec::with_capacity(envelope.event_type.len() + data.len() + HEAD);
    serde_json::to_writer(&mut content, &head).expect("text and numbers are JSON");
    content.pop();
    content.push(b',');
    content.extend_from_slice(data.as_bytes());
    content.push(b']');
    content
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::OffsetDateTime;

    use super::*;

    /// Rows written by earlier versions are compared with what this one computes.
    #[test]
    fn the_bytes_are_those_of_the_whole_content_as_one_json_text() {
        let times = [
            None,
            Some(OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap()),
        ];
        let data = [
            json!({}),
            json!({"a": [1, 2.5, null, true], "b": {"c": "\u{7f}\"\\ü"}}),
        ];
        for time in times {
            for data in &data {
                let envelope = Envelope {
                    id: "1".to_owned(),
                    source: "s".to_owned(),
                    event_type: "page.viewed".to_owned(),
                    version: 2,
                    time,
                };
                let nanoseconds = time.map(OffsetDateTime::unix_timestamp_nanos);
                let whole: (&str, u32, Option<i128>, &Value) =
                    ("page.viewed", 2, nanoseconds, data);
                assert_eq!(
                    bytes(&envelope, &data.to_string()),
                    serde_json::to_vec(&whole).unwrap()
                );
            }
        }
    }
}

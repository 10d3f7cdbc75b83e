//! What tells a repeated event from another one under the same id: a fingerprint of its content.

use portcullis_pii_crypto::FingerprintIndex;
use serde_json::Value;

use crate::pipeline::parse::Envelope;

/// The field and the form under which an event's content has its fingerprint.
pub(super) const FIELD: &str = "event.content";
const FORM: &str = "event-content/1";

/// The content of an event as the one JSON text that its fingerprint is of, written into a buffer that
/// serves one event after the other: the text of the data is a part of it, and is not made twice.
#[derive(Debug)]
pub(super) struct Content {
    text: Vec<u8>,
    /// Where the data begins.
    data: usize,
}

/// Room for most events, so that the buffer of a lone one does not grow step by step.
const USUAL: usize = 768;

impl Content {
    pub(super) fn new() -> Self {
        Self {
            text: Vec::with_capacity(USUAL),
            data: 0,
        }
    }

    /// `[type, version, time in nanoseconds or null, data]`.
    pub(super) fn write(&mut self, envelope: &Envelope, data: &Value) {
        let time = envelope.time.map(|time| time.unix_timestamp_nanos());
        let head = (&envelope.event_type, envelope.version, time);
        self.text.clear();
        serde_json::to_writer(&mut self.text, &head).expect("text and numbers are JSON");
        self.text.pop();
        self.text.push(b',');
        self.data = self.text.len();
        serde_json::to_writer(&mut self.text, data).expect("a JSON value is written into memory");
        self.text.push(b']');
    }

    /// Keyed, because the content holds personal data that could be guessed.
    pub(super) fn fingerprint(&self, contents: &FingerprintIndex) -> Vec<u8> {
        contents.value(FORM, &self.text).as_bytes().to_vec()
    }

    /// The data, of what was written last, as it is stored.
    pub(super) fn data(&self) -> String {
        let data = &self.text[self.data..self.text.len() - "]".len()];
        let data = std::str::from_utf8(data).expect("JSON is written in UTF-8");
        data.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
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
        let mut content = Content::new();
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
                content.write(&envelope, data);
                assert_eq!(content.text, serde_json::to_vec(&whole).unwrap());
                assert_eq!(content.data(), data.to_string());
            }
        }
    }
}

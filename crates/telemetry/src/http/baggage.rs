//! W3C Baggage by a list of keys: what is not on it passes neither in nor out.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt as _};

/// Which members of W3C Baggage pass, by their key. By default none does.
///
/// Baggage is the caller's text, which travels to each service behind this one. It is dropped but for these
/// keys, even when the program itself put it into a request, and never recorded: no span, log line or metric
/// has it.
///
/// Of a header that is longer than 8,192 bytes or has more than 64 members, which is what the specification
/// asks services to carry, nothing passes. Properties of members are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaggageKeys(Arc<[Box<str>]>);

const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
const MAX_BYTES: usize = 8_192;
const MAX_MEMBERS: usize = 64;

impl BaggageKeys {
    /// These keys, which are told apart by case, as the specification has it.
    #[must_use]
    pub fn allow<K: Into<Box<str>>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    fn has(&self, key: &str) -> bool {
        self.0.iter().any(|allowed| **allowed == *key)
    }

    /// The context with what passes of a request's headers; `None` when nothing does.
    pub(super) fn context(&self, headers: &HeaderMap) -> Option<Context> {
        if self.0.is_empty() {
            return None;
        }
        let members = self.read(headers);
        let members = members
            .into_iter()
            .map(|(key, value)| KeyValue::new(key, value));
        let members: Vec<KeyValue> = members.collect();
        (!members.is_empty()).then(|| Context::current().with_baggage(members))
    }

    /// Leaves in the headers what passes of them and of the context in force, which has the last word.
    pub(super) fn put_into(&self, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            headers.remove(BAGGAGE);
            return;
        }
        let mut members = self.read(headers);
        headers.remove(BAGGAGE);
        Context::map_current(|context| {
            for (key, (value, _)) in context.baggage() {
                if self.has(key.as_str()) {
                    members.retain(|(known, _)| known != key.as_str());
                    members.push((key.as_str().to_owned(), value.as_str().to_owned()));
                }
            }
        });
        let members: Vec<String> = members
            .iter()
            .take(MAX_MEMBERS)
            .filter(|(key, _)| is_token(key))
            .map(|(key, value)| format!("{key}={}", encoded(value)))
            .collect();
        let text = members.join(",");
        if (1..=MAX_BYTES).contains(&text.len())
            && let Ok(value) = HeaderValue::try_from(text)
        {
            headers.insert(BAGGAGE, value);
        }
    }

    /// The members that pass, each key once; of one that is there twice, the last.
    fn read(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let lines: Option<Vec<&str>> = headers
            .get_all(BAGGAGE)
            .iter()
            .map(|line| line.to_str().ok())
            .collect();
        let text = lines.unwrap_or_default().join(",");
        if text.len() > MAX_BYTES || text.split(',').count() > MAX_MEMBERS {
            return Vec::new();
        }
        let mut members: Vec<(String, String)> = Vec::new();
        for member in text.split(',') {
            let pair = member.split(';').next().unwrap_or_default();
            if let Some((key, value)) = pair.split_once('=')
                && let key = key.trim()
                && self.has(key)
                && let Some(value) = decoded(value.trim())
            {
                members.retain(|(known, _)| known != key);
                members.push((key.to_owned(), value));
            }
        }
        members
    }
}

/// A token of RFC 9110, which is what a key is.
fn is_token(key: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !key.is_empty() && key.bytes().all(is_part)
}

/// A value without its percent-encoding; `None` for one that is no text or has controls in it.
fn decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let (digits, tail) = rest.split_at_checked(2)?;
            rest = tail;
            let high = char::from(digits[0]).to_digit(16)?;
            let low = char::from(digits[1]).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// A value as the header has it: what needs no encoding anywhere stays as it is.
fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests;

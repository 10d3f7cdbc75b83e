//! Personal data where none is declared would be stored as it is: it is refused instead.

use std::collections::HashSet;

use portcullis_pii_detect::Detector;
use serde_json::Value;

use super::Personal;
use crate::{
    pipeline::{parse::Parsed, rejection::Rejection},
    quality::Reason,
};

/// Looks at every text that is not to be sealed: the envelope's, and the data's but for the declared
/// places. Some of the envelope's is not stored, but its sender takes it for what anybody may read.
pub(super) fn check(
    detector: &Detector,
    parsed: &Parsed,
    personal: &[Personal],
) -> Result<(), Rejection> {
    if let Some(envelope) = &parsed.envelope {
        for (text, place) in [(&envelope.id, "`id`"), (&envelope.source, "`source`")] {
            refuse(detector, text, place)?;
        }
    }
    for (place, text) in &parsed.unstored {
        refuse(detector, text, place)?;
    }
    let declared = personal
        .iter()
        .map(|found| found.pointer.as_str())
        .collect();
    walk(detector, &parsed.data, &mut String::new(), &declared)
}

fn walk(
    detector: &Detector,
    value: &Value,
    pointer: &mut String,
    declared: &HashSet<&str>,
) -> Result<(), Rejection> {
    let length = pointer.len();
    match value {
        Value::String(text) if !declared.contains(pointer.as_str()) => {
            refuse(detector, text, "`data`")
        }
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            pointer.push('/');
            pointer.push_str(&index.to_string());
            let walked = walk(detector, item, pointer, declared);
            pointer.truncate(length);
            walked
        }),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            refuse(detector, name, "`data`")?;
            pointer.push('/');
            pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            let walked = walk(detector, member, pointer, declared);
            pointer.truncate(length);
            walked
        }),
        _ => Ok(()),
    }
}

fn refuse(detector: &Detector, text: &str, place: &str) -> Result<(), Rejection> {
    match detector.first_kind(text) {
        None => Ok(()),
        Some(kind) => {
            let detail = format!(
                "{place} holds what looks like personal data or a secret ({}) where the schema \
                 declares none",
                kind.as_str()
            );
            Err(Rejection::new(Reason::PolicyUndeclaredPii, detail))
        }
    }
}

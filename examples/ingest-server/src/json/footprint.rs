//! How much memory a text takes once it is read, seen before it is.

use memchr::memchr2;

use super::MAX_DEPTH;

/// The most bytes that the values built from a text take, from the signs that stand in it outside of
/// strings. What is nested too deeply is not counted, since reading ends there.
pub(crate) fn footprint(text: &[u8]) -> usize {
    let (mut bytes, mut depth) = (text.len(), 0_usize);
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        bytes += built_for(*byte);
        match byte {
            b'"' => rest = behind_string(rest),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // The events of a batch stand one level deeper.
        if depth > MAX_DEPTH + 1 {
            break;
        }
    }
    bytes
}

/// What follows the string that has begun. Most of a text is in strings.
fn behind_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr2(b'"', b'\\', rest) {
        if rest[at] == b'"' {
            return &rest[at + 1..];
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    &[]
}

/// What stands behind a sign, on 64 bits: a value takes 32 bytes, and a growing array up to twice as
/// many for each; the least that is allocated for an array is room for four. An object takes a node
/// of 640 bytes for its first eleven members, and a node for every five in the worst case after
/// that. Each string is allocated apart, in steps of 16 bytes.
const fn built_for(byte: u8) -> usize {
    match byte {
        b'{' => 640,
        b'[' => 144,
        b':' => 96,
        b',' => 64,
        b'"' => 32,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use serde_json::Value;

    use super::footprint;
    use crate::json;

    fn string(length: usize) -> usize {
        if length == 0 {
            0
        } else {
            (length + 8).next_multiple_of(16).max(32)
        }
    }

    /// What a value has allocated, by the way in which the standard library does.
    fn allocated(value: &Value) -> usize {
        match value {
            Value::String(text) => string(text.len()),
            Value::Array(items) if items.is_empty() => 0,
            Value::Array(items) => {
                let slots = items.len().next_power_of_two().max(4);
                let below: usize = items.iter().map(allocated).sum();
                slots * size_of::<Value>() + 16 + below
            }
            Value::Object(members) if members.is_empty() => 0,
            Value::Object(members) => {
                let node = 11 * (size_of::<String>() + size_of::<Value>()) + 24;
                // A node of many has at least five members, and one more stands between two.
                let nodes = match members.len() {
                    0..=11 => 1,
                    more => (more + 1) / 6,
                };
                let inner = if nodes > 1 {
                    (1 + nodes / 6) * (node + 96)
                } else {
                    0
                };
                let below = members.iter();
                let below: usize = below
                    .map(|(name, value)| string(name.len()) + allocated(value))
                    .sum();
                nodes * node + inner + below
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
    }

    #[test]
    fn nothing_takes_more_than_was_said_before() {
        let repeat = |item: &str, times: usize| format!("[{}]", vec![item; times].join(","));
        let members = |count: usize| {
            let members: Vec<String> = (0..count).map(|n| format!("\"{n}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        let mut texts = vec![
            repeat("0", 10_000),
            repeat("\"\"", 1_000),
            repeat("\"a\"", 1_000),
            repeat("[0]", 1_000),
            repeat("[]", 1_000),
            repeat("{}", 1_000),
            repeat("{\"a\":0}", 1_000),
            repeat("{\"a\":[{\"b\":\"c\"}]}", 1_000),
            format!("[\"{}\"]", "x".repeat(100_000)),
        ];
        texts.extend([1, 2, 5, 11, 12, 13, 100, 1_000, 10_000].map(members));
        for text in texts {
            let value = json::read(text.as_bytes()).unwrap();
            let (built, foreseen) = (allocated(&value), footprint(text.as_bytes()));
            assert!(
                built <= foreseen,
                "{built} > {foreseen}: {}",
                &text[..20.min(text.len())]
            );
        }
    }

    #[test]
    fn what_stands_in_strings_is_text_and_what_is_too_deep_is_not_built() {
        let text = r#"["a\"[{,:]",0]"#;
        assert_eq!(footprint(text.as_bytes()), text.len() + 144 + 32 + 64);
        let deep = "[{\"a\":".repeat(100_000);
        assert!(footprint(deep.as_bytes()) < deep.len() + 100_000);
    }

    /// An ordinary batch must not be refused for what it might have been.
    #[test]
    fn a_batch_of_a_thousand_events_of_a_kilobyte_takes_less_than_a_tenant_has() {
        let members: Vec<String> = (0..30)
            .map(|n| format!("\"name{n}\":\"a value {n}\""))
            .collect();
        let event = format!(
            "{{{},\"data\":{{\"a\":{{}},\"b\":{{}}}}}}",
            members.join(",")
        );
        let batch = format!("[{}]", vec![event; 1_000].join(","));
        assert!(
            footprint(batch.as_bytes()) < 12 << 20,
            "{}",
            footprint(batch.as_bytes())
        );
    }
}

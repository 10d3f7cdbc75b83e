//! The service's reader of JSON, against `serde_json` and a look at the signs of the text.

#![no_main]

use ingest_server::fuzzing::json::{self, MAX_DEPTH, Refusal};
use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::json_text;
use serde_json::Value;

fuzz_target!(|text: &[u8]| {
    let read = json::read(text);
    let judged = json_text::judge(text);
    let depth = json_text::depth(text);
    match &read {
        Ok(value) => {
            let judged = judged.expect("what is read is JSON");
            assert!(!judged.repeats_name, "a repeated name was read");
            assert!(depth <= MAX_DEPTH, "{depth} levels were read");
            came_out_as_it_went_in(text, value);
        }
        Err(Refusal::NotJson) => {
            // A number beyond all floats is JSON, and `serde_json` says it is not; never the other
            // way round, unless it reads deeper than the service.
            assert!(judged.is_none(), "JSON was called none");
        }
        Err(Refusal::TooDeep) => assert!(depth > MAX_DEPTH, "{depth} levels are not too deep"),
        Err(Refusal::RepeatedName) => {
            assert!(
                judged.is_none_or(|judged| judged.repeats_name),
                "no name is repeated"
            );
        }
        Err(Refusal::InexactNumber) => assert!(has_inexact_number(text), "every number is exact"),
    }
    elements_are_those_of_the_array(text, read);
});

/// Nothing is lost or changed: numbers have their very value, everything else is what `serde_json`
/// reads, and reading what was written gives the same again.
fn came_out_as_it_went_in(text: &[u8], value: &Value) {
    let written = value.to_string();
    assert_eq!(
        json_text::numbers(text),
        json_text::numbers(written.as_bytes()),
        "a number changed"
    );
    let theirs: Value = serde_json::from_slice(text).expect("it was judged");
    assert_eq!(without_numbers(value.clone()), without_numbers(theirs));
    assert_eq!(json::read(written.as_bytes()).as_ref(), Ok(value));
}

fn without_numbers(value: Value) -> Value {
    match value {
        Value::Number(_) => Value::Null,
        Value::Array(items) => items.into_iter().map(without_numbers).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| (name, without_numbers(member)))
            .collect(),
        other => other,
    }
}

/// Whether a word of digits is neither an integer of 64 bits nor a float that shows the same value.
fn has_inexact_number(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let is_sign = |char: char| char.is_ascii_digit() || "+-.eE".contains(char);
    text.split(|char| !is_sign(char))
        .filter(|word| word.contains(|char: char| char.is_ascii_digit()))
        .any(|word| {
            let is_integer = word.parse::<i64>().is_ok() || word.parse::<u64>().is_ok();
            let floats_count = word.contains(['.', 'e', 'E']) || word == "-0";
            !(is_integer || floats_count && json_text::Decimal::is_kept_by_floats(word))
        })
}

/// A batch is read element by element; it must not read otherwise than the whole.
fn elements_are_those_of_the_array(text: &[u8], read: Result<Value, Refusal>) {
    let Ok(elements) = json::elements(text) else {
        assert!(
            !matches!(read, Ok(Value::Array(_))),
            "the elements of an array were not read"
        );
        return;
    };
    let mut end = 0;
    for (range, element) in &elements {
        assert!(
            end < range.start,
            "an element begins before its forerunner ends"
        );
        end = range.end;
        assert_eq!(
            &json::read(&text[range.clone()]),
            element,
            "an element alone"
        );
    }
    assert!(end < text.len(), "an array ends with a bracket");
    let elements: Result<Value, Refusal> =
        elements.into_iter().map(|(_, element)| element).collect();
    // An array around elements that are as deep as can be is a batch, and no value.
    if read != Err(Refusal::TooDeep) {
        assert_eq!(
            elements.map_err(drop),
            read.map_err(drop),
            "an array and its elements"
        );
    }
}

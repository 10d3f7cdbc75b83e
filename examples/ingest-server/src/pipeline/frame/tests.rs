//! Bodies cut into frames.

use super::*;

fn reason(text: &[u8], form: Form) -> Option<Reason> {
    cut(&Bytes::copy_from_slice(text), form)
        .err()
        .map(|rejection| rejection.reason)
}

fn nested(levels: usize) -> String {
    format!(
        "{}{}",
        "{\"a\":".repeat(levels - 1) + "{",
        "}".repeat(levels)
    )
}

#[test]
fn frames_are_the_texts_between_the_commas() {
    let body = Bytes::from_static(b" [ {\"a\": [1, 2]} ,\n{\"b\":\"]\"}] ");
    let frames = cut(&body, Form::Either).unwrap();
    let texts: Vec<&[u8]> = frames.iter().map(|frame| &*frame.text).collect();
    assert_eq!(
        texts,
        [b"{\"a\": [1, 2]}".as_slice(), b"{\"b\":\"]\"}".as_slice()]
    );
}

#[test]
fn the_media_type_decides_between_one_and_many() {
    assert_eq!(reason(b"{}", Form::One), None);
    assert_eq!(reason(b"{}", Form::Many), Some(Reason::ParseJson));
    assert_eq!(reason(b"[{}]", Form::One), Some(Reason::ParseJson));
    assert_eq!(reason(b"[{}]", Form::Many), None);
    assert_eq!(reason(b"1", Form::Either), Some(Reason::ParseJson));
    assert_eq!(reason(b"", Form::Either), Some(Reason::ParseJson));
}

#[test]
fn nesting_of_32_passes_and_of_33_does_not() {
    assert_eq!(reason(nested(32).as_bytes(), Form::One), None);
    assert_eq!(
        reason(nested(33).as_bytes(), Form::One),
        Some(Reason::ParseDepth)
    );
    assert_eq!(
        reason(format!("[{}]", nested(32)).as_bytes(), Form::Many),
        None
    );
    assert_eq!(
        reason(format!("[{}]", nested(33)).as_bytes(), Form::Many),
        Some(Reason::ParseDepth)
    );
}

#[test]
fn brackets_in_strings_do_not_nest() {
    let text = format!("{{\"a\":\"{}\\\"{}\"}}", "[".repeat(100), "{".repeat(100));
    assert_eq!(reason(text.as_bytes(), Form::One), None);
}

#[test]
fn a_batch_of_1000_passes_and_of_1001_does_not() {
    let batch = |events: usize| format!("[{}]", vec!["{}"; events].join(","));
    assert_eq!(
        cut(&Bytes::from(batch(1_000)), Form::Many).unwrap().len(),
        1_000
    );
    assert_eq!(
        reason(batch(1_001).as_bytes(), Form::Many),
        Some(Reason::EnvelopeBatchTooLarge)
    );
    // What follows the one too many is not read.
    let longer = batch(1_001).replace(']', ",nul");
    assert_eq!(
        reason(longer.as_bytes(), Form::Many),
        Some(Reason::EnvelopeBatchTooLarge)
    );
    assert_eq!(
        cut(&Bytes::from_static(b" [ ] "), Form::Many)
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn broken_text_is_told_by_its_place_only() {
    let broken = cut(&Bytes::from_static(b"{\"a\":canary}"), Form::One).unwrap_err();
    assert_eq!(broken.detail, "the JSON is broken at line 1 column 6");
    let cut_off = cut(&Bytes::from_static(b"{\"a\":1"), Form::One).unwrap_err();
    assert_eq!(cut_off.detail, "the JSON ends early, at line 1 column 6");
    assert_eq!(
        reason(b"{\"a\":\"\xff\"}", Form::One),
        Some(Reason::ParseUtf8)
    );
}

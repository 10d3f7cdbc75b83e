//! Personal data found in text and JSON: where it stands, what masking leaves, and that no text takes
//! long.

#![no_main]

use std::{sync::LazyLock, time::Duration};

use libfuzzer_sys::fuzz_target;
use portcullis_pii_detect::{Confidence, Detector, Finding, JsonFinding, JsonPart, Kind};
use rustix::time::{ClockId, clock_gettime};

/// As services use it; every kind, however unsure; and one kind each.
static STANDARD: LazyLock<Detector> = LazyLock::new(Detector::standard);
static EVERYTHING: LazyLock<Detector> = LazyLock::new(|| {
    let builder = Detector::builder().kinds(Kind::ALL.iter().copied());
    let builder = builder.min_confidence(Confidence::Low);
    builder
        .secret_prefix("acme_")
        .build()
        .expect("the prefix is not empty")
});
static ALONE: LazyLock<Vec<Detector>> = LazyLock::new(|| {
    let alone = |kind: &Kind| Detector::builder().kinds([*kind]).build();
    let alone = Kind::ALL.iter().map(alone);
    alone.collect::<Result<_, _>>().expect("no prefix is empty")
});

/// What an input is repeated to after `*`, and what searching it may take. It takes milliseconds;
/// what looks at all of the text for each of its bytes takes seconds.
const REPEATED_BYTES: usize = 32 * 1024;
const MOST_TIME: Duration = Duration::from_secs(1);

// An input is a text, or the name of a field, a line break and its text. After `*` it is repeated
// until it is long.
fuzz_target!(|input: &[u8]| {
    let repeated = input.strip_prefix(b"*");
    let input = String::from_utf8_lossy(repeated.unwrap_or(input));
    if repeated.is_some() {
        check_time(&input);
        return;
    }
    let (name, text) = input.split_once('\n').unwrap_or(("", &input));
    for detector in [&*STANDARD, &*EVERYTHING].into_iter().chain(&*ALONE) {
        let found: Vec<Finding> = detector.find_named(name, text).collect();
        check_findings(detector, text, &found);
    }
    check_masks(&STANDARD, name, text);
    check_masks(&EVERYTHING, name, text);
    check_cut(&STANDARD, text);
    check_json(&EVERYTHING, name, text);
    // Whatever it is, it is no reason to panic.
    EVERYTHING.find_in_json(input.as_bytes()).for_each(drop);
});

/// Ranges of whole characters in order and apart, each of a kind that was asked for.
fn check_findings(detector: &Detector, text: &str, found: &[Finding]) {
    let mut end = 0;
    for finding in found {
        let range = &finding.range;
        assert!(end <= range.start, "findings overlap or are out of order");
        assert!(range.start < range.end, "a finding is empty");
        assert!(text.get(range.clone()).is_some(), "a character is cut");
        assert!(detector.looks_for(finding.kind), "nobody asked for it");
        let is_label = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        assert!(!finding.rule.is_empty() && finding.rule.bytes().all(is_label));
        end = range.end;
    }
}

/// What is masked is what is found, and nothing is found in what is masked, nor in the value of a field
/// that is masked likewise.
fn check_masks(detector: &Detector, name: &str, text: &str) {
    let found: Vec<Finding> = detector.find(text).collect();
    assert_eq!(
        detector.first_kind(text),
        found.first().map(|finding| finding.kind)
    );
    let masked = detector.mask(text);
    assert_eq!(
        masked,
        with_placeholders(text, &found),
        "what is masked is not what is found"
    );
    let again: Vec<Finding> = detector.find(&masked).collect();
    assert_eq!(again, [], "something is found in what is masked");

    let found: Vec<Finding> = detector.find_named(name, text).collect();
    let masked = with_placeholders(text, &found);
    let again: Vec<Finding> = detector.find_named(name, &masked).collect();
    assert_eq!(again, [], "something is found in what is masked in a field");
}

fn with_placeholders(text: &str, found: &[Finding]) -> String {
    let mut masked = String::new();
    let mut copied = 0;
    for finding in found {
        masked.push_str(&text[copied..finding.range.start]);
        masked.push_str(finding.kind.placeholder());
        copied = finding.range.end;
    }
    masked.push_str(&text[copied..]);
    masked
}

/// Who shows a part of a text, and looks as far ahead as the detector says, shows nothing that is
/// found in the whole.
fn check_cut(detector: &Detector, text: &str) {
    let shown = text.floor_char_boundary(text.len() / 2);
    let seen = text.floor_char_boundary(shown + detector.look_ahead_bytes());
    if seen == text.len() {
        return;
    }
    let hidden: Vec<Finding> = detector.find(&text[..seen]).collect();
    for finding in detector.find(text) {
        let start = finding.range.start;
        assert!(
            start >= shown || hidden.iter().any(|finding| finding.range.contains(&start)),
            "a cut hides a finding"
        );
    }
}

/// In a JSON text, the value of a member is what it is alone.
fn check_json(detector: &Detector, name: &str, text: &str) {
    let json = serde_json::json!({ name: [text] }).to_string();
    let found = detector.find_in_json(json.as_bytes());
    let found: Vec<JsonFinding> = found.collect::<Result<_, _>>().expect("it is JSON");
    let in_text =
        |found: &JsonFinding| (found.part == JsonPart::Text).then(|| found.finding.clone());
    let in_text: Vec<Finding> = found.iter().filter_map(in_text).collect();
    let alone: Vec<Finding> = detector.find_named(name, text).collect();
    assert_eq!(in_text, alone, "JSON hides something, or adds to it");
}

fn check_time(unit: &str) {
    if unit.is_empty() {
        return;
    }
    let text = unit.repeat(REPEATED_BYTES.div_ceil(unit.len()));
    let start = processor_time();
    let found: Vec<Finding> = EVERYTHING.find(&text).collect();
    let took = processor_time() - start;
    assert!(took < MOST_TIME, "{} bytes take {took:?}", text.len());
    check_findings(&EVERYTHING, &text, &found);
}

/// Of this thread: another program on the machine does not count.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("it counts from zero")
}

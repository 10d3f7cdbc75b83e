//! Each rule of W3C Trace Context, section 3.2, with what it lets through and what not.

use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn read(lines: &[&str]) -> Option<SpanContext> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(TRACE_PARENT, line.parse().unwrap());
    }
    remote_span(&headers)
}

#[test]
fn a_parent_of_any_version_is_found() {
    for (text, is_sampled) in [
        (format!("00-{TRACE}-{PARENT}-00"), false),
        (format!("00-{TRACE}-{PARENT}-01"), true),
        // Flags that are not known are not read.
        (format!("00-{TRACE}-{PARENT}-02"), false),
        (format!("00-{TRACE}-{PARENT}-ff"), true),
        (format!("01-{TRACE}-{PARENT}-01"), true),
        (
            format!("cc-{TRACE}-{PARENT}-01-what-the-future-brings"),
            true,
        ),
        (format!("fe-{TRACE}-{PARENT}-00-"), false),
    ] {
        let span = read(&[&text]).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(span.trace_id().to_string(), TRACE, "{text}");
        assert_eq!(span.span_id().to_string(), PARENT, "{text}");
        assert_eq!(span.is_sampled(), is_sampled, "{text}");
        assert!(span.is_remote(), "{text}");
    }
}

#[test]
fn a_malformed_parent_is_ignored() {
    let zeros = "0".repeat(32);
    for text in [
        String::new(),
        "00".to_owned(),
        TRACE.to_owned(),
        format!("00-{TRACE}-{PARENT}"),
        format!("00-{TRACE}-{PARENT}-"),
        format!("00-{TRACE}-{PARENT}-1"),
        format!("00-{TRACE}-{PARENT}-001"),
        format!("00-{TRACE}-{PARENT}-01-"),
        format!("00-{TRACE}-{PARENT}-01-00"),
        format!("00-{TRACE}-{PARENT}-0g"),
        format!("00-{TRACE}-{PARENT}-+1"),
        format!("00-{TRACE}-{PARENT}-0A"),
        format!("0-{TRACE}-{PARENT}-01"),
        format!("000-{TRACE}-{PARENT}-01"),
        format!("0x-{TRACE}-{PARENT}-01"),
        format!("FE-{TRACE}-{PARENT}-01"),
        format!("ff-{TRACE}-{PARENT}-01"),
        format!("cc-{TRACE}-{PARENT}-01.more"),
        format!("cc-{TRACE}-{PARENT}-011"),
        format!("00_{TRACE}-{PARENT}-01"),
        format!("00-{TRACE}_{PARENT}-01"),
        format!("00-{TRACE}-{PARENT}_01"),
        format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
        format!("00-{TRACE}-{}-01", PARENT.to_uppercase()),
        format!("00-{}-{PARENT}-01", &TRACE[1..]),
        format!("00-0{TRACE}-{PARENT}-01"),
        format!("00-{TRACE}-{}-01", &PARENT[1..]),
        format!("00-{TRACE}-0{PARENT}-01"),
        format!("00-{zeros}-{PARENT}-01"),
        format!("00-{TRACE}-{}-01", &zeros[..16]),
        format!("00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01"),
        format!("00- {}-{PARENT}-01", &TRACE[1..]),
    ] {
        assert!(read(&[&text]).is_none(), "{text}");
    }
}

#[test]
fn two_parents_are_none() {
    let one = format!("00-{TRACE}-{PARENT}-01");
    let other = format!("00-{}-{PARENT}-01", "1".repeat(32));
    for lines in [[&*one, &*other], [&one, &one], [&one, ""], ["", &one]] {
        assert!(read(&lines).is_none(), "{lines:?}");
    }
}

/// What this reads, the reader of the OpenTelemetry SDK, which reads more, reads in the same way.
#[test]
fn a_reader_that_is_less_strict_agrees() {
    use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt as _};
    for flags in ["00", "01", "02", "03"] {
        let text = format!("00-{TRACE}-{PARENT}-{flags}");
        let map = std::collections::HashMap::from([(TRACE_PARENT.to_string(), text.clone())]);
        let theirs = TraceContextPropagator::new().extract_with_context(&Context::new(), &map);
        let ours = read(&[&text]).unwrap();
        assert_eq!(&ours, theirs.span().span_context());
    }
}

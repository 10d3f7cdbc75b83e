//! What an event may say of itself.

use serde_json::json;

use super::*;
use crate::{json::Reader, quality::Reason};

fn parsed(change: Value) -> Result<Parsed, Rejection> {
    let mut members = json!({
        "specversion": "1.0", "type": "page.viewed", "source": "s", "id": "1", "data": { "url": "u" }
    });
    for (name, value) in change.as_object().unwrap() {
        members[name] = value.clone();
    }
    let mut origin = Origin {
        index: 0,
        id: None,
        schema: None,
        text: bytes::Bytes::new(),
    };
    event(read(&members), &mut origin)
}

fn read(members: &Value) -> Box<Members> {
    let text = members.to_string();
    let object = Reader::new(text.as_bytes()).unwrap().into_object();
    object.unwrap().value.unwrap().unwrap()
}

#[test]
fn sources_are_uri_references() {
    for source in [
        "arn:aws:sqs:eu-central-1:043455440429:antoineco",
        "s",
        "shop/web",
        "/",
        "//host/a",
        "?q",
        "#f",
        "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "mailto:",
        "http://[::1]:80/",
        "a%20b",
        "https://user@h.example:/p?a=b&c[]#f".trim_end_matches("[]#f"),
        "tag:x,2026:y",
        "*",
        "..",
        "a=b;c",
    ] {
        assert!(parsed(json!({ "source": source })).is_ok(), "{source}");
    }
    for source in [
        "",
        "http://[::1",
        "http://[::1]x",
        "http://a:b/",
        "1:2",
        ":",
        "a b",
        "a%2",
        "a%zz",
        "a\"b",
        "<a>",
        "a|b",
        "a\\b",
        "a^b",
        "a`b",
        "{a}",
        "ü",
        "a\u{a0}",
        "a\n",
        "\u{0}",
        "a##b",
        "[",
        &"a".repeat(513),
    ] {
        let rejection = parsed(json!({ "source": source })).unwrap_err();
        assert_eq!(rejection.reason, Reason::EnvelopeInvalidSource, "{source}");
    }
}

#[test]
fn names_and_values_of_extensions_are_those_of_the_type_system() {
    for (name, value) in [
        ("a", json!("")),
        (
            "traceparent",
            json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ),
        ("0", json!(true)),
        ("abcdefghijklmnopqrstuvwxyz", json!(false)),
        ("n", json!(2_147_483_647)),
        ("n", json!(-2_147_483_648_i64)),
        ("n", json!(null)),
        ("WHATEVER", json!(null)),
    ] {
        assert!(
            parsed(json!({ name: value.clone() })).is_ok(),
            "{name} {value}"
        );
    }
    for (name, value) in [
        ("", json!("x")),
        ("traceParent", json!("x")),
        ("trace_parent", json!("x")),
        ("trace-parent", json!("x")),
        ("ü", json!("x")),
        ("a b", json!("x")),
        ("n", json!(2_147_483_648_i64)),
        ("n", json!(-2_147_483_649_i64)),
        ("n", json!(1.5)),
        ("n", json!(1e3)),
        ("n", json!([])),
        ("n", json!({})),
        ("n", json!("a\u{1}")),
        ("n", json!("a\u{85}")),
        ("n", json!("a\u{ffff}")),
        ("n", json!("a\u{fdd0}")),
        ("subject", json!("")),
        ("subject", json!(7)),
        ("subject", json!("a\u{7f}")),
        ("datacontenttype", json!("json")),
        ("datacontenttype", json!(["application/json"])),
        ("dataschema", json!("/2")),
        ("dataschema", json!("schemas/2")),
        ("dataschema", json!("")),
        ("dataschema", json!(2)),
        ("dataschema", json!("https://a b/2")),
        ("dataschema", json!("+2")),
    ] {
        let rejection = parsed(json!({ name: value.clone() })).unwrap_err();
        assert_eq!(
            rejection.reason,
            Reason::EnvelopeInvalidAttribute,
            "{name} {value}"
        );
    }
    let misspelt = parsed(json!({ "trace_parent": "x" })).unwrap_err().detail;
    assert!(
        misspelt.contains("perhaps `traceparent` is meant"),
        "{misspelt}"
    );
    let unknown = parsed(json!({ "Canary7Q": "x" })).unwrap_err().detail;
    assert!(!unknown.contains("Canary7Q"), "{unknown}");
}

#[test]
fn a_version_is_the_end_of_a_path() {
    for (schema, version) in [
        ("2", 2),
        ("2.json", 2),
        ("https://shop.example/page.viewed/2", 2),
        ("https://shop.example/page.viewed/2.json", 2),
        ("https://shop.example/2?x=/3#/4", 2),
        ("urn:acme:page.viewed/2", 2),
    ] {
        let parsed = parsed(json!({ "dataschema": schema })).unwrap();
        assert_eq!(parsed.envelope.unwrap().version, version, "{schema}");
    }
    for schema in [
        "https://shop.example/page.viewed",
        "https://shop.example/+2",
        "urn:acme:2",
        "99999999999:",
    ] {
        assert!(parsed(json!({ "dataschema": schema })).is_err(), "{schema}");
    }
}

#[test]
fn data_in_base64_is_read_like_any_other() {
    // {"url":"u"}
    const URL: &str = "eyJ1cmwiOiJ1In0=";
    let binary = |content_type: Value, encoded: &str| {
        parsed(json!({ "data": null, "datacontenttype": content_type, "data_base64": encoded }))
    };
    // An explicit null is data too.
    assert!(binary(json!(null), URL).is_err());
    let binary = |content_type: Value, encoded: Value| {
        let members = json!({
            "type": "page.viewed", "source": "s", "id": "1", "datacontenttype": content_type,
            "data_base64": encoded
        });
        let mut attributes = Attributes::new(read(&members));
        data::take(&mut attributes).map_err(|rejection| rejection.reason)
    };
    for content_type in ["application/json", "Application/Vnd.x+JSON;v=1"] {
        assert_eq!(
            binary(json!(content_type), json!(URL)),
            Ok(json!({ "url": "u" }))
        );
    }
    for (content_type, encoded, reason) in [
        ("text/plain", URL, Reason::EnvelopeInvalidData),
        ("application/octet-stream", URL, Reason::EnvelopeInvalidData),
        (
            "application/json; charset=utf-16",
            URL,
            Reason::EnvelopeInvalidData,
        ),
        (
            "application/json",
            "eyJ1cmwiOiJ1In0",
            Reason::EnvelopeInvalidData,
        ),
        (
            "application/json",
            "eyJ1cmwi\nOiJ1In0=",
            Reason::EnvelopeInvalidData,
        ),
        (
            "application/json",
            " eyJ1cmwiOiJ1In0=",
            Reason::EnvelopeInvalidData,
        ),
        (
            "application/json",
            "eyJ1cmwiOiJ-In0=",
            Reason::EnvelopeInvalidData,
        ),
        (
            "application/json",
            "eyJ1cmwiOiJ1In1=",
            Reason::EnvelopeInvalidData,
        ),
        ("application/json", "", Reason::ParseJson),
        ("application/json", "eyJ1cmwiOiJ1", Reason::ParseJson),
        ("application/json", "/w==", Reason::ParseUtf8),
        (
            "application/json",
            "eyJhIjoxLCJhIjoyfQ==",
            Reason::ParseRepeatedName,
        ),
        ("application/json", "MWU5OTk=", Reason::ParseNumber),
    ] {
        assert_eq!(
            binary(json!(content_type), json!(encoded)),
            Err(reason),
            "{encoded}"
        );
    }
    assert_eq!(
        binary(json!("application/json"), json!(7)),
        Err(Reason::EnvelopeInvalidData)
    );
}

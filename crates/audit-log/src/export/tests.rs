//! Exports of one leaf, as others would write them, and the bounds of all.

use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::event::{Leaf, MAX_LEAF_BYTES, Timestamp};

const LEAF: &str = r#"{"v":1,"n":0,"tn":0,"id":"0198c0de-0000-7000-8000-000000000000","time":"2026-01-02T03:04:05.678901Z","tenant":"tenant-7","action":"lead.read","activity":"read","actor":{"type":"api_key","id":"k7Qm2ZpX"},"resources":[{"type":"lead","id":"0198c0de-0000-7000-8000-0000000000aa"}],"count":1,"fields":["lead.email","lead.phone"],"reason":{"code":"support","ref":"T-1042"},"outcome":"success","delivery":"must","trace":"4bf92f3577b34da6a3ce929d0e0e4736","span":"00f067aa0ba902b7","node":"a","personal":"Xy7OS1rx35-NECy0ym9_5UCiZdZj9ttYKUXE8q7V550"}"#;

fn ocsf() -> Ocsf {
    Ocsf::new(Product::new("Example", "ingest-server", "0.1.0").unwrap())
}

fn leaf() -> Leaf<'static> {
    Leaf::parse(LEAF.as_bytes()).unwrap()
}

#[test]
fn a_read_is_api_activity() {
    let event = json!({
        "class_uid": 6003, "category_uid": 6, "activity_id": 2, "type_uid": 600_302,
        "time": 1_767_323_045_678_u64, "severity_id": 1, "message": "lead.read success",
        "status_id": 1, "status_code": "success",
        "metadata": {
            "version": "1.8.0", "log_name": "audit", "log_version": "1", "sequence": 0,
            "uid": "0198c0de-0000-7000-8000-000000000000",
            "original_event_uid": "0198c0de-0000-7000-8000-000000000000",
            "event_code": "lead.read", "tenant_uid": "tenant-7", "profiles": ["trace"],
            "product": { "vendor_name": "Example", "name": "ingest-server", "version": "0.1.0" },
        },
        "actor": { "user": { "uid": "k7Qm2ZpX", "type_id": 4, "type": "Service" } },
        "api": { "operation": "lead.read", "service": { "name": "ingest-server" } },
        "src_endpoint": { "name": "withheld" },
        "dst_endpoint": { "uid": "a" },
        "resources": [{ "type": "lead", "uid": "0198c0de-0000-7000-8000-0000000000aa", "role_id": 1 }],
        "trace": { "uid": "4bf92f3577b34da6a3ce929d0e0e4736" },
        "unmapped": {
            "tn": 0, "activity": "read", "count": 1, "delivery": "must", "node": "a",
            "fields": ["lead.email", "lead.phone"], "reason": { "code": "support", "ref": "T-1042" },
            "personal": "Xy7OS1rx35-NECy0ym9_5UCiZdZj9ttYKUXE8q7V550", "span": "00f067aa0ba902b7",
        },
    });
    assert_eq!(ocsf().event(&leaf()), event);
    let mut line = Vec::new();
    ocsf().write_line(&leaf(), &mut line);
    assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(serde_json::from_slice::<Value>(&line).unwrap(), event);
}

#[test]
fn an_urgent_finding_is_of_high_severity() {
    for (code, severity) in [("bulk", 4), ("break_glass", 4), ("hour", 3), ("support", 3)] {
        let text = LEAF
            .replace("lead.read", "audit.suspicious")
            .replace("\"support\"", &format!("\"{code}\""));
        let event = ocsf().event(&Leaf::parse(text.as_bytes()).unwrap());
        assert_eq!(
            (&event["class_uid"], &event["severity_id"]),
            (&json!(2004), &json!(severity))
        );
        assert_eq!(event["finding_info"]["types"], json!([code]));
    }
}

#[test]
fn the_longest_name_decides_the_class() {
    let map = ClassMap::new();
    for (action, class) in [
        ("lead.read", OcsfClass::ApiActivity),
        ("audit.read", OcsfClass::ApiActivity),
        ("audit.suspicious", OcsfClass::DetectionFinding),
        ("sign_in", OcsfClass::Authentication),
        ("session.begin", OcsfClass::Authentication),
        ("sessions", OcsfClass::ApiActivity),
        ("api_key.issue", OcsfClass::EntityManagement),
        ("elevation.request", OcsfClass::UserAccess),
    ] {
        assert_eq!(map.class_of(action), class, "{action}");
    }
    let map = map
        .with("api_key.rotate", OcsfClass::UserAccess)
        .with("lead", OcsfClass::EntityManagement);
    assert_eq!(map.class_of("api_key.rotate"), OcsfClass::UserAccess);
    assert_eq!(map.class_of("api_key.issue"), OcsfClass::EntityManagement);
    assert_eq!(map.class_of("lead.read"), OcsfClass::EntityManagement);
    let map = map.with("lead", OcsfClass::ApiActivity);
    assert_eq!(map.class_of("lead.read"), OcsfClass::ApiActivity);
}

#[test]
fn a_syslog_message_is_framed_by_its_octets() {
    let syslog = Syslog::new(ocsf());
    let message = syslog.message(&leaf());
    let (head, event) = message.split_once("] ").unwrap();
    assert_eq!(
        head,
        r#"<109>1 2026-01-02T03:04:05.678901Z a ingest-server audit 0 [audit@32473 n="0" tenant="tenant-7""#
    );
    assert_eq!(
        serde_json::from_str::<Value>(event).unwrap(),
        ocsf().event(&leaf())
    );
    let mut frames = Vec::new();
    syslog.write_frame(&leaf(), &mut frames);
    syslog.write_frame(&leaf(), &mut frames);
    let one = format!("{} {message}", message.len());
    assert_eq!(frames, format!("{one}{one}").into_bytes());
    let other = syslog.enterprise(4_711).message(&leaf());
    assert!(other.contains("[audit@4711 n="), "{other}");
}

#[test]
fn an_otlp_request_has_a_record_for_each_leaf() {
    let endpoint = Endpoint::parse("https://otel.example/v1/logs").unwrap();
    let otlp = Otlp::new(ocsf(), endpoint.clone());
    let request = otlp.request([&leaf(), &leaf()]);
    assert_eq!(
        (request.method(), request.uri()),
        (&Method::POST, endpoint.uri())
    );
    assert_eq!(request.headers()["content-type"], "application/json");
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    let records = &body["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
    assert_eq!(records.as_array().unwrap().len(), 2);
    let record = &records[0];
    assert_eq!(record["timeUnixNano"], "1767323045678901000");
    assert_eq!(record["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(record["spanId"], "00f067aa0ba902b7");
    let event = record["body"]["stringValue"].as_str().unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(event).unwrap(),
        ocsf().event(&leaf())
    );
}

/// The example of the specification's own libraries.
#[test]
fn a_signature_is_that_of_standard_webhooks() {
    let secret = || "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let sign = |secrets: WebhookSecrets| {
        let body = br#"{"test": 2432232314}"#;
        secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)
    };
    assert_eq!(sign(WebhookSecrets::new(secret())), signature);
    let two = WebhookSecrets::new(secret()).with_previous(secret());
    assert_eq!(sign(two), format!("{signature} {signature}"));
}

#[test]
fn a_webhook_has_the_leaf_in_it_byte_for_byte() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
    let endpoint = Endpoint::parse("https://siem.example/hook").unwrap();
    let webhook = Webhook::new(endpoint, WebhookSecrets::new(secret));
    let time = Timestamp::from_unix_micros(1_767_323_046_999_999).unwrap();
    let entry = Entry::parse(LEAF.as_bytes()).unwrap();
    let request = webhook.request(&entry, time);
    let text = format!(
        r#"{{"type":"lead.read","timestamp":"2026-01-02T03:04:05.678901Z","data":{LEAF}}}"#
    );
    assert_eq!(request.body(), text.as_bytes());
    let headers = request.headers();
    assert_eq!(
        headers["webhook-id"],
        "msg_0198c0de-0000-7000-8000-000000000000"
    );
    assert_eq!(headers["webhook-timestamp"], "1767323046");
    assert!(
        headers["webhook-signature"]
            .to_str()
            .unwrap()
            .starts_with("v1,")
    );
    assert_eq!(headers["content-type"], "application/json");
}

#[test]
fn the_longest_leaf_is_a_webhook_of_20_kb_at_most() {
    // With all that stands around it, the longest action among it.
    let around = r#"{"type":"","timestamp":"2026-01-02T03:04:05.678901Z","data":}"#.len() + 64;
    assert_eq!(MAX_WEBHOOK_BYTES, 20_000);
    assert!(MAX_LEAF_BYTES + around <= MAX_WEBHOOK_BYTES);
}

/// What is in an event twice, in as many pieces as there can be: fields are privileges, and references events.
#[test]
fn the_longest_exports_have_a_bound() {
    let fields = LEAF.replace("lead.read", "role.change").replace(
        r#"["lead.email","lead.phone"]"#,
        &format!("[{}]", ["\"a\""; 3_900].join(",")),
    );
    let id = "\"0198c0de-0000-7000-8000-000000000000\"";
    let refs = LEAF.replace("lead.read", "audit.suspicious").replace(
        r#""delivery":"must""#,
        &format!(r#""delivery":"must","refs":[{}]"#, [id; 400].join(",")),
    );
    let otlp = Otlp::new(
        ocsf(),
        Endpoint::parse("https://otel.example/v1/logs").unwrap(),
    );
    for text in [fields, refs] {
        assert!(
            text.len() > 16_000 && text.len() <= MAX_LEAF_BYTES,
            "{}",
            text.len()
        );
        let leaf = Leaf::parse(text.as_bytes()).unwrap();
        let message = Syslog::new(ocsf()).message(&leaf);
        assert!(message.len() <= 40_000, "{}", message.len());
        let record = otlp.request([&leaf]).into_body();
        assert!(record.len() <= 60_000, "{}", record.len());
        let records = otlp.request([&leaf; 64]).into_body();
        assert!(records.len() <= 4_000_000, "{}", records.len());
    }
}

#[test]
fn secrets_have_24_to_64_bytes_and_are_not_shown() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let parse = |bytes: usize| {
        let text = format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        text.parse::<WebhookSecret>().map(drop)
    };
    for (bytes, is_one) in [
        (0, false),
        (23, false),
        (24, true),
        (64, true),
        (65, false),
        (66, false),
        (67, false),
    ] {
        assert_eq!(
            parse(bytes),
            if is_one { Ok(()) } else { Err(InvalidSecret) },
            "{bytes}"
        );
    }
    let base64 = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    for text in [
        base64.to_owned(),
        format!("whsec_{base64} "),
        format!("whsec_{base64}="),
    ] {
        assert!(text.parse::<WebhookSecret>().is_err(), "{text}");
    }
    let secret: WebhookSecret = format!("whsec_{base64}").parse().unwrap();
    let shown = format!(
        "{secret:?} {:?} {InvalidSecret}",
        WebhookSecrets::new(format!("whsec_{base64}").parse().unwrap())
    );
    assert!(
        !shown.contains("MfKQ") && !shown.contains("49, "),
        "{shown}"
    );
}

#[test]
fn an_endpoint_is_https_and_shows_no_path() {
    for (url, why) in [
        ("", InvalidEndpoint::Malformed),
        ("/audit", InvalidEndpoint::Malformed),
        ("siem.example", InvalidEndpoint::Malformed),
        ("https:///audit", InvalidEndpoint::Malformed),
        ("https://siem.example/#x", InvalidEndpoint::Malformed),
        ("https://siem.example/a b", InvalidEndpoint::Malformed),
        ("http://siem.example/audit", InvalidEndpoint::Scheme),
        ("ftp://siem.example/audit", InvalidEndpoint::Scheme),
        (
            "https://user:secret@siem.example/",
            InvalidEndpoint::Credentials,
        ),
    ] {
        assert_eq!(Endpoint::parse(url), Err(why), "{url}");
    }
    let url = "http://siem.example:8088/services/T0KEN?key=T0KEN";
    let endpoint = Endpoint::dangerous_cleartext(url).unwrap();
    assert_eq!(endpoint.uri(), url);
    assert_eq!(
        format!("{endpoint:?}"),
        "Endpoint(http://siem.example:8088/…)"
    );
}

#[test]
fn a_product_is_named_by_words() {
    assert!(Product::new("v", "n", &"1".repeat(48)).is_ok());
    for (vendor, name, version, member) in [
        ("", "n", "1", "vendor"),
        ("v", "a name", "1", "name"),
        ("v", "näme", "1", "name"),
        ("v", "n", "1\n", "version"),
    ] {
        let error = Product::new(vendor, name, version).unwrap_err();
        assert_eq!(error.member, member);
    }
    assert!(Product::new("v", &"n".repeat(49), "1").is_err());
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,80}") {
        let _ = text.parse::<WebhookSecret>();
        let _ = format!("whsec_{text}").parse::<WebhookSecret>();
        let _ = Endpoint::dangerous_cleartext(&text);
        let _ = Product::new(&text, &text, &text);
    }
}

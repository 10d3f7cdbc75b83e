//! Personal data that is not written as people read it: refused wherever an event has text or a
//! number, and found nowhere afterwards, neither as it was sent nor as it reads.

use aho_corasick::AhoCorasick;
use fluent_uri::UriRef;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::{
    forms,
    harness::{ALL_SCOPES, Data, Key, Server, count},
};

/// One of each kind, as people write it.
const CANARIES: [&str; 8] = [
    "canary.q7x@sealed-mail.example",
    "+44 20 7946 0958",
    "529.982.247-25",
    "11.222.333/0001-81",
    "536-22-8714",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "pcl_Zk3aB9xQ7vT2mN5cR8sW1yU4",
];
/// The same by what gives it away whatever stands between.
const RUNS: [&str; 6] = [
    "442079460958",
    "52998224725",
    "11222333000181",
    "536228714",
    "4111111111111111",
    "DE89370400440532013000",
];
/// Addresses that are unusual already as they are.
const ADDRESSES: [&str; 4] = [
    "\"canary q7x\"@sealed-mail.example",
    "\"canary@q7x\"@sealed-mail.example",
    "canary.q7x@[192.0.2.7]",
    "canary.q7x@[IPv6:2001:db8::7]",
];

type Form = (&'static str, fn(&str) -> String);

const FORMS: [Form; 15] = [
    ("plain", str::to_owned),
    ("percent", |text| {
        percent(text, |c| !c.is_ascii_alphanumeric())
    }),
    ("percent, all of it", |text| percent(text, |_| true)),
    ("double percent", |text| {
        percent(text, |c| !c.is_ascii_alphanumeric()).replace('%', "%25")
    }),
    ("decimal entities", |text| {
        replaced(text, |c| format!("&#{};", u32::from(c)))
    }),
    ("hexadecimal entities", |text| {
        replaced(text, |c| format!("&#x{:x};", u32::from(c)))
    }),
    ("named entities", |text| {
        let named = text.replace('@', "&commat;").replace('.', "&period;");
        named.replace('+', "&plus;").replace(' ', "&nbsp;")
    }),
    ("full-width", |text| {
        let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).filter(|_| c.is_ascii_graphic());
        text.chars().map(|c| wide(c).unwrap_or(c)).collect()
    }),
    ("Arabic digits", |text| digits_from(text, '\u{660}')),
    ("Devanagari digits", |text| digits_from(text, '\u{966}')),
    ("mathematical digits", |text| digits_from(text, '\u{1d7ec}')),
    ("zero-width space", |text| between(text, '\u{200b}')),
    ("soft hyphen", |text| between(text, '\u{ad}')),
    ("no-break space", |text| text.replace(' ', "\u{a0}")),
    // In an address or a key it would be another one.
    ("en dash", |text| {
        let separated = text.replace([' ', '-'], "\u{2013}");
        if text.contains(['@', '_']) {
            text.to_owned()
        } else {
            separated
        }
    }),
];

fn percent(text: &str, needs: impl Fn(char) -> bool) -> String {
    let escaped = |c: char| {
        if needs(c) {
            format!("%{:02X}", u32::from(c))
        } else {
            c.into()
        }
    };
    text.chars().map(escaped).collect()
}

fn replaced(text: &str, write: impl Fn(char) -> String) -> String {
    let one = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.into()
        } else {
            write(c)
        }
    };
    text.chars().map(one).collect()
}

/// The digits of a script with this zero, where a digit is one and no letter of a name or a key.
fn digits_from(text: &str, zero: char) -> String {
    if text.contains(['@', '_']) {
        return text.to_owned();
    }
    let digit = |c: char| char::from_u32(u32::from(zero) + c.to_digit(10)?);
    text.chars().map(|c| digit(c).unwrap_or(c)).collect()
}

/// Beside an `@`, otherwise behind the second character and before the last.
fn between(text: &str, unseen: char) -> String {
    if text.contains('@') {
        return text.replace('@', &format!("{unseen}@{unseen}"));
    }
    let mut text: Vec<_> = text.chars().collect();
    text.insert(text.len() - 1, unseen);
    text.insert(2, unseen);
    text.into_iter().collect()
}

/// Each value in each form that changes it.
fn encoded() -> Vec<(&'static str, String)> {
    let canaries = FORMS.iter().flat_map(|(name, write)| {
        let values = CANARIES.iter().chain(&ADDRESSES);
        values.filter_map(|value| {
            let text = write(value);
            (text != *value || *name == "plain").then_some((*name, text))
        })
    });
    canaries.collect()
}

/// Where an event has text, and an event that has it there.
type Position = (&'static str, fn(&str) -> Value);

const PLACES: [Position; 8] = [
    ("data", |text| json!({ "data": { "note": text } })),
    (
        "data, in prose",
        |text| json!({ "data": { "note": format!("sent to {text} today") } }),
    ),
    (
        "data, deeper",
        |text| json!({ "data": { "a": [{ "b": [text] }] } }),
    ),
    ("object key", |text| json!({ "data": { text: true } })),
    ("id", |text| json!({ "id": text, "data": {} })),
    (
        "source",
        |text| json!({ "source": format!("/u/{text}"), "data": {} }),
    ),
    ("subject", |text| json!({ "subject": text, "data": {} })),
    ("extension", |text| json!({ "comment": text, "data": {} })),
];

fn event(id: usize, of: Value) -> Value {
    let mut event = json!({
        "specversion": "1.0", "type": "anything", "source": "test/web", "id": id.to_string()
    });
    let Value::Object(members) = of else {
        panic!("an event is an object")
    };
    event.as_object_mut().unwrap().extend(members);
    event
}

/// What can be sent there: a source is a URI reference, and nothing else is looked at for what it holds.
fn can_stand(place: &str, text: &str) -> bool {
    place != "source" || UriRef::parse(format!("/u/{text}").as_str()).is_ok()
}

async fn start() -> (Server, Key) {
    let data = Data::new();
    let folder = data.path().with_extension("schemas");
    let schema = folder.join("anything");
    std::fs::create_dir_all(&schema).unwrap();
    std::fs::write(schema.join("1.json"), r#"{"type":"object"}"#).unwrap();
    let mut command = data.command();
    command.env("INGEST_SCHEMA_DIR", &folder);
    let server = Server::start_command(&data, command);
    std::fs::remove_dir_all(folder).unwrap();
    let key = server.issue("acme", &ALL_SCOPES).await;
    (server, key)
}

/// Fails when one of the texts, or what it reads as, is in a file, the metrics or a sample.
async fn assert_nowhere(server: &Server, sent: &[String]) {
    let mut patterns: Vec<Vec<u8>> = sent.iter().map(|text| text.clone().into_bytes()).collect();
    for text in sent {
        // As it stands in JSON.
        let quoted = serde_json::to_string(text).unwrap();
        patterns.push(quoted.trim_matches('"').as_bytes().to_vec());
    }
    let plain = CANARIES
        .iter()
        .chain(&RUNS)
        .chain(&["canary.q7x", "sealed-mail"]);
    patterns.extend(plain.flat_map(|text| forms::forms(text)));
    let search = AhoCorasick::new(&patterns).unwrap();

    let mut haystacks: Vec<(String, Vec<u8>)> = Vec::new();
    for path in [
        "/metrics",
        "/admin/quality",
        "/admin/quality/samples",
        "/admin/quality/report",
    ] {
        let answer = server.admin(Method::GET, path).send().await.unwrap();
        haystacks.push((path.to_owned(), answer.bytes().await.unwrap().to_vec()));
    }
    // The database, its write-ahead log and the logs of the server.
    let files = server.data().files().into_iter();
    haystacks.extend(files.map(|(path, content)| (path.display().to_string(), content)));
    for (place, content) in haystacks {
        let found = search
            .find(&content)
            .map(|found| String::from_utf8_lossy(&patterns[found.pattern()]));
        assert_eq!(found, None, "in {place}");
    }
}

#[tokio::test]
async fn every_form_is_refused_wherever_it_stands_and_found_nowhere() {
    let (server, key) = start().await;
    let mut sent = Vec::new();
    let mut wrong = Vec::new();
    for (place, make) in PLACES {
        let texts = encoded()
            .into_iter()
            .filter(|(_, text)| can_stand(place, text));
        let (names, texts): (Vec<_>, Vec<_>) = texts.unzip();
        let events = texts
            .iter()
            .enumerate()
            .map(|(id, text)| event(id, make(text)));
        let events: Vec<_> = events.collect();
        for (from, batch) in events.chunks(50).enumerate() {
            let answer = server
                .post("/v1/events", &key, &json!(batch))
                .send()
                .await
                .unwrap();
            let answer: Value = answer.json().await.unwrap();
            let mut reasons = vec!["accepted".to_owned(); batch.len()];
            for item in answer["rejected"].as_array().into_iter().flatten() {
                let index = usize::try_from(item["index"].as_u64().unwrap()).unwrap();
                item["reason"]
                    .as_str()
                    .unwrap()
                    .clone_into(&mut reasons[index]);
            }
            for (index, reason) in reasons.iter().enumerate() {
                if reason != "policy.undeclared_pii" {
                    let at = from * 50 + index;
                    wrong.push(format!("{place}, {}: {}: {reason}", names[at], texts[at]));
                }
            }
        }
        sent.extend(texts);
    }
    // One of each form by itself.
    for (name, text) in encoded() {
        let answer = server.post(
            "/v1/events",
            &key,
            &event(0, json!({ "data": { "x": text } })),
        );
        let answer = answer.send().await.unwrap();
        let status = answer.status();
        let problem = answer.text().await.unwrap();
        let refused = status == StatusCode::UNPROCESSABLE_ENTITY
            && problem.contains("policy.undeclared_pii")
            && !problem.contains(&text);
        if !refused {
            wrong.push(format!("alone, {name}: {text}: {status}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(count(server.data(), "event").await, 0);
    assert_nowhere(&server, &sent).await;
    // The file after a stop, when the write-ahead log is in it.
    let data = server.data().clone();
    assert!(server.terminate().success());
    assert_nowhere(&Server::start_on(&data), &sent).await;
}

#[tokio::test]
async fn a_json_number_is_looked_at_by_its_digits_and_the_name_of_its_field() {
    let (server, key) = start().await;
    let numbers = [
        json!({ "n": 4_111_111_111_111_111_u64 }),
        json!({ "n": 52_998_224_725_u64 }),
        json!({ "n": 11_222_333_000_181_u64 }),
        json!({ "cpf": 52_998_224_725_u64 }),
        json!({ "phone": 442_079_460_958_u64 }),
        json!({ "contact": { "mobile": [442_079_460_958_u64] } }),
        json!({ "ssn": 536_228_714 }),
    ];
    for data in numbers {
        let answer = server.post("/v1/events", &key, &event(0, json!({ "data": data })));
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{data}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["reason"], "policy.undeclared_pii", "{data}");
    }
    let innocent = Map::from_iter([
        ("total_cents".to_owned(), json!(1_299)),
        ("created".to_owned(), json!(1_767_225_600_123_u64)),
        ("nanos".to_owned(), json!(1_767_225_600_123_456_789_u64)),
        ("ratio".to_owned(), json!(0.378_282_246_310_005)),
        ("sku".to_owned(), json!(4_006_381_333_931_u64)),
    ]);
    let answer = server.post("/v1/events", &key, &event(1, json!({ "data": innocent })));
    let answer = answer.send().await.unwrap();
    assert_eq!(
        answer.status(),
        StatusCode::ACCEPTED,
        "{}",
        answer.text().await.unwrap()
    );
    assert_nowhere(&server, &[]).await;
}

/// A type is a label of metrics and stands in samples: what has the form of one is nothing that
/// identifies somebody either.
#[tokio::test]
async fn a_type_that_is_personal_data_is_refused_and_found_nowhere() {
    let (server, key) = start().await;
    let types = [
        "52998224725",
        "529.982.247-25",
        "11222333000181",
        "536-22-8714",
        "4111-1111-1111-1111",
        "DE89370400440532013000",
        "pcl_Zk3aB9xQ7vT2mN5cR8sW1yU4",
        "signup.529.982.247-25",
    ];
    for event_type in types {
        let mut event = event(0, json!({ "data": {} }));
        event["type"] = json!(event_type);
        for body in [event.clone(), json!([event])] {
            let answer = server.post("/v1/events", &key, &body).send().await.unwrap();
            let answer = answer.text().await.unwrap();
            assert!(!answer.contains("accepted\":1"), "{answer}");
        }
    }
    assert_eq!(count(server.data(), "event").await, 0);
    assert_nowhere(&server, &types.map(str::to_owned)).await;
}

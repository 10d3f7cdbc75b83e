//! Events and leads that are taken, with personal data in every place that a schema declares, and words in every place
//! that it does not; and the same with personal data where it must not be.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::traffic::Traffic;

/// Words that stand in what is not personal are stored as they come: the control of the search in the database.
pub(super) const PUBLIC: &str = "public: ";

/// What a caller says personal data is read for is put on record.
pub(super) const REASON: &str = "reason: ";

/// Ends of names, a letter less for each person.
const LETTERS: &str = "abcdefghijklmnop";

/// A person, no two alike.
fn person(traffic: &mut Traffic<'_>, whose: &str, number: u8) -> Value {
    let canaries = &mut *traffic.canaries;
    let name = format!("the name of {whose}");
    json!({
        "email": canaries.email(&format!("the e-mail address of {whose}")),
        "phone": canaries.add(&format!("the phone number of {whose}"), &format!("+44207946{:04}", 100 + u32::from(number))),
        "national_id": canaries.add(&format!("the national id of {whose}"), &national_id(number.into())),
        "name": canaries.add(&name, &format!("Canaria Q7x{}", &LETTERS[usize::from(number)..])),
        "address": canaries.add(&format!("the address of {whose}"), &format!("{number} Q7x-Sealed Street")),
    })
}

/// A CPF with its two check digits.
fn national_id(number: u32) -> String {
    let mut digits: Vec<u32> = format!("529{number:06}")
        .bytes()
        .map(|byte| u32::from(byte - b'0'))
        .collect();
    for _ in 0..2 {
        let weights = (2..).take(digits.len());
        let sum: u32 = digits
            .iter()
            .rev()
            .zip(weights)
            .map(|(digit, weight)| digit * weight)
            .sum();
        digits.push((sum * 10) % 11 % 10);
    }
    digits.iter().map(u32::to_string).collect()
}

fn event(traffic: &mut Traffic<'_>, what: &str, event_type: &str, data: &Value) -> Value {
    let mut word = |part: &str| {
        traffic
            .canaries
            .word(&format!("{PUBLIC}the {part} of {what}"))
    };
    json!({
        "specversion": "1.0", "type": event_type, "id": word("id"), "source": format!("test/{}", word("source")),
        "subject": word("subject"), "data": data,
    })
}

/// Everything that is taken.
pub(super) async fn accepted(traffic: &mut Traffic<'_>) -> String {
    let sent = person(traffic, "a lead", 1);
    let answer = traffic.accept(Method::POST, "/v1/leads", &sent).await;
    let id = answer["id"].as_str().unwrap().to_owned();
    let again = person(traffic, "a changed lead", 2);
    let path = format!("/v1/leads/{id}");
    traffic.accept(Method::PATCH, &path, &again).await;

    let mut form = person(traffic, "a form", 3);
    let form = json!({
        "form": traffic.canaries.word(&format!("{PUBLIC}a form")),
        "email": form["email"].take(), "phone": form["phone"].take(),
        "answers": [{
            "question": traffic.canaries.word(&format!("{PUBLIC}a question")),
            "answer": traffic.canaries.text("the answer of a form"),
        }],
    });
    let mut created = person(traffic, "a lead of an event", 4);
    created["notes"] = json!(traffic.canaries.text("the notes of a lead"));
    created["campaign"] = json!(traffic.canaries.word(&format!("{PUBLIC}a campaign")));
    let mut updated = person(traffic, "an updated lead", 5);
    updated["lead"] = json!(id);
    let buyer = person(traffic, "a buyer", 6);
    let purchase = json!({
        "order": traffic.canaries.word(&format!("{PUBLIC}an order")), "currency": "EUR", "total_cents": 100,
        "email": buyer["email"], "address": buyer["address"],
        "items": [{
            "sku": traffic.canaries.word(&format!("{PUBLIC}an article")), "quantity": 1, "price_cents": 100
        }],
    });
    let viewed = json!({ "url": traffic.canaries.word(&format!("{PUBLIC}a URL")) });
    let mut batch = Vec::new();
    for (event_type, data) in [
        ("form.submitted", &form),
        ("lead.created", &created),
        ("lead.updated", &updated),
        ("purchase.completed", &purchase),
        ("page.viewed", &viewed),
    ] {
        batch.push(event(traffic, event_type, event_type, data));
    }
    let answer = traffic
        .accept(Method::POST, "/v1/events", &json!(batch))
        .await;
    assert_eq!(answer["accepted"], 5, "{answer}");
    // What came before, with other content.
    batch[1]["data"]["notes"] = json!(traffic.canaries.text("the notes of a conflict"));
    traffic
        .accept(Method::POST, "/v1/events", &json!(batch))
        .await;
    binary(traffic, &viewed).await;
    looked_up(traffic, &path, &updated).await;
    id
}

/// A lead that is taken and one that is not.
pub(super) async fn of_a_tenant_that_leaves(traffic: &mut Traffic<'_>) {
    let lead = person(traffic, "a lead of a tenant that leaves", 8);
    traffic.accept(Method::POST, "/v1/leads", &lead).await;
    let unknown = traffic.canaries.text("a field of a tenant that leaves");
    let (status, answer) = post(traffic, &json!({ "unknown": unknown })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
}

/// An event whose attributes are header fields.
async fn binary(traffic: &mut Traffic<'_>, data: &Value) {
    let mut request = traffic
        .server
        .request(Method::POST, "/v1/events", &traffic.key);
    request = request
        .header("ce-specversion", "1.0")
        .header("ce-type", "page.viewed");
    for attribute in ["ce-id", "ce-source", "ce-subject"] {
        let word = traffic.canaries.word(&format!("{PUBLIC}{attribute}"));
        request = request.header(attribute, word);
    }
    let (status, answer) = traffic.send("POST /v1/events", request.json(data)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
}

/// Leads are looked for by what they have, read, and shown to who may see them, and that alone.
async fn looked_up(traffic: &mut Traffic<'_>, path: &str, person: &Value) {
    let word = traffic.canaries.word(&format!("{REASON}to read a lead"));
    let address = traffic
        .canaries
        .email("an address in what a lead is read for");
    let reason = format!("{word}, asked by {address}");
    let value = |field: &str| person[field].as_str().unwrap().replace('+', "%2B");
    for path in [
        path.to_owned(),
        format!("/v1/leads?email={}", value("email")),
        format!("/v1/leads?phone={}", value("phone")),
        format!("/v1/leads?national_id={}", value("national_id")),
        "/v1/leads?name=canaria".to_owned(),
    ] {
        let request = traffic.server.request(Method::GET, &path, &traffic.key);
        let answer = request
            .header("x-access-reason", &reason)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        // It is for its caller, and so no output of the others.
        let shown = answer.text().await.unwrap();
        assert!(
            shown.contains(person["email"].as_str().unwrap()),
            "{path}: {shown}"
        );
    }
    // Masked, without a reason.
    let request = traffic.server.request(Method::GET, path, &traffic.key);
    let (status, _) = traffic.send(&format!("GET {path}"), request).await;
    assert_eq!(status, StatusCode::OK);
}

/// Everything that is refused for what it holds, by events and leads.
pub(super) async fn refused(traffic: &mut Traffic<'_>) {
    let undeclared = [
        "id", "source", "subject", "url", "referrer", "visitor", "unknown", "type",
    ];
    for (number, place) in undeclared.into_iter().enumerate() {
        let text = traffic
            .canaries
            .email(&format!("personal data in the {place}"));
        let mut event = json!({
            "type": "page.viewed", "source": "test/web", "id": format!("u{number}"), "data": { "url": "/" }
        });
        match place {
            "id" | "source" | "subject" | "type" => event[place] = json!(text),
            _ => event["data"][place] = json!(text),
        }
        let (status, _) = post(traffic, &event).await;
        assert!(status.is_client_error(), "{place}: {status}");
    }
    let person = person(traffic, "a refused lead", 7);
    for (what, data) in [
        (
            "a wrong type",
            json!({ "email": [person["email"]], "name": person["name"] }),
        ),
        (
            "a wrong form",
            json!({ "email": traffic.canaries.text("an e-mail address that is none") }),
        ),
        (
            "a wrong number",
            json!({ "phone": traffic.canaries.text("a phone number that is none") }),
        ),
        (
            "an unknown member",
            json!({ "email": person["email"], "x": person["phone"] }),
        ),
        (
            "a value that is too long",
            json!({ "name": traffic.canaries.text("a long name").repeat(60) }),
        ),
    ] {
        let event =
            json!({ "type": "lead.created", "source": "test/web", "id": what, "data": data });
        let (status, _) = post(traffic, &event).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{what}");
        let lead = traffic.server.post("/v1/leads", &traffic.key, &data);
        let (status, _) = traffic.send("POST /v1/leads", lead).await;
        assert!(status.is_client_error(), "{what}: {status}");
    }
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let lost = json!({ "type": "lead.updated", "source": "test/web", "id": "lost", "data": {
        "lead": id, "name": person["name"], "phone": person["phone"]
    } });
    post(traffic, &lost).await;
    let request = traffic
        .server
        .request(Method::PATCH, &format!("/v1/leads/{id}"), &traffic.key);
    traffic
        .send("PATCH /v1/leads/{id}", request.json(&person))
        .await;
}

pub(super) async fn post(traffic: &mut Traffic<'_>, event: &Value) -> (StatusCode, String) {
    let request = traffic.server.post("/v1/events", &traffic.key, event);
    traffic.send("POST /v1/events", request).await
}

#[test]
fn national_ids_have_their_check_digits() {
    // 529.982.247-25 is the usual example.
    assert_eq!(national_id(982_247), "52998224725");
}

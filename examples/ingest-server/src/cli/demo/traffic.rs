//! What is sent: web events and leads of invented people, some broken on purpose.

use fake::{
    Fake as _,
    faker::{
        internet::en::{FreeEmailProvider, Username},
        name::en::Name,
    },
};
use rand::{RngExt as _, rngs::StdRng};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::timestamp;

const PAGES: [&str; 6] = ["/", "/shoes", "/shoes/red", "/hats", "/cart", "/contact"];
const CAMPAIGNS: [&str; 3] = ["spring-sale", "newsletter", "partner"];
const SKUS: [(&str, u32); 4] = [
    ("shoe-red-42", 8_900),
    ("shoe-blue-40", 7_900),
    ("hat-felt", 4_500),
    ("sock-wool", 900),
];

/// One good event.
pub(super) fn event(random: &mut StdRng, tenant: &str, now: OffsetDateTime) -> Value {
    let (event_type, data) = match random.random_range(0..100) {
        0..70 => ("page.viewed", page(random, tenant)),
        70..85 => ("form.submitted", form(random)),
        85..93 => ("lead.created", lead(random)),
        _ => ("purchase.completed", purchase(random)),
    };
    json!({
        "specversion": "1.0",
        "type": event_type,
        "source": format!("demo/{tenant}/web"),
        "id": make_id(random),
        "time": timestamp::format(now),
        "data": data,
    })
}

/// The same event as careless integrations send it.
pub(super) fn broken(mut event: Value, random: &mut StdRng) -> Value {
    match random.random_range(0..7) {
        0 => event["data"] = json!({}),
        1 => event["type"] = json!("page.veiwed"),
        2 => event["time"] = json!("9999-12-31T23:59:59Z"),
        3 => {
            event["type"] = json!("page.viewed");
            event["data"] = json!({ "url": 42 });
        }
        4 => {
            event["type"] = json!("page.viewed");
            // An address in a link: personal data where none is declared.
            let url = format!("https://shop.example/unsubscribe?to={}", email(random));
            event["data"] = json!({ "url": url });
        }
        5 => {
            event["type"] = json!("lead.created");
            event["data"] = json!({ "email": "not-an-address" });
        }
        _ => drop(
            event
                .as_object_mut()
                .and_then(|members| members.remove("id")),
        ),
    }
    event
}

/// An event that is always the same.
pub(super) fn heartbeat() -> Vec<Value> {
    vec![json!({
        "type": "page.viewed", "source": "demo/revocation", "id": "1", "data": { "url": "/" }
    })]
}

fn page(random: &mut StdRng, tenant: &str) -> Value {
    let page = PAGES[random.random_range(0..PAGES.len())];
    json!({ "url": format!("https://{tenant}.example{page}") })
}

fn form(random: &mut StdRng) -> Value {
    let answer: String = format!("Please call {}", Name().fake_with_rng::<String, _>(random));
    json!({
        "form": "contact",
        "email": email(random),
        "answers": [{ "question": "How can we help?", "answer": answer }],
    })
}

/// A lead as a campaign brings it.
fn lead(random: &mut StdRng) -> Value {
    let mut lead = person(random);
    lead["campaign"] = json!(CAMPAIGNS[random.random_range(0..CAMPAIGNS.len())]);
    lead["channel"] = json!("web");
    lead
}

/// Somebody invented who is interested.
pub(super) fn person(random: &mut StdRng) -> Value {
    json!({
        "name": Name().fake_with_rng::<String, _>(random),
        "email": email(random),
        "phone": phone(random),
    })
}

fn purchase(random: &mut StdRng) -> Value {
    let (sku, price) = SKUS[random.random_range(0..SKUS.len())];
    let quantity = random.random_range(1..4_u32);
    json!({
        "order": make_id(random),
        "currency": "EUR",
        "total_cents": price * quantity,
        "email": email(random),
        "items": [{ "sku": sku, "quantity": quantity, "price_cents": price }],
    })
}

fn email(random: &mut StdRng) -> String {
    let user: String = Username().fake_with_rng(random);
    let host: String = FreeEmailProvider().fake_with_rng(random);
    format!("{user}@{}.example", host.replace('.', "-"))
}

/// A number of the range that is set apart for drama.
fn phone(random: &mut StdRng) -> String {
    format!("+44 20 7946 0{:03}", random.random_range(0..1_000))
}

fn make_id(random: &mut StdRng) -> String {
    uuid::Builder::from_random_bytes(random.random())
        .into_uuid()
        .to_string()
}

//! Telephone numbers of leads: whose they are, and which are refused.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    cloud_events::answer,
    harness::{ALL_SCOPES, Server},
};

#[tokio::test]
async fn a_number_is_one_however_it_is_written_and_refused_if_it_is_none() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for (given, kept) in [
        ("+7 812 123-45-67", Some("+78121234567")),
        ("+16502530000;ext=136", Some("+16502530000")),
        ("+1 650 253 0000 x136", Some("+16502530000")),
        ("tel:+1-650-253-0000", Some("+16502530000")),
        (
            "\u{202a}+1\u{a0}650\u{a0}253\u{2011}0000\u{202c}",
            Some("+16502530000"),
        ),
        ("+1650\u{200b}2530000", Some("+16502530000")),
        ("\u{ff0b}\u{ff11}6502530000", Some("+16502530000")),
        ("+39 06 1234 5678", Some("+390612345678")),
        ("+44 (0)20 7946 0958", Some("+442079460958")),
        // A digit too many, 16 digits, an emergency number, unknown digits, two numbers.
        ("+97233142764978", None),
        ("+4943373295229663", None),
        ("+1911", None),
        ("+55 11 9XXXX-XXXX", None),
        ("+1 650 253 0000 or 0001", None),
        ("650 253 0000", None),
        ("00 1 650 253 0000", None),
        ("tel:6502530000;phone-context=a.example", None),
    ] {
        let (status, answer) =
            answer(server.post("/v1/leads", &key, &json!({ "phone": given }))).await;
        let Some(kept) = kept else {
            assert_eq!(status, 422, "{given}: {answer}");
            let detail = answer["detail"].as_str().unwrap();
            let wanted = "`/phone` must be a valid phone number in international form";
            assert!(detail.contains(wanted), "{given}: {detail}");
            continue;
        };
        assert_eq!(status, 201, "{given}: {answer}");
        let id = answer["id"].as_str().unwrap();
        let lead: Value = server.read_lead(&key, id).await.json().await.unwrap();
        assert_eq!(lead["phone"], kept, "{given}");
    }
    // Each way of writing it was that number, and so is this.
    let path = "/v1/leads?phone=tel:%2B1(650)253.0000";
    let (status, found) = answer(server.request(Method::GET, path, &key)).await;
    assert_eq!(status, 200, "{found}");
    let leads = found["leads"].as_array().unwrap();
    assert_eq!(leads.len(), 6, "{found}");
    assert!(
        leads.iter().all(|lead| lead["phone"] == "+1***00"),
        "{found}"
    );
}

//! Requirements 5: quality of data.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    bad_input::{cases, send},
    forms::find,
    harness::{ALL_SCOPES, Key, Server, page_view},
};

const EMAIL: &str = "canary.q7x@sealed-mail.example";
/// The closed list of reasons.
const PAGE: &str = include_str!("../../../../../docs/data-quality.md");

async fn quality(server: &Server, path: &str) -> Value {
    let answer = server.admin(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

async fn refused(server: &Server, key: &Key, event: &Value) -> Value {
    let answer = server.post("/v1/events", key, event).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    answer.json().await.unwrap()
}

/// What is refused has a reason of a closed list, which the sender is told and which is counted.
///
/// Also: `e2e::accounting::each_kind_of_bad_input_counts_under_its_own_reason_and_nothing_is_lost`.
#[tokio::test]
async fn r5_1_what_is_refused_has_a_reason_of_a_closed_list() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for case in cases() {
        let reason = case.reason;
        send(&server, &key, case).await;
        assert!(PAGE.contains(&format!("| `{reason}` | ")), "{reason}");
        let counted = format!("dq_rejected_total{{reason=\"{reason}\"}}");
        assert!(server.metrics().await[&counted] >= 1.0, "{reason}");
    }
}

/// Of what is refused a sample is kept that shows its form and no personal data.
///
/// Also: `e2e::sealing::samples_show_no_personal_data_however_broken_the_event_is`.
#[tokio::test]
async fn r5_2_samples_show_the_form_and_no_personal_data() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let event = json!({ "type": "lead.created", "source": "test/web", "id": "1",
        "data": { "email": EMAIL, "name": "Canary Q7x", "phone": 7 } });
    refused(&server, &key, &event).await;
    let samples = quality(&server, "/admin/quality/samples").await.to_string();
    assert!(samples.contains("excerpt"), "{samples}");
    for value in [EMAIL, "Canary Q7x"] {
        assert_eq!(find(samples.as_bytes(), value), None, "{samples}");
    }
}

/// For each tenant it is told what became of its events and how good they were.
///
/// Also: `e2e::quality_history::what_became_of_events_outlives_the_process_and_is_shown_for_days`,
/// `e2e::accounting::received_is_the_sum_of_all_outcomes_after_a_load_with_everything_in_it`.
#[tokio::test]
async fn r5_3_each_tenant_has_its_failures_and_a_score() {
    let server = Server::start();
    let (good, bad) = (
        server.issue("good", &ALL_SCOPES).await,
        server.issue("bad", &ALL_SCOPES).await,
    );
    for id in 0..20 {
        let event = page_view(id);
        let answer = server
            .post("/v1/events", &good, &event)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let mut broken = event;
        broken["data"] = json!({});
        refused(&server, &bad, &broken).await;
    }
    let of =
        async |tenant: &str| quality(&server, &format!("/admin/quality?tenant={tenant}")).await;
    let (good, bad) = (of("good").await, of("bad").await);
    assert_eq!(good["outcomes"]["accepted"], 20);
    assert_eq!(bad["outcomes"]["rejected"], 20);
    let score = |report: &Value| report["score"]["value"].as_f64().unwrap();
    assert!(score(&bad) < score(&good), "{bad} {good}");
}

/// What does not fit its schema is refused with the place, and what no schema is for is told as unplanned.
///
/// Also: `e2e::unplanned_types::a_type_that_nobody_planned_is_neither_label_nor_sample_nor_log`,
/// `e2e::schema_folders::a_schema_is_usable_or_the_place_of_the_fault_is_told`.
#[tokio::test]
async fn r5_4_what_fits_no_schema_is_refused_with_the_place() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut wrong = page_view(1);
    wrong["data"]["url"] = json!(7);
    let problem = refused(&server, &key, &wrong).await;
    assert_eq!(problem["reason"], "schema.type_mismatch");
    assert!(
        problem["detail"].as_str().unwrap().contains("/url"),
        "{problem}"
    );
    let mut unplanned = page_view(2);
    unplanned["type"] = json!("shoes.polished");
    assert_eq!(
        refused(&server, &key, &unplanned).await["reason"],
        "schema.unplanned_event"
    );
}

/// Personal data where no schema declares any is found, and not stored in the clear.
///
/// Also: `e2e::detection::a_policy_holds_at_once_for_its_tenants_and_after_a_restart`,
/// `e2e::encoded_personal_data::every_form_is_refused_wherever_it_stands_and_found_nowhere`.
#[tokio::test]
async fn r5_5_undeclared_personal_data_is_found() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut event = page_view(1);
    event["data"]["url"] = json!(format!("https://shop.example/?mail={EMAIL}"));
    let problem = refused(&server, &key, &event).await;
    assert_eq!(problem["reason"], "policy.undeclared_pii");
    for (path, content) in server.data().files() {
        assert_eq!(find(&content, EMAIL), None, "in {}", path.display());
    }
}

//! Requirements 1: personal data.

use reqwest::{Method, StatusCode};
use ring::hmac;
use serde_json::{Value, json};

use crate::{
    forms::find,
    harness::{ALL_SCOPES, Data, OTHER_SECRET, Server},
};

const EMAIL: &str = "john.smith+a1@example.com";
const PHONE: &str = "+442079460958";

async fn fingerprint(data: &Data) -> Vec<u8> {
    let value = sqlx::query_scalar("SELECT email_fp FROM lead");
    value.fetch_one(&mut data.connect().await).await.unwrap()
}

/// The data keys that there are: purpose, id and state.
fn keys(data: &Data) -> Vec<(String, String, String)> {
    let output = data.run(&["keys", "list", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let keys = lines.lines().map(|line| {
        let key: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        (text("purpose"), text("key"), text("state"))
    });
    // What lies beside the audit log is sealed under a key of its own, too.
    keys.filter(|(purpose, ..)| purpose != "audit").collect()
}

/// E-mail addresses and telephone numbers are sealed at rest (`email_enc`, `phone_enc`): no file has one in the clear.
///
/// Also: `e2e::sealing::personal_data_is_sealed_at_rest_and_comes_back_to_who_may_read_them`,
/// `e2e::server_canaries::nothing_that_comes_in_comes_out_in_production`.
#[tokio::test]
async fn r1_1_email_and_telephone_are_sealed_at_rest() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": EMAIL, "phone": PHONE });
    let id = server.lead(&key, &lead).await;
    let sealed = sqlx::query_as("SELECT email_enc, phone_enc FROM lead WHERE id = ?").bind(&id);
    let sealed: (Vec<u8>, Vec<u8>) = sealed
        .fetch_one(&mut server.data().connect().await)
        .await
        .unwrap();
    for (value, sealed) in [(EMAIL, sealed.0), (PHONE, sealed.1)] {
        assert!(
            sealed.len() > value.len(),
            "a nonce and a tag are there too"
        );
        assert_eq!(find(&sealed, value), None);
        for (path, content) in server.data().files() {
            assert_eq!(find(&content, value), None, "in {}", path.display());
        }
    }
    let opened: Value = server.read_lead(&key, &id).await.json().await.unwrap();
    assert_eq!(
        (&opened["email"], &opened["phone"]),
        (&json!(EMAIL), &json!(PHONE))
    );
}

/// What is searched for and compared is a fingerprint by HMAC-SHA-256 under a key of the tenant, which is derived
/// from a secret with versions; another secret makes other fingerprints.
///
/// Also: `e2e::index_rotation::an_index_root_is_replaced_and_dropped_while_servers_answer`,
/// `e2e::sealing::the_fingerprint_of_an_event_is_the_documented_one`.
#[tokio::test]
async fn r1_2_fingerprints_are_hmac_sha256_under_secrets_with_versions() {
    // As docs/formats.md has it, by another implementation.
    let lp32 = |text: &str| {
        [
            &u32::try_from(text.len()).unwrap().to_be_bytes(),
            text.as_bytes(),
        ]
        .concat()
    };
    let mac = |key: &[u8], text: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
            .as_ref()
            .to_vec()
    };
    let (version, bits) = ([0, 1], [0, 128]);
    let root: Vec<u8> = (0x20..0x40).collect();
    let info = [
        b"portcullis/index/v1\0".as_slice(),
        &lp32("tenant-7"),
        &lp32("lead.email"),
        &lp32("identity"),
        &version,
        &bits,
        &[1],
    ];
    let index_key = mac(&root, &info.concat());
    let tag = mac(&index_key, &[lp32("email/1"), lp32(EMAIL)].concat());
    let expected = [&version, &tag[..16]].concat();

    let server = Server::start();
    let key = server.issue("tenant-7", &ALL_SCOPES).await;
    server.lead(&key, &json!({ "email": EMAIL })).await;
    assert_eq!(fingerprint(server.data()).await, expected);

    let data = Data::new();
    let mut command = data.command();
    command.env("PORTCULLIS_INDEX_ROOTS", OTHER_SECRET);
    let server = Server::start_command(&data, command);
    let key = server.issue("tenant-7", &ALL_SCOPES).await;
    server.lead(&key, &json!({ "email": EMAIL })).await;
    assert_ne!(fingerprint(&data).await, expected);
}

/// Each kind of personal data of each tenant has a key of its own.
///
/// Also: `e2e::data_keys::a_data_key_goes_from_first_to_last_while_servers_answer`,
/// `e2e::tampering::swapped_ciphertexts_are_not_served_and_the_log_says_so_without_data`.
#[tokio::test]
async fn r1_3_each_kind_of_data_has_a_key_of_its_own() {
    let server = Server::start();
    for tenant in ["acme", "globex"] {
        let key = server.issue(tenant, &ALL_SCOPES).await;
        let lead = json!({ "email": EMAIL, "phone": PHONE, "name": "Ada" });
        server.lead(&key, &lead).await;
    }
    let keys = keys(server.data());
    let mut purposes: Vec<_> = keys.iter().map(|(purpose, ..)| purpose.as_str()).collect();
    purposes.sort_unstable();
    assert_eq!(
        purposes,
        ["email", "email", "name", "name", "phone", "phone"]
    );
    let mut ids: Vec<_> = keys.iter().map(|(_, id, _)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6, "{keys:?}");
}

/// Keys have versions, and are replaced while the service answers: what was sealed before still opens.
///
/// Also: `e2e::server_runbook::data_keys::data_keys_are_replaced_and_destroyed`,
/// `e2e::server_rotation::everything_rotates_and_people_are_erased_under_load`.
#[tokio::test]
async fn r1_4_keys_are_replaced_while_the_service_answers() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let before = server.lead(&key, &json!({ "email": EMAIL })).await;
    let rotation = server.admin(Method::POST, "/admin/keys/rotate").send();
    let mut rotation = Box::pin(rotation);
    let mut answered = 0;
    let rotated = loop {
        tokio::select! {
            rotated = &mut rotation => break rotated.unwrap(),
            read = server.read_lead(&key, &before) => {
                assert_eq!(read.status(), StatusCode::OK);
                answered += 1;
            }
        }
    };
    assert_eq!(rotated.status(), StatusCode::OK);
    assert!(answered > 10, "{answered}");
    let after = server
        .lead(&key, &json!({ "email": "ada@example.com" }))
        .await;
    let mut states: Vec<_> = keys(server.data()).into_iter().map(|key| key.2).collect();
    states.sort_unstable();
    assert_eq!(states, ["decrypt-only", "primary"]);
    for (lead, email) in [(before, EMAIL), (after, "ada@example.com")] {
        let opened: Value = server.read_lead(&key, &lead).await.json().await.unwrap();
        assert_eq!(opened["email"], email);
    }
}

/// Somebody is found by a value without its being opened, shown masked unless a reason is stated, and erased when that
/// is asked for.
///
/// Also: `e2e::search::more_than_100_leads_of_one_phone_number_are_read_page_by_page`,
/// `e2e::erasure::an_erased_lead_is_gone_with_what_its_events_hold`,
/// `e2e::erasure::a_restored_backup_brings_nobody_back`.
#[tokio::test]
async fn r1_5_people_are_found_shown_masked_and_erased() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let id = server
        .lead(&key, &json!({ "email": EMAIL, "phone": PHONE }))
        .await;
    let search = || async {
        let found = server.request(Method::GET, "/v1/leads?phone=%2B44+20+79460958", &key);
        let found: Value = found.send().await.unwrap().json().await.unwrap();
        found["leads"].as_array().unwrap().clone()
    };
    let found = search().await;
    assert_eq!((found.len(), &found[0]["masked"]), (1, &json!(true)));
    assert_eq!(find(found[0].to_string().as_bytes(), EMAIL), None);
    let path = format!("/v1/leads/{id}");
    let erase = server.request(Method::DELETE, &path, &key).send().await;
    assert_eq!(erase.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(
        server.read_lead(&key, &id).await.status(),
        StatusCode::NOT_FOUND
    );
    assert!(search().await.is_empty());
}

//! The proof that an entry is in the audit log, verified without the service.

use portcullis_audit_log::{
    event::Leaf,
    note::{KeyName, VerifyingKey},
    proof::TlogProof,
};
use reqwest::{Method, Response, StatusCode, header};
use serde_json::Value;

use crate::harness::{ALL_SCOPES, Server, on_record};

/// What the log is verified with, from another place than the proof.
async fn key(server: &Server) -> (KeyName, Vec<VerifyingKey>) {
    let answer = server.admin(Method::GET, "/admin/audit/status");
    let status: Value = answer.send().await.unwrap().json().await.unwrap();
    let keys = status["keys"].as_array().unwrap().iter();
    let keys = keys.map(|key| key.as_str().unwrap().parse().unwrap());
    (
        status["origin"].as_str().unwrap().parse().unwrap(),
        keys.collect(),
    )
}

async fn file(answer: Response, n: u64) -> Vec<u8> {
    assert_eq!(answer.status(), StatusCode::OK);
    let field = |name| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(field(header::CONTENT_TYPE), "text/plain; charset=utf-8");
    assert_eq!(
        field(header::CONTENT_DISPOSITION),
        format!("attachment; filename=\"{n}.tlog-proof\"")
    );
    answer.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn who_has_the_key_verifies_an_entry_and_no_other() {
    let server = Server::start();
    let key_of_tenant = server.issue("acme", &["audit:read"]).await;
    let (origin, keys) = key(&server).await;
    for event in on_record(&server, "").await {
        let n = event["n"].as_u64().unwrap();
        let path = format!("/admin/audit/events/{n}");
        let one = server.admin(Method::GET, &path).send().await.unwrap();
        let one: Value = one.json().await.unwrap();
        let leaf = one["leaf"].as_str().unwrap();
        let answer = server.admin(Method::GET, &format!("{path}/proof"));
        let text = file(answer.send().await.unwrap(), n).await;
        let proof = TlogProof::parse(&text).unwrap();
        assert_eq!(proof.index(), n);
        assert_eq!(proof.extra(), leaf.as_bytes(), "the entry lies beside it");
        let (checkpoint, _) = proof.verify(leaf.as_bytes(), &origin, &keys).unwrap();
        assert!(checkpoint.size() > n);
        let other = leaf.replacen("\"n\":", "\"n\":1", 1);
        proof.verify(other.as_bytes(), &origin, &keys).unwrap_err();
    }
    // The tenant's own, by what the tenant is given.
    let answer = server.request(Method::GET, "/v1/audit", &key_of_tenant);
    let page: Value = answer.send().await.unwrap().json().await.unwrap();
    let own = page["events"].as_array().unwrap();
    assert!(!own.is_empty());
    for event in own {
        let n = event["n"].as_u64().unwrap();
        let path = format!("/v1/audit/{n}/proof");
        let answer = server.request(Method::GET, &path, &key_of_tenant);
        let text = file(answer.send().await.unwrap(), n).await;
        let proof = TlogProof::parse(&text).unwrap();
        proof.verify(proof.extra(), &origin, &keys).unwrap();
        assert_eq!(Leaf::parse(proof.extra()).unwrap().tenant(), "acme");
    }
}

#[tokio::test]
async fn an_entry_of_another_tenant_is_none() {
    let server = Server::start();
    let acme = server.issue("acme", &["audit:read"]).await;
    server.issue("other", &ALL_SCOPES).await;
    let not_acme = on_record(&server, "").await.into_iter();
    let not_acme = not_acme.filter(|event| event["tenant"] != "acme");
    let numbers = not_acme.map(|event| event["n"].as_u64().unwrap());
    let mut told = Vec::new();
    for n in numbers.chain([1_000_000, u64::MAX]) {
        let path = format!("/v1/audit/{n}/proof");
        let answer = server.request(Method::GET, &path, &acme).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{n}");
        let mut problem: Value = answer.json().await.unwrap();
        problem["trace_id"].take();
        told.push(problem);
    }
    assert!(told.len() > 2);
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    // Nor is it on record as read by who was told nothing.
    assert_eq!(
        on_record(&server, "&action=audit.read&tenant=acme").await,
        [] as [Value; 0]
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_named() {
    let server = Server::start();
    let acme = server.issue("acme", &["audit:read"]).await;
    let without = server.issue("acme", &ALL_SCOPES).await;
    for (request, status, part) in [
        (
            server.admin(Method::GET, "/admin/audit/events/none/proof"),
            StatusCode::BAD_REQUEST,
            "`n`",
        ),
        (
            server.admin(Method::GET, "/admin/audit/events/0/proof?shoe=1"),
            StatusCode::BAD_REQUEST,
            "`shoe`",
        ),
        (
            server.admin(Method::GET, "/admin/audit/events/1000000/proof"),
            StatusCode::NOT_FOUND,
            "no such",
        ),
        (
            server.request(Method::GET, "/v1/audit/-1/proof", &acme),
            StatusCode::BAD_REQUEST,
            "`n`",
        ),
        (
            server.request(Method::GET, "/v1/audit/0/proof?shoe=1", &acme),
            StatusCode::BAD_REQUEST,
            "`shoe`",
        ),
        (
            server.request(Method::GET, "/v1/audit/0/proof", &without),
            StatusCode::FORBIDDEN,
            "audit:read",
        ),
    ] {
        let answer = request.send().await.unwrap();
        let place = answer.url().clone();
        assert_eq!(answer.status(), status, "{place}");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem.to_string().contains(part), "{place}: {problem}");
    }
}

//! What is degraded is told to callers, to operators and to Prometheus alike.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Data, Server, page_view, wait_for},
    lost_spans::Silent,
};

async fn status(server: &Server) -> Value {
    let url = server.public_url("/v1/status");
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

async fn of_operators(server: &Server) -> Vec<Value> {
    let answer = server.admin(Method::GET, "/readyz").send().await.unwrap();
    let ready: Value = answer.json().await.unwrap();
    ready["degraded"].as_array().unwrap().clone()
}

fn named<'a>(degraded: &'a [Value], component: &str) -> Option<&'a Value> {
    degraded.iter().find(|it| it["component"] == component)
}

/// Whether callers are told by now that this part is degraded.
pub(crate) async fn is_degraded(server: &Server, component: &str) -> bool {
    let told = status(server).await;
    named(told["degraded"].as_array().unwrap(), component).is_some()
}

/// Waits until all three tell that this part is degraded, and checks what they say.
pub(crate) async fn wait_for_degraded(server: &Server, component: &str) {
    let gauge = format!("degraded{{component=\"{component}\"}}");
    let (told, operators) = wait_for(component, async || {
        let told = status(server).await;
        let operators = of_operators(server).await;
        let is_told = named(told["degraded"].as_array().unwrap(), component).is_some();
        let is_all = is_told && named(&operators, component).is_some();
        (is_all && server.metrics().await[&gauge] == 1.0).then_some((told, operators))
    })
    .await;
    assert_eq!(told["status"], "degraded", "{told}");
    let for_callers = named(told["degraded"].as_array().unwrap(), component).unwrap();
    let for_operators = named(&operators, component).unwrap();
    let members: Vec<_> = for_callers.as_object().unwrap().keys().collect();
    assert_eq!(members, ["component", "limited", "since"]);
    for member in ["limited", "since"] {
        assert_eq!(for_callers[member], for_operators[member]);
    }
    assert!(for_operators["action"].as_str().unwrap().len() > 20);
    // Callers are told nothing of how the service is built.
    let text = told.to_string().to_lowercase();
    for inside in ["redis", "sqlite", "vault", "kms", "collector", "/readyz"] {
        assert!(!text.contains(inside), "{told}");
    }
}

/// Waits until none of them does any more.
pub(crate) async fn wait_until_well(server: &Server, component: &str) {
    let gauge = format!("degraded{{component=\"{component}\"}}");
    wait_for(component, async || {
        let told = status(server).await;
        let is_told = named(told["degraded"].as_array().unwrap(), component).is_some();
        let is_well = !is_told && named(&of_operators(server).await, component).is_none();
        (is_well && server.metrics().await[&gauge] == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn anyone_may_ask_how_the_service_does_and_no_objective_counts_it() {
    let server = Server::start();
    let before = server.metrics().await;
    for _ in 0..3 {
        let told = status(&server).await;
        assert_eq!(told, json!({ "status": "operational", "degraded": [] }));
    }
    assert_eq!(of_operators(&server).await, Vec::<Value>::new());
    let after = server.metrics().await;
    for (sample, value) in &after {
        if sample.starts_with("slo_requests_total") {
            assert_eq!(*value, before[sample], "{sample}");
        }
    }
}

#[tokio::test]
async fn lost_spans_are_told_for_a_minute() {
    let data = Data::new();
    let collector = Silent::bind();
    let server = Server::start_command(&data, collector.traced(&data));
    let key = server.issue("acme", &ALL_SCOPES).await;
    wait_for("a span that is lost", async || {
        let answer = server.post("/v1/events", &key, &page_view(1)).send().await;
        assert!(answer.unwrap().status().is_success());
        let lost = server.metrics().await["telemetry_spans_dropped_total{reason=\"export\"}"];
        (lost > 0.0).then_some(())
    })
    .await;
    wait_for_degraded(&server, "telemetry_losing").await;
}

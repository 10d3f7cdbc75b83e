//! Requirements 6: dashboards, alerts and objectives.

use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Server, page_view};

const CATALOGUE: &str = include_str!("../../../../../docs/metrics.json");
const DASHBOARDS: [(&str, &str); 6] = [
    (
        "overview",
        include_str!("../../../../../deploy/monitoring/dashboards/overview.json"),
    ),
    (
        "security",
        include_str!("../../../../../deploy/monitoring/dashboards/security.json"),
    ),
    (
        "performance",
        include_str!("../../../../../deploy/monitoring/dashboards/performance.json"),
    ),
    (
        "quality",
        include_str!("../../../../../deploy/monitoring/dashboards/quality.json"),
    ),
    (
        "health",
        include_str!("../../../../../deploy/monitoring/dashboards/health.json"),
    ),
    (
        "slo",
        include_str!("../../../../../deploy/monitoring/dashboards/slo.json"),
    ),
];

/// The names in all queries of a dashboard, of metrics or of anything else.
fn words(dashboard: &Value, words: &mut Vec<String>) {
    match dashboard {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str().filter(|_| name == "expr") {
                    Some(query) => {
                        let is_end =
                            |it: char| !it.is_ascii_alphanumeric() && it != '_' && it != ':';
                        words.extend(query.split(is_end).map(str::to_owned));
                    }
                    None => self::words(member, words),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| self::words(item, words)),
        _ => {}
    }
}

/// There are dashboards of what users notice, of security, performance, quality, health and the objectives, and the
/// service has what they show.
///
/// Also: `ops::server_rules::prometheus_takes_the_rules_and_the_configuration`,
/// `ops::command::tests::nothing_is_refused_of_what_is_committed`.
#[tokio::test]
async fn r6_1_dashboards_show_what_the_service_has() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    server
        .lead(&key, &json!({ "email": "ada@example.com" }))
        .await;
    let batch = json!([page_view(1), { "id": "broken" }]);
    server
        .post("/v1/events", &key, &batch)
        .send()
        .await
        .unwrap();
    let samples = server.metrics().await;
    let catalogue: Vec<Value> = serde_json::from_str(CATALOGUE).unwrap();
    for (dashboard, text) in DASHBOARDS {
        let mut queried = Vec::new();
        words(&serde_json::from_str(text).unwrap(), &mut queried);
        let mut shown = 0;
        for metric in &catalogue {
            let name = metric["name"].as_str().unwrap();
            let is_queried = queried.iter().any(|word| {
                let suffix = word.strip_prefix(name);
                suffix.is_some_and(|it| ["", "_bucket", "_count", "_sum"].contains(&it))
            });
            // Series of others come when something happens.
            if is_queried && metric["at_start"] == "all" {
                let is_there = samples.keys().any(|sample| sample.starts_with(name));
                assert!(is_there, "{name} of the dashboard {dashboard}");
                shown += 1;
            }
        }
        assert!(shown > 0, "{dashboard} shows nothing: {queried:?}");
    }
}

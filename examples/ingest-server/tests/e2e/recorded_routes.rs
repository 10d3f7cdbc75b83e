//! Each route of docs/audit.md is asked once, and leaves what the page says.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Key, Server, on_record, page_view, wait_for};

/// A row of the page: method, path, action or nothing.
pub(crate) fn routes() -> Vec<(Method, String, Option<String>)> {
    let page = include_str!("../../../../docs/audit.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let routes = rows.filter_map(|row| {
        let (route, rest) = row.split_once("` | ")?;
        let (method, path) = route.split_once(' ')?;
        let (action, how) = rest.split_once(" | ")?;
        // The other table of such rows says what is given.
        let is_route = how.starts_with("durable")
            || how.starts_with("when there")
            || how.starts_with("as `")
            || action == "–";
        let action = action.strip_prefix('`').and_then(|it| it.strip_suffix('`'));
        (is_route && path.starts_with('/')).then(|| {
            let method = method.parse().unwrap();
            (method, path.to_owned(), action.map(str::to_owned))
        })
    });
    routes.collect()
}

/// What a path may name: a lead and an entry, both of the key's tenant.
struct Own<'a> {
    key: &'a Key,
    lead: &'a str,
    entry: u64,
}

fn request(server: &Server, own: &Own<'_>, method: &Method, path: &str) -> RequestBuilder {
    let Own { key, lead, entry } = *own;
    let unknown = "wrvbIs64wM9D00107W2ewL";
    let is_changed = *method != Method::GET;
    let kid = if is_changed {
        unknown
    } else {
        key.kid.as_str()
    };
    let given = path
        .replace("{id}", lead)
        .replace("{kid}", kid)
        .replace("{key}", "1")
        .replace("{n}", &entry.to_string())
        .replace("{*path}", "checkpoint")
        .replace(
            "/report",
            if path.contains("audit") {
                "/report?from=2026-01-01"
            } else {
                "/report"
            },
        );
    // Of another lead each time: a unique field belongs to one.
    let address = if *method == Method::PATCH { "c" } else { "b" };
    let person = json!({ "email": format!("{address}@b.example") });
    if given.starts_with("/v1/") {
        let query = if given == "/v1/leads" && *method == Method::GET {
            "?email=a@b.example"
        } else {
            ""
        };
        let request = server.request(method.clone(), &format!("{given}{query}"), key);
        let request = request.header("x-access-reason", "support T-1");
        return match (method.as_str(), path) {
            ("POST", "/v1/events") => request.json(&page_view("one")),
            ("POST" | "PATCH", _) => request.json(&person),
            _ => request,
        };
    }
    let request = server.admin(method.clone(), &given);
    match (method.as_str(), path) {
        ("POST", "/admin/api-keys") => {
            request.json(&json!({ "tenant": "acme", "tier": "free", "scopes": ["events:write"] }))
        }
        ("POST", "/admin/erasures") => request.json(&json!({ "tenant": "nobody-7", "all": true })),
        ("POST", "/admin/audit/erasures") => request.json(&json!({ "event": own.entry })),
        ("POST", "/admin/cache" | "/admin/cache/invalidate") => {
            request.json(&json!({ "all": true }))
        }
        ("POST", _) if path.ends_with("/rotate") && path.contains("index") => {
            request.json(&json!({ "version": 9 }))
        }
        ("PUT", "/admin/limits") => request.json(&ample_limits()),
        ("PUT", _) => request.json(&json!({})),
        _ => request,
    }
}

/// As many requests of operators as a test makes.
pub(crate) fn ample_limits() -> Value {
    let rule = json!({ "address": { "per-second": 1_000, "burst": 1_000 } });
    json!({ "tier": { "operator": { "category": { "admin": rule } } } })
}

#[tokio::test]
async fn each_route_leaves_the_entry_that_the_page_names() {
    let data = Data::new();
    let mut command = data.command();
    command.env("INGEST_AUDIT_WRITES", "each");
    let server = Server::start_command(&data, command);
    let scopes: Vec<&str> = ALL_SCOPES.into_iter().chain(["audit:read"]).collect();
    let key = server.issue("acme", &scopes).await;
    let limits = server.admin(Method::PUT, "/admin/limits");
    let limits = limits.json(&ample_limits()).send().await.unwrap();
    assert_eq!(limits.status(), StatusCode::NO_CONTENT);
    let entry = on_record(&server, "&tenant=acme").await[0]["n"].clone();
    let entry = entry.as_u64().unwrap();
    let routes = routes();
    assert!(routes.len() >= 40, "{}", routes.len());
    for (method, path, action) in routes {
        let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
        let (key, lead) = (&key, lead.as_str());
        let own = Own { key, lead, entry };
        let sent = request(&server, &own, &method, &path);
        let Some(action) = action else {
            let before = on_record(&server, "").await.len();
            assert_eq!(
                sent.send().await.unwrap().status(),
                StatusCode::OK,
                "{path}"
            );
            // That the first of the two looked is on record.
            let after = on_record(&server, "").await.len();
            assert_eq!(after, (before + 1).min(500), "{path}");
            continue;
        };
        // To look for entries leaves some, but none of another action.
        let looks = usize::from(action == "audit.read");
        let query = format!("&action={action}");
        let before = on_record(&server, &query).await.len();
        let answer = sent.send().await.unwrap();
        let status = answer.status();
        // A stream has no end.
        let told: Value = match path.as_str() {
            "/admin/audit/stream" => Value::Null,
            _ => answer.json().await.unwrap_or_default(),
        };
        wait_for(
            &format!("{action} of {method} {path}: {status} {told}"),
            async || {
                let after = on_record(&server, &query).await.len();
                (after > before + looks).then_some(())
            },
        )
        .await;
    }
}

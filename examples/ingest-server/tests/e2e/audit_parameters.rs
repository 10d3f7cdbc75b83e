//! On every route of the audit log a parameter that is unknown, given twice or malformed is refused by its name.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{
    harness::{Key, Server},
    recorded_routes::{ample_limits, routes},
};

/// What a parameter of a route cannot be. In the table of a version before, which goes with the next, any text may be.
fn malformed(path: &str, name: &str) -> Option<&'static str> {
    Some(match name {
        "tenant" | "actor" | "action" | "outcome" if path.ends_with("/earlier") => return None,
        "limit" | "cursor" | "from" | "to" | "outcome" | "format" => "canary",
        "tenant" | "actor" | "resource" | "action" | "field" => "canary%20canary",
        "log" => "..%2fcanary",
        other => panic!("what is malformed in `{other}`?"),
    })
}

/// More of a kind.
const MORE: [(&str, &str); 8] = [
    ("limit", "0"),
    ("limit", "-1"),
    ("limit", "1001"),
    ("from", "2026-13-01T00:00:00Z"),
    ("to", "1"),
    ("outcome", "Success"),
    ("cursor", "AAAA"),
    ("log", "nobody"),
];

struct Asking<'a> {
    server: &'a Server,
    key: &'a Key,
    method: Method,
    path: String,
}

impl Asking<'_> {
    /// What is said to a query that is refused, which repeats nothing of its values.
    async fn refused(&self, query: &str) -> String {
        let path = format!("{}?{query}", self.path);
        let request = if self.path.starts_with("/v1/") {
            self.server.request(self.method.clone(), &path, self.key)
        } else {
            self.server.admin(self.method.clone(), &path)
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let problem: Value = answer.json().await.unwrap_or_default();
        let place = format!("{} {path}: {problem}", self.method);
        assert_eq!(status, StatusCode::BAD_REQUEST, "{place}");
        assert!(!problem.to_string().contains("canary"), "{place}");
        problem["detail"].as_str().unwrap().to_owned()
    }

    async fn is_named(&self, query: &str, name: &str) {
        let detail = self.refused(query).await;
        assert!(
            detail.contains(&format!("`{name}`")),
            "{} {} ?{query}: {detail}",
            self.method,
            self.path
        );
    }

    /// What it says that it takes.
    async fn known(&self) -> Vec<String> {
        let detail = self.refused("shoe=canary").await;
        let (fault, known) = detail.split_once("; this resource takes ").unwrap();
        assert_eq!(fault, "`shoe` is unknown", "{}", self.path);
        let names = known.split('`').skip(1).step_by(2);
        names.map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn each_route_of_the_log_refuses_what_it_does_not_know_or_cannot_read_and_names_it() {
    let server = Server::start();
    let limits = server.admin(Method::PUT, "/admin/limits");
    let limits = limits.json(&ample_limits()).send().await.unwrap();
    assert_eq!(limits.status(), StatusCode::NO_CONTENT);
    let key = server.issue("acme", &["audit:read"]).await;
    let routes = routes();
    let of_log = routes.iter().filter(|(_, path, _)| path.contains("audit"));
    let (mut asked, mut parameters) = (0, BTreeSet::new());
    for (method, path, _) in of_log {
        let asking = Asking {
            server: &server,
            key: &key,
            method: method.clone(),
            path: path.replace("{n}", "0").replace("{*path}", "checkpoint"),
        };
        for name in asking.known().await {
            // The end of a report is looked at if there is a beginning.
            let other = match name.as_str() {
                "to" if path.ends_with("/report") => "from=2026-01-01&",
                _ => "",
            };
            let malformed = malformed(path, &name);
            let more = MORE.iter().filter(|(of, _)| *of == name);
            let more = malformed.iter().flat_map(|_| more.clone());
            for value in malformed.into_iter().chain(more.map(|(_, value)| *value)) {
                asking
                    .is_named(&format!("{other}{name}={value}"), &name)
                    .await;
            }
            asking.is_named(&format!("{name}=1&{name}=1"), &name).await;
            asking.is_named(&format!("{name}=%zz"), &name).await;
            parameters.insert(name);
        }
        let numbers = ["canary", "-1", "18446744073709551616"].into_iter();
        for n in numbers.filter(|_| path.contains("{n}")) {
            let asking = Asking {
                server: &server,
                key: &key,
                method: method.clone(),
                path: path.replace("{n}", n),
            };
            asking.is_named("", "n").await;
        }
        asked += 1;
    }
    assert_eq!(asked, 14, "the routes of the log in docs/audit.md");
    assert_eq!(parameters.len(), 12, "{parameters:?}");
}

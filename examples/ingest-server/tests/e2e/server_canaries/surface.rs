//! What the service has of routes and commands, from the service itself: one that is new is not forgotten.

use std::{collections::BTreeSet, process::Command};

use reqwest::Method;

use crate::harness::{Data, run_to_end};

/// Where the routes are declared.
const ROUTES: &str = include_str!("../../../src/http/routes.rs");

/// The methods that a route is declared with.
const METHODS: [(&str, Method); 5] = [
    ("get", Method::GET),
    ("post", Method::POST),
    ("put", Method::PUT),
    ("patch", Method::PATCH),
    ("delete", Method::DELETE),
];

/// A method of a path.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: String,
    /// Whether operators ask it.
    pub(super) is_admin: bool,
}

impl Route {
    /// Its method and path, as in `GET /v1/leads/{id}`.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The path with `value` in the place of its parameter.
    pub(super) fn with(&self, value: &str) -> String {
        let parameter = self.path.split(['{', '}']).nth(1);
        let parameter = parameter.map(|name| format!("{{{name}}}"));
        match parameter {
            Some(name) => self.path.replace(&name, value),
            None => self.path.clone(),
        }
    }

    pub(super) fn has_parameter(&self) -> bool {
        self.path.contains('{')
    }

    pub(super) fn takes_a_body(&self) -> bool {
        [Method::POST, Method::PUT, Method::PATCH].contains(&self.method)
    }
}

/// Every route of both listeners, from the lists that they are made from.
pub(super) fn routes() -> Vec<Route> {
    let from = ROUTES.find("fn of_tenants(").unwrap();
    let is_admin_from = ROUTES.find("fn of_operators(").unwrap();
    let to = ROUTES.find("pub(crate) fn public(").unwrap();
    let mut routes = Vec::new();
    for (name, method) in METHODS {
        let call = format!("{name}(");
        for (at, _) in ROUTES.match_indices(&call) {
            let is_listed = (from..to).contains(&at)
                && !ROUTES[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c));
            if !is_listed {
                continue;
            }
            let declared = arguments(&ROUTES[at + call.len()..]);
            let (path, _) = declared.split_once(',').unwrap();
            routes.push(Route {
                method: method.clone(),
                path: literal(ROUTES, path.trim()),
                is_admin: at > is_admin_from,
            });
        }
    }
    routes
}

/// What stands up to the parenthesis that closes.
fn arguments(source: &str) -> &str {
    let mut depth = 1;
    let end = source.find(|character| {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    &source[..end.unwrap()]
}

/// A path as it is, or by the name of its constant.
fn literal(source: &str, path: &str) -> String {
    if let Some(text) = path.strip_prefix('"') {
        return text.trim_end_matches('"').to_owned();
    }
    let declared = format!("const {path}: &str = \"");
    let from = source.find(&declared).unwrap() + declared.len();
    source[from..].split('"').next().unwrap().to_owned()
}

/// Every command that the help names, and those below it, such as `keys rotate`.
pub(super) fn commands(data: &Data) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![Vec::<String>::new()];
    while let Some(command) = waiting.pop() {
        let below = subcommands(data.command().args(&command).arg("--help"));
        if below.is_empty() {
            found.insert(command.join(" "));
        }
        for name in below {
            waiting.push([command.clone(), vec![name]].concat());
        }
    }
    found
}

fn subcommands(help: &mut Command) -> Vec<String> {
    let output = run_to_end(help);
    let text = String::from_utf8(output.stdout).unwrap();
    let Some((_, list)) = text.split_once("\nCommands:\n") else {
        return Vec::new();
    };
    let lines = list.lines().take_while(|line| line.starts_with("  "));
    let names = lines.filter_map(|line| {
        // What is indented further goes on with a text.
        let name = line.strip_prefix("  ")?;
        let is_name = name.starts_with(|character: char| character.is_ascii_alphabetic());
        is_name.then(|| name.split_whitespace().next().unwrap().to_owned())
    });
    names.filter(|name| name != "help").collect()
}

#[test]
fn routes_are_read_from_their_declarations() {
    let routes = routes();
    let names: Vec<String> = routes.iter().map(Route::name).collect();
    for name in [
        "POST /v1/events",
        "GET /v1/leads",
        "PATCH /v1/leads/{id}",
        "DELETE /admin/api-keys/{kid}",
        "GET /metrics",
        "GET /healthz",
    ] {
        assert!(
            names.iter().any(|found| found == name),
            "{name} in {names:?}"
        );
    }
    let of_tenants = routes.iter().filter(|route| !route.is_admin);
    assert!(of_tenants.clone().count() >= 6);
    assert!(
        of_tenants
            .clone()
            .all(|route| route.path.starts_with("/v1/"))
    );
    assert_eq!(routes.len(), names.iter().collect::<BTreeSet<_>>().len());
    let lead = routes
        .iter()
        .find(|route| route.path.contains('{'))
        .unwrap();
    assert!(lead.with("x").ends_with("/x"), "{}", lead.with("x"));
}

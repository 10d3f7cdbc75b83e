//! Every route says how it is recorded.

use std::{collections::BTreeSet, env, fs, path::Path};

use portcullis_audit_log::event::Activity;

use super::*;
use crate::audit::Audited;

/// Each route of both listeners: method, path, how it is recorded.
fn all() -> Vec<(&'static str, &'static str, Audited)> {
    fn named<S>(
        routes: Vec<Route<S>>,
    ) -> impl Iterator<Item = (&'static str, &'static str, Audited)> {
        let routes = routes.into_iter();
        routes.map(|route| (route.method, route.path, route.audited))
    }
    let public = named(of_tenants()).chain(named(of_callers()));
    let admin = [of_operators(), of_scrapers(), of_anyone()];
    public.chain(admin.into_iter().flat_map(named)).collect()
}

#[test]
fn no_list_of_routes_is_forgotten_here() {
    let lists = include_str!("../../routes.rs").matches("\nfn of_").count();
    assert_eq!(lists, 5);
}

#[test]
fn only_status_health_and_metrics_are_on_no_record() {
    let unrecorded = all().into_iter().filter_map(|(method, path, audited)| {
        matches!(audited, Never(_)).then_some((method, path))
    });
    let unrecorded: Vec<_> = unrecorded.collect();
    assert_eq!(
        unrecorded,
        [
            ("GET", "/v1/status"),
            ("GET", "/metrics"),
            ("GET", "/healthz"),
            ("GET", "/health"),
            ("GET", "/readyz")
        ]
    );
}

#[test]
fn what_changes_something_is_on_record_as_a_change() {
    let mut seen = BTreeSet::new();
    for (method, path, audited) in all() {
        assert!(
            seen.insert((method, path)),
            "{method} {path} is there twice"
        );
        let action = match audited {
            Must(action) | InTheClear(action) | Noted(action) | Summed(action) => action,
            Never(why) => {
                assert!(!why.is_empty(), "{method} {path}");
                continue;
            }
        };
        assert!(on_record::ALL.contains(&action), "{method} {path}");
        // To look at every row or entry changes none.
        let reads = method == "GET" || path.ends_with("/verify");
        assert_eq!(action.activity == Activity::Read, reads, "{method} {path}");
    }
}

#[test]
fn no_two_actions_have_one_name() {
    let names: BTreeSet<_> = on_record::ALL.iter().map(|action| action.action).collect();
    assert_eq!(names.len(), on_record::ALL.len());
}

const BEGIN: &str = "<!-- recorded: UPDATE_DOCS=1 cargo test -p ingest-server recorded -->\n";
const END: &str = "<!-- recorded end -->";

/// The tables as the page shows them.
fn markdown() -> String {
    let mut text = "\n| action | does | to | what it means |\n|---|---|---|---|\n".to_owned();
    for action in on_record::ALL {
        let (name, activity, resource) = (action.action, action.activity, action.resource);
        let meaning = action.meaning;
        text += &format!("| `{name}` | {activity} | {resource} | {meaning} |\n");
    }
    text += "\n| route | is on record as | how |\n|---|---|---|\n";
    for (method, path, audited) in all() {
        let (action, how) = match audited {
            Must(action) => (action.action.as_str(), "durable before the answer"),
            InTheClear(action) => {
                let how = "durable before an answer in the clear; a masked one is not recorded";
                (action.action.as_str(), how)
            }
            Noted(action) => (action.action.as_str(), "when there is room"),
            Summed(action) => (action.action.as_str(), "as `INGEST_AUDIT_WRITES` says"),
            Never(why) => ("–", why),
        };
        text += &format!("| `{method} {path}` | `{action}` | {how} |\n");
    }
    text.push('\n');
    text
}

/// Fails when the page and the list of routes differ; with `UPDATE_DOCS` set, writes the page.
#[test]
fn the_page_has_every_action_and_route_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (tables, after) = rest.split_once(END).unwrap();
    let made = markdown();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
    } else {
        const REMAKE: &str =
            "make it again: UPDATE_DOCS=1 cargo test -p ingest-server --lib recorded";
        assert_eq!(tables, made, "{REMAKE}");
    }
}

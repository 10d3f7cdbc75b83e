//! Every route says how it is recorded.

use std::collections::BTreeSet;

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
    let public = named(of_tenants());
    let admin = [of_operators(), of_scrapers(), of_anyone()];
    public.chain(admin.into_iter().flat_map(named)).collect()
}

#[test]
fn only_health_and_metrics_are_on_no_record() {
    let unrecorded = all().into_iter().filter_map(|(method, path, audited)| {
        matches!(audited, Never(_)).then_some((method, path))
    });
    let unrecorded: Vec<_> = unrecorded.collect();
    assert_eq!(
        unrecorded,
        [
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
        // Opening every row changes none.
        let reads = method == "GET" || path == "/admin/keys/verify";
        assert_eq!(action.activity == Activity::Read, reads, "{method} {path}");
    }
}

#[test]
fn no_two_actions_have_one_name() {
    let names: BTreeSet<_> = on_record::ALL.iter().map(|action| action.action).collect();
    assert_eq!(names.len(), on_record::ALL.len());
}

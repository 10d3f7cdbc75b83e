//! Variables that look like settings and are none. One that is a typing error away from a setting is
//! a problem: what was meant would be missing without a word. Any other is a warning, because
//! container platforms inject their own, such as `INGEST_SERVICE_HOST`.

use std::collections::BTreeSet;

use portcullis_telemetry::Environment;

use super::{problems::Problems, settings, sources::Sources};
use crate::spelling;

pub(super) fn check(sources: &Sources, problems: &mut Problems) {
    let standard = Environment::variables().map(str::to_owned);
    let known: BTreeSet<String> = settings::variables().chain(standard).collect();
    let mut unknown = Vec::new();
    for name in sources.variables().filter(|name| !known.contains(*name)) {
        let upper = name.to_ascii_uppercase();
        match spelling::nearest(&upper, known.iter()) {
            Some(meant) if !is_injected(name) => {
                let message = format!("is not a setting; did you mean {meant}?");
                problems.add_variable(name, message);
            }
            _ => unknown.push(name),
        }
    }
    if !unknown.is_empty() {
        problems.warn(unknown.join(", "), "set, and no setting of this service");
    }
}

/// Whether Kubernetes or a link between containers makes variables of this form, for a service whose
/// name begins as ours.
fn is_injected(name: &str) -> bool {
    let has_port = |rest: &str| {
        rest.is_empty()
            || rest
                .strip_prefix('_')
                .is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()))
    };
    let after = |marker: &str| name.find(marker).map(|at| &name[at + marker.len()..]);
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || after("_PORT").is_some_and(has_port)
}

#[cfg(test)]
mod tests {
    use super::is_injected;

    #[test]
    fn what_platforms_inject_is_told_from_what_somebody_mistyped() {
        for name in [
            "INGEST_SERVICE_HOST",
            "INGEST_SERVICE_PORT",
            "INGEST_SERVICE_PORT_HTTP",
            "INGEST_PORT",
            "INGEST_PORT_8080_TCP_ADDR",
        ] {
            assert!(is_injected(name), "{name}");
        }
        for name in ["INGEST_LISTN", "INGEST_PORTS", "PORTCULLIS_KEK"] {
            assert!(!is_injected(name), "{name}");
        }
    }
}

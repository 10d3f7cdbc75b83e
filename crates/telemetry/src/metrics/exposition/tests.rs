//! Content negotiation and the conversion between the formats.

use super::*;

#[test]
fn the_format_that_the_scraper_prefers_is_chosen() {
    let prometheus_2 = "application/openmetrics-text;version=1.0.0,\
        application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    for (accept, expected) in [
        (None, TEXT),
        (Some(""), TEXT),
        (Some("*/*"), TEXT),
        (Some("text/html, */*;q=0.8"), TEXT),
        (Some(prometheus_2), OPEN_METRICS),
        (Some("application/openmetrics-text"), OPEN_METRICS),
        (
            Some("Application/OpenMetrics-Text; Version=1.0.0; q=0.4"),
            OPEN_METRICS,
        ),
        (Some("application/openmetrics-text; version=0.0.1"), TEXT),
        (Some("application/openmetrics-text;q=0, text/plain"), TEXT),
        (Some("text/plain;version=0.0.4"), TEXT),
        (
            Some("application/openmetrics-text;q=0.3,text/plain;q=0.9"),
            TEXT,
        ),
        (
            Some("text/plain;q=0.5, application/openmetrics-text;version=\"1.0.0\";q=0.500"),
            OPEN_METRICS,
        ),
        (
            Some("text/html;x=\"a,text/plain;q=1\", application/openmetrics-text;q=0.001"),
            OPEN_METRICS,
        ),
        (
            Some("application/openmetrics-text;x=\"\\\";q=0\";q=0.9, text/plain;q=0.8"),
            OPEN_METRICS,
        ),
        // A weight that is none asks for nothing.
        (Some("application/openmetrics-text;q=2"), TEXT),
        (Some("application/openmetrics-text;q=1.1"), TEXT),
        (Some("application/openmetrics-text;q=0.0001"), TEXT),
        (Some("application/openmetrics-text;q=inf"), TEXT),
        (Some("application/openmetrics-text;q=NaN"), TEXT),
        (Some("application/openmetrics-text;q=-1"), TEXT),
        (Some("application/openmetrics-text;q="), TEXT),
        (Some(",, application/openmetrics-text ,"), OPEN_METRICS),
    ] {
        let is_open_metrics = Exposition::is_open_metrics(accept);
        assert_eq!(is_open_metrics, expected == OPEN_METRICS, "{accept:?}");
    }
}

#[test]
fn text_names_a_counters_metadata_after_its_sample() {
    let open = "# HELP hits Said \\\"so\\\".\n# TYPE hits counter\n# UNIT hits x\nhits_total 1\n\
        # HELP g G.\n# TYPE g unknown\ng 2\n# EOF\n";
    let text = "# HELP hits_total Said \"so\".\n# TYPE hits_total counter\nhits_total 1\n\
        # HELP g G.\n# TYPE g untyped\ng 2\n";
    assert_eq!(Exposition::text(open).body, text);
}

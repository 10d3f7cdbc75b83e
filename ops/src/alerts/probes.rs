//! What the probe finds, and that it looks.

use super::{Alert, Case, Quickness::Climbs, Rule};

const FIND: &str = "probe_failed_rounds{instance=\"a\",journey=\"lead\",step=\"find\"}";
const ERASE: &str = "probe_failed_rounds{instance=\"a\",journey=\"lead\",step=\"erase\"}";
const EVENT: &str = "probe_failed_rounds{instance=\"a\",journey=\"write\",step=\"event\"}";
const UP: &str = "up{job=\"portcullis-probe\",instance=\"a\"}";

/// Three rounds begin within this after a cause, at 10 s from one to the next, and end.
const THREE_ROUNDS: f64 = 45.0;

pub(super) fn alerts() -> Vec<Alert> {
    vec![Alert {
        name: "ProbeFailing",
        component: "probes",
        summary: "{{ if $labels.step }}the journey {{ $labels.journey }} fails at {{ $labels.step }}{{ else }}the \
                  probe {{ $labels.instance }} does not answer{{ end }}",
        description: "What tenants ask for failed {{ $value }} times in a row for the probe, or Prometheus has had \
                      no answer of the probe for a minute. First: the step, which the label says; its log says why.",
        dashboard: "health",
        rules: vec![
            Rule::page("probe_failed_rounds >= 3", 0, Climbs(THREE_ROUNDS)).named("failing"),
            Rule::page("up{job=\"portcullis-probe\"} == 0", 60, Climbs(5.0)).named("silent"),
        ],
        cases: vec![
            Case::scraped("two in a row", &[(FIND, "0 1 2x20")], "4m", 0),
            Case::scraped("three in a row", &[(FIND, "0 1 2 3x20")], "2m", 1),
            Case::scraped(
                "now at one step and now at another",
                &[(FIND, "0 3 0x20"), (ERASE, "0 0 4x20")],
                "2m",
                1,
            ),
            Case::scraped(
                "two journeys",
                &[(FIND, "0 3x20"), (EVENT, "0 3x20")],
                "2m",
                2,
            ),
            Case::scraped("succeeds again", &[(FIND, "3x8 0x10")], "4m", 0),
            Case::scraped(
                "the probe was started again",
                &[(FIND, "5x8 0 1x9")],
                "4m",
                0,
            ),
            Case::scraped("answers", &[(UP, "1x20")], "4m", 0),
            Case::scraped("one missed scrape", &[(UP, "1 1 0 1x20")], "2m", 0),
            Case::scraped("down for a minute", &[(UP, "1 1 0x20")], "1m45s", 1),
            Case::scraped("no data", &[], "4m", 0),
        ],
    }]
}

//! The control: with nothing hidden, the same search finds what is hidden otherwise.

use std::process::Command;

use super::{
    by_design::{FAULT, HISTORY_FAULT, is_by_design},
    run::Run,
};
use crate::harness::Data;

/// What an error says comes out in these once nothing is hidden there: whose error it is, and where it is to be found.
const UNHIDDEN_ERRORS: [(&str, &str); 4] = [
    (FAULT, "the log"),
    (FAULT, "the spans as they are sent"),
    (FAULT, "the spans as they are collected"),
    (HISTORY_FAULT, "the log"),
];

/// Parts of events that are refused, each of which comes out wherever samples are shown.
const SAMPLED: [&str; 6] = [
    "the e-mail address of ",
    "the phone number of ",
    "the national id of ",
    "the name of ",
    "an unknown member of ",
    "a deep member of ",
];

const SAMPLES: [&str; 7] = [
    "GET /admin/quality",
    "GET /admin/quality?days=1",
    "GET /admin/quality/report",
    "GET /admin/quality/report?days=1",
    "GET /admin/quality/samples",
    "output of quality report",
    "table dq_metrics_sample, excerpt",
];

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_hidden_in_logs_spans_and_samples_the_same_search_finds_them_there() {
    let data = Data::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingest-server-unredacted"));
    command.env_clear();
    let given = data.command();
    command.envs(
        given
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let run = Run::of(&data, command).await;
    let findings = run.findings();
    let sampled = SAMPLES
        .iter()
        .flat_map(|to| SAMPLED.map(|from| (from, *to)));
    for (from, to) in UNHIDDEN_ERRORS.into_iter().chain(sampled) {
        let mut others = findings.iter().filter(|found| !is_by_design(found, &[]));
        let is_found = others.any(|(place, output)| place.starts_with(from) && output == to);
        assert!(is_found, "{from:?} is not in {to}");
    }
}

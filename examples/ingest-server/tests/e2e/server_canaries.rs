//! Unique values are put into everything that the service takes in, and looked for in everything that it gives out or
//! keeps, in all their forms. Where they are by design is said, place by place. A control run hides nothing in logs,
//! spans and samples, and finds them there.

#[path = "server_canaries/by_design.rs"]
mod by_design;
#[path = "server_canaries/canaries.rs"]
mod canaries;
#[path = "server_canaries/commands.rs"]
mod commands;
#[cfg(feature = "dangerous-unredacted")]
#[path = "server_canaries/control.rs"]
mod control;
#[path = "server_canaries/delivered.rs"]
mod delivered;
#[path = "server_canaries/outputs.rs"]
mod outputs;
#[path = "server_canaries/records.rs"]
mod records;
#[path = "server_canaries/run.rs"]
mod run;
#[path = "server_canaries/surface.rs"]
mod surface;
#[path = "server_canaries/tee.rs"]
mod tee;
#[path = "server_canaries/traffic.rs"]
mod traffic;

use std::collections::BTreeSet;

use self::{
    by_design::{BY_DESIGN, BY_DESIGN_IN_DEV, Design, is_by_design},
    run::{Finding, Run},
};
use crate::harness::Data;

/// What must be there for the search to mean something: each output has what it is for.
const PRESENT: [(&str, &str); 21] = [
    ("the log", "\"level\":\"TRACE\""),
    (
        "the log",
        "the history of data quality cannot be written now",
    ),
    ("the spans as they are sent", "POST /v1/events"),
    ("the spans as they are sent", "EVALSHA"),
    ("the spans as they are sent", "dq_metrics_tally"),
    ("the spans as they are collected", "POST /v1/leads"),
    ("the spans as they are collected", "redis"),
    ("the spans as they are collected", "sqlite"),
    ("GET /metrics", "dq_rejected_total"),
    ("GET /metrics, OpenMetrics", "# EOF"),
    ("GET /admin/quality/samples", "excerpt"),
    ("what Redis is asked", "evalsha"),
    ("what Redis keeps", "apikey"),
    ("file erasures.jsonl", "\"lead\""),
    ("file ingest.db-wal", ""),
    ("file audit/server/journal/0000000000.paj", "lead.read"),
    ("output of quality report", "Data quality"),
    ("webhooks of the audit log", "lead.read"),
    ("log records of the audit log", "lead.read"),
    ("syslog of the audit log", "lead.read"),
    ("lines of the audit log", "lead.read"),
];

/// Tables in which all this leaves nothing: who reads now, what waits in memory, and the earlier audit log.
const EMPTY: [&str; 3] = ["apikey_cache_reader", "audit_event", "event_hash"];

fn assert_whole(run: &Run) {
    for (output, part) in PRESENT {
        let mut outputs = run.outputs.iter().filter(|(found, _)| found == output);
        let is_there = outputs.any(|(_, bytes)| {
            let text = String::from_utf8_lossy(bytes);
            !text.is_empty() && text.to_lowercase().contains(&part.to_lowercase())
        });
        assert!(is_there, "{part} is not in {output}");
    }
    let tables = run.outputs.iter().filter_map(|(output, bytes)| {
        let (table, _) = output.strip_prefix("table ")?.split_once(", ")?;
        Some((table, bytes.is_empty()))
    });
    let (empty, filled): (Vec<_>, Vec<_>) = tables.partition(|(_, is_empty)| *is_empty);
    let [empty, filled] = [empty, filled]
        .map(|tables| -> BTreeSet<&str> { tables.into_iter().map(|(table, _)| table).collect() });
    assert!(filled.len() > 15, "{filled:?}");
    let expected = BTreeSet::from(EMPTY);
    assert_eq!(empty, expected, "what is to be put into a new table?");
}

fn assert_hidden(run: &Run, in_this_profile: &[Design]) {
    let findings = run.findings();
    let leaks: Vec<&Finding> = findings
        .iter()
        .filter(|found| !is_by_design(found, in_this_profile))
        .collect();
    assert!(leaks.is_empty(), "{} leaks: {leaks:#?}", leaks.len());
    assert_whole(run);
    // The search sees what is there by design, so that it would see what is not.
    for (from, to, why) in BY_DESIGN.iter().chain(in_this_profile) {
        let mut of_design = findings.iter();
        let is_found =
            of_design.any(|(place, output)| place.starts_with(from) && output.starts_with(to));
        assert!(is_found, "{from} is not in {to}, where {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_comes_in_comes_out_in_production() {
    let data = Data::new();
    assert_hidden(&Run::of(&data, data.production()).await, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_comes_in_comes_out_in_the_dev_profile() {
    let data = Data::new();
    assert_hidden(&Run::of(&data, data.command()).await, &BY_DESIGN_IN_DEV);
}

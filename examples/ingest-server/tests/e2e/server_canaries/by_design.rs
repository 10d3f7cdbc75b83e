//! Places at which canaries come out by design.

use super::{
    records::{PUBLIC, REASON},
    run::Finding,
};

/// Values that the database itself complains about.
pub(super) const FAULT: &str = "the message of a database error";
/// Words among them that no pattern recognises.
pub(super) const FAULT_WORD: &str = "a word in the message of a database error";
pub(super) const PARENT: &str = "the trace of a caller";
pub(super) const HISTORY_FAULT: &str = "the message of an error of the history";

/// Where a canary was put that comes out by design, where it comes out, and why.
pub(super) type Design = (&'static str, &'static str, &'static str);

pub(super) const BY_DESIGN: [Design; 9] = [
    (
        PUBLIC,
        "table event, ",
        "it is not personal, and stored as it came",
    ),
    (
        PUBLIC,
        "file ingest.db",
        "the same, in the file and its log",
    ),
    (
        PUBLIC,
        "the answer to POST /v1/events",
        "a sender is told which of its events conflict",
    ),
    (
        REASON,
        "GET /admin/audit/events/",
        "operators see what was typed beside what is on record; wherever it is kept, it is sealed",
    ),
    (
        PARENT,
        "the spans as they are ",
        "a span links to the trace that it was called from",
    ),
    (
        FAULT,
        "file ingest.db",
        "the statement stands in the schema that this test changed",
    ),
    (HISTORY_FAULT, "file ingest.db", "likewise"),
    (FAULT_WORD, "file ingest.db", "likewise"),
    (
        FAULT_WORD,
        "the log",
        "operators are told what the database says, but for what a pattern recognises",
    ),
];

/// The same, in the dev profile alone.
pub(super) const BY_DESIGN_IN_DEV: [Design; 1] = [(
    FAULT_WORD,
    "the spans as they are ",
    "the list of fields that may be shown is for production",
)];

pub(super) fn is_by_design((place, output): &Finding, in_this_profile: &[Design]) -> bool {
    let own = format!("output of {}", place.trim_start_matches("an argument of "));
    // Who typed an argument wrong is told which.
    let is_own = place.starts_with("an argument of ") && *output == own;
    let mut designs = BY_DESIGN.iter().chain(in_this_profile);
    is_own || designs.any(|(from, to, _)| place.starts_with(from) && output.starts_with(to))
}

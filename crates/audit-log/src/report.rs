//! What happened in a period, for who has to show it: totals, actors, fields, actions, findings, what is missing, and
//! how far the log was checked.
//!
//! A [`ReportBuilder`] is shown the leaves of the period, one after the other, in bounded memory. The [`Report`] that it
//! makes is a value, and is written as JSON, Markdown and HTML.

mod builder;
mod findings;
mod html;
mod integrity;
mod json;
mod markdown;
mod sections;
mod share;
mod tally;
mod totals;

pub use self::{
    builder::{MAX_ACTORS, Period, ReportBuilder},
    findings::{FindingTotals, MAX_FINDINGS},
    integrity::Integrity,
    share::Share,
    tally::{MAX_NAMES, Tally},
    totals::{Checks, Report},
};

#[cfg(test)]
mod tests;

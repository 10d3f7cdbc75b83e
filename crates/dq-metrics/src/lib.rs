#![doc = include_str!("../README.md")]

mod outcome;
mod reason;

mod dimension;
mod subject;

mod plan;

mod quality;

mod conservation;
mod metrics;
pub mod report;
pub mod score;

pub mod sample;

pub mod duplicates;

pub mod history;

mod ledger;

mod labels;
mod per_reason;
mod tally;
mod versions;

pub mod clock;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;

#[cfg(test)]
mod fault;

pub use self::{
    conservation::Conservation,
    dimension::Dimension,
    metrics::{MetricLabel, QualityMetric},
    outcome::{Duplicate, Outcome},
    plan::{Lifecycle, Plan},
    quality::{Quality, QualityBuilder},
    reason::{Catalogue, Facts, Reason, Severity},
    subject::Subject,
};

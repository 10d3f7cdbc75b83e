//! What can be measured, by name.

mod audit;
mod compare;
mod detection;
mod growth;
mod latency;
mod redis;
mod search;
mod tenants;

use crate::{
    Failure,
    arguments::{Arguments, USAGE},
    figures::Figures,
};

/// Runs the scenario of this name.
pub(crate) fn run(name: &str, arguments: &Arguments) -> Result<Figures, Failure> {
    match name {
        "audit" => audit::run(arguments),
        "compare" => compare::run(arguments),
        "detection" => detection::run(arguments),
        "growth" => growth::run(arguments),
        "latency" => latency::run(arguments),
        "redis" => redis::run(arguments),
        "search" => search::run(arguments),
        "tenants" => tenants::run(arguments),
        _ => Err(USAGE.into()),
    }
}

#![doc = include_str!("../README.md")]

mod alerts;
mod blackbox;
mod catalogue;
mod check;
mod command;
mod dashboards;
mod files;
mod logs;
mod mentions;
mod promql;
mod query;
mod requirements;
mod routes;
mod rules;
mod runbooks;
mod slo;
mod tests_there;
mod timing;
mod yaml;

pub use self::{command::run, routes::route_cases};

#[cfg(test)]
mod server_mutants;

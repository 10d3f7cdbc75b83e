//! The reference service of Portcullis: see its README.

mod api_key_admin;
mod app;
mod cli;
mod clock;
mod config;
mod demo;
mod dev;
mod leads;
mod limits;
mod listener;
mod observe;
mod personal;
mod pipeline;
mod problem;
mod rejection;
mod routes;
mod schemas;
mod services;
mod store;
mod telemetry;
mod timestamp;
mod vault;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}

//! The reference service of Portcullis: see its README.

mod admin;
mod app;
mod backend;
mod cli;
mod clock;
mod config;
mod fields;
mod http;
mod json;
mod lead;
mod limits;
mod observe;
mod permission;
mod pipeline;
mod quality;
mod schemas;
mod shares;
mod store;
mod timestamp;

pub use self::cli::run;

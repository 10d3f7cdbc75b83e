//! The reference service of Portcullis: see its README.

mod admin;
mod app;
mod audit;
mod backend;
mod cli;
mod clock;
mod config;
mod degradation;
mod delivery;
mod detection;
mod fields;
mod files;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod http;
mod json;
mod lead;
mod limits;
mod observe;
mod permission;
mod pipeline;
mod process;
mod quality;
mod schemas;
mod shares;
mod slo;
mod spelling;
mod store;
mod timestamp;

#[cfg(feature = "dangerous-unredacted")]
pub use self::cli::dangerous_run_unredacted;
pub use self::cli::run;

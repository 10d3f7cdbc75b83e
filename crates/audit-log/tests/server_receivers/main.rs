//! What is exported is accepted by programs that share no code with this crate: the schemas of OCSF, the library of
//! Standard Webhooks, a collector of OpenTelemetry, and a second reading of syslog.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod delivered;
#[path = "../support/leaves.rs"]
mod leaves;
mod ocsf;
mod otlp;
mod python;
mod syslog;
mod webhooks;

use portcullis_audit_log::export::{Ocsf, Product};

fn ocsf() -> Ocsf {
    Ocsf::new(Product::new("Example", "ingest-server", "0.1.0").unwrap())
}

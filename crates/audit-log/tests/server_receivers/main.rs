//! What is exported is accepted by programs that share no code with this crate: the schemas of OCSF, the library of
//! Standard Webhooks, and a collector of OpenTelemetry.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/leaves.rs"]
mod leaves;
mod ocsf;
mod otlp;
mod python;
mod webhooks;

use portcullis_audit_log::export::{Ocsf, Product};

fn ocsf() -> Ocsf {
    Ocsf::new(Product::new("Example", "ingest-server", "0.1.0").unwrap())
}

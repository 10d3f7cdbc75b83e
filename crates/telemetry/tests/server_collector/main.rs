//! Spans reach a real OpenTelemetry collector, and one that does not take them does no harm.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]

#[path = "../support/collector.rs"]
mod collector;
mod encrypted;
mod grpc;
mod http;
mod peers;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/resident.rs"]
mod resident;
mod silent;

/// As a process does once, before its first connection.
fn install_provider() {
    // Another test of the same process may have done so.
    drop(rustls::crypto::ring::default_provider().install_default());
}

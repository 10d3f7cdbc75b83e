//! What one tenant, or one client, can do to the others: the real binary under the attacks that it is
//! built to stand. Each test has the machine to itself (`.config/nextest.toml`).
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]
#![expect(
    clippy::print_stdout,
    reason = "the figures tell how near a promise was to be broken"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "latencies of real processes are real time"
)]

#[path = "e2e/documented.rs"]
mod documented;
#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "e2e/harness.rs"]
mod harness;

#[path = "attack/attackers.rs"]
mod attackers;
#[path = "attack/bystander.rs"]
mod bystander;
#[path = "attack/latencies.rs"]
mod latencies;
#[path = "attack/target.rs"]
mod target;

#[path = "attack/amplification.rs"]
mod amplification;
#[path = "attack/batches.rs"]
mod batches;
#[path = "attack/idle_connections.rs"]
mod idle_connections;
#[path = "attack/slow_bodies.rs"]
mod slow_bodies;

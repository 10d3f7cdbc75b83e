//! The client of Vault, and secrets from its KV engine, against an OpenBao of each test's own.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "deadlines on real servers are real time"
)]

mod bao;
mod encrypted;
mod kv;
mod tokens;

//! `SecretsManager` on moto, which serves the interface of AWS Secrets Manager: what is fetched, what a rotation
//! changes, and which error says what.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "deadlines on real servers are real time"
)]

mod answers;
mod fetch;
mod moto;
mod refusals;

//! `AwsKms` on moto, which serves the interface of AWS KMS: what it wraps, what it refuses, and what happens
//! while nobody answers.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "deadlines on real servers are real time"
)]

mod aliases;
mod binding;
mod conforms;
mod examples;
mod first_requests;
mod moto;
mod outages;
mod policies;
mod proxy;
mod refusals;
mod rewrap;

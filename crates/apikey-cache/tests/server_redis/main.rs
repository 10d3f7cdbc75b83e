//! `RedisBus` on real servers: Redis, Valkey, a cluster, TLS, and networks that fail.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "deadlines on real servers are real time"
)]

mod conforms;
mod ends;
mod outages;
mod proxy;
mod servers;
mod streams;

//! `RedisStore` on real servers: Redis, Valkey, a cluster, TLS, and networks that fail.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "deadlines on real servers are real time"
)]

mod agreement;
mod cluster;
mod conforms;
mod encrypted;
mod heartbeat;
#[path = "../../src/store/redis/key.rs"]
mod key;
mod keys;
mod outages;
mod proxy;
#[path = "../../src/store/redis/script.rs"]
mod script;
mod servers;

// What `key` and `script` name of the crate that they are a part of.
use portcullis_ratelimit::{bucket, clock, store};

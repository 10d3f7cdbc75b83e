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
#[path = "../../src/store/redis/ask.rs"]
mod ask;
mod cluster;
mod conforms;
mod encrypted;
#[path = "../../src/store/redis/group.rs"]
mod group;
mod groups;
mod heartbeat;
#[path = "../../src/store/redis/key.rs"]
mod key;
mod keys;
mod outages;
mod proxy;
#[path = "../../src/store/redis/script.rs"]
mod script;
mod servers;

// What these name of the crate that they are a part of.
use portcullis_ratelimit::{bucket, clock, policy, store};

//! Servers that count on one Redis admit together what one of them would, and go on without it.

#[path = "server_redis/fleet.rs"]
mod fleet;

#[path = "server_redis/counters.rs"]
mod counters;
#[path = "server_redis/faults.rs"]
mod faults;
#[path = "server_redis/locked.rs"]
mod locked;
#[path = "server_redis/outage.rs"]
mod outage;
#[path = "server_redis/revocations.rs"]
mod revocations;
#[path = "server_redis/shared.rs"]
mod shared;
#[path = "server_redis/spans.rs"]
mod spans;

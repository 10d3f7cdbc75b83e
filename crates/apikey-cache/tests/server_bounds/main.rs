//! The table of bounds, measured: two nodes on one database and a real Redis, whatever is taken from them. Each
//! test prints its row, and has the machine to itself (`.config/nextest.toml`).
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
    reason = "bounds on real servers are real time"
)]

mod cut_off;
mod effective;
mod figures;
mod link;
mod loads;
mod lost;
mod node;
mod normal;
mod prober;
mod proxy;
mod redis;
mod wait;

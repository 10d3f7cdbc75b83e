#![doc = include_str!("../README.md")]

mod breaker;
mod circuit;
mod jitter;
mod lock;
mod permit;
mod settings;
mod window;

pub use self::{
    breaker::{Breaker, BreakerStatus},
    circuit::{BreakerState, NotPermitted},
    permit::Permit,
    settings::BreakerSettings,
};

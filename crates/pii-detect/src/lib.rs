#![doc = include_str!("../README.md")]

mod builder;
mod detector;
mod finding;
mod kind;

mod card;
mod digits;
mod email;
mod phone;
mod secret;

pub use self::{
    builder::{BuildError, DetectorBuilder},
    detector::{Detector, Findings},
    finding::Finding,
    kind::Kind,
};

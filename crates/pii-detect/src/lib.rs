#![doc = include_str!("../README.md")]

mod builder;
mod detector;
mod finding;
mod kind;

mod fold;
mod layers;
mod rules;
mod scan;

pub use self::{
    builder::{BuildError, DetectorBuilder},
    detector::{Detector, Findings},
    finding::{Confidence, Finding},
    kind::Kind,
};

#![doc = include_str!("../README.md")]

mod builder;
mod detector;
mod finding;
mod kind;

mod fold;
#[cfg(feature = "json")]
mod json;
mod layers;
mod pieces;
mod rules;
mod scan;

#[cfg(feature = "json")]
pub use self::json::{JsonError, JsonFinding, JsonFindings, JsonPart, MAX_JSON_DEPTH};
pub use self::{
    builder::{BuildError, DetectorBuilder},
    detector::{Detector, Findings},
    finding::{Confidence, Finding},
    kind::Kind,
};

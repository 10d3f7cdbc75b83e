//! What the fuzz targets in `fuzz/` examine: the readers of untrusted input, by themselves.
//!
//! No build that serves has this module: the feature `fuzzing` brings it.

pub mod events;
pub mod json;
pub mod settings;

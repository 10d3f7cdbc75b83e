#![doc = include_str!("../README.md")]

pub mod adversarial;
pub mod figures;
pub mod histogram;
pub mod keys;
pub mod patterns;
pub mod processor_time;
pub mod texts;
pub mod threads;

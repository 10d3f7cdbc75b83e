#![doc = include_str!("../README.md")]

pub mod anchor;
#[cfg(feature = "archive")]
pub mod archive;
pub mod audit;
mod bounded_file;
pub mod checkpoint;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(unix)]
mod disk;
pub mod entropy;
pub mod event;
#[cfg(feature = "export")]
pub mod export;
#[cfg(unix)]
pub mod folder;
#[cfg(unix)]
pub mod journal;
pub mod note;
pub mod observer;
pub mod proof;
#[cfg(feature = "report")]
pub mod report;
pub mod rule;
pub mod sealer;
pub mod search;
#[cfg(feature = "export")]
pub mod sink;
pub mod source;
pub mod store;
pub mod tile;
pub mod tree;
pub mod verify;

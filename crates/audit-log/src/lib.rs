#![doc = include_str!("../README.md")]

pub mod checkpoint;
#[cfg(unix)]
mod disk;
pub mod event;
#[cfg(unix)]
pub mod folder;
#[cfg(unix)]
pub mod journal;
pub mod note;
pub mod proof;
pub mod tile;
pub mod tree;
pub mod verify;

#![doc = include_str!("../README.md")]

pub mod checkpoint;
pub mod event;
pub mod note;
pub mod proof;
pub mod tile;
pub mod tree;
pub mod verify;

#![doc = include_str!("../README.md")]

pub mod event;
pub mod tile;
pub mod tree;

//! From one version of the index root to the next, while the application runs: no look-up misses, and what
//! is unique stays unique, in every phase.
//!
//! [`IndexRotation`] takes the versions in [`IndexStates`] from phase to phase. Each phase lasts 60 s at
//! least, so that every process knows of it before the next begins: a process rereads the phases every 5 s,
//! decides only on phases that it read less than 10 s ago, and commits within 30 s.

mod driver;
mod machine;
mod memory;
mod states;

pub use self::{
    driver::{IndexRotation, IndexStep, RotationError, Stopped},
    machine::PHASE_LASTS,
    memory::{MemoryIndex, ValueTaken},
    states::{IndexStates, IndexStatesError, Replaced},
};

#[cfg(test)]
mod tests;

//! The contracts of the traits as tests, for implementations elsewhere (feature `conformance`).
//!
//! Each function calls one clause of the trait's contract after the other, and panics naming the
//! clause that does not hold.

mod reason;
mod sample_store;

pub use self::{reason::reason, sample_store::sample_store};

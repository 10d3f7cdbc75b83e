//! Whether a published log is what was signed, for anyone who has its files and its key.
//!
//! [`Verification`] goes through the bundles of a log in their order. Each entry is held against its place, against the
//! tile of its hashes and against what lies beside the log; each tile against the entries; the whole against the
//! checkpoint, and the checkpoint against one that somebody kept. What is kept in memory is a bundle, the last tile of
//! each level, and a number for each tenant.

mod companions;
mod finding;
mod kept;
mod report;
mod tenants;
mod tree_so_far;
mod verification;
mod walk;

pub use self::{
    companions::Companions,
    finding::{EntryFault, Finding},
    report::{Outcome, Report},
    tenants::MAX_TENANTS,
    verification::Verification,
};

#[cfg(test)]
mod tests;

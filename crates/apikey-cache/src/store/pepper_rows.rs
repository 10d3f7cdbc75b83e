//! How many records need a version of the pepper, and for what.

/// How many records need a version of the pepper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a store counts both")]
pub struct PepperRows {
    /// Those whose keys are hashed under it, until they are next used.
    pub hashed: u64,
    /// Those whose kids were tagged under it, for as long as they live.
    pub tagged: u64,
}

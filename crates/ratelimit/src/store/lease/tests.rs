//! The bounds of leases.

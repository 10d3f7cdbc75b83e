//! What is on record of who did what: the actions, and how each is recorded.

pub(crate) mod actions;
mod audited;

pub(crate) use self::{actions::AuditAction, audited::Audited};

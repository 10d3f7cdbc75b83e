//! What the service does less well for now: a closed list, the same for operators, callers and alerts.

mod degradations;
mod kek_calls;
mod part;
mod seen;
mod signs;

pub(crate) use self::{
    degradations::{Degradations, DegradedSince},
    kek_calls::KekCalls,
    part::DegradedPart,
    signs::Signs,
};

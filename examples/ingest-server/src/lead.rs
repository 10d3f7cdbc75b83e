//! Leads: what they consist of, and their personal data on the way in and on the way out.

mod body_schema;
mod column;
mod id;
mod indexes;
mod record;
pub(crate) mod view;

pub(crate) use body_schema::body_schema;
pub(crate) use column::{COLUMNS, LeadColumn};
pub(crate) use id::LeadId;
pub(crate) use indexes::LeadIndexes;
pub(crate) use record::LeadRecord;

//! Leads: what they consist of, and their personal data on the way in and on the way out.

mod body_schema;
mod column;
mod id;
mod indexes;
mod record;
pub(crate) mod view;

pub(crate) use self::body_schema::body_schema;
pub(crate) use self::column::{COLUMNS, LeadColumn};
pub(crate) use self::id::LeadId;
pub(crate) use self::indexes::LeadIndexes;
pub(crate) use self::record::LeadRecord;

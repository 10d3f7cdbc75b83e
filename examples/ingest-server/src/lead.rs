//! Leads: what they consist of, and their personal data on the way in and on the way out.

mod body_schema;
mod column;
mod id;
mod indexes;
mod open;
mod record;
mod unique;
mod view;

pub(crate) use self::{
    body_schema::body_schema,
    column::{COLUMNS, LeadColumn},
    id::LeadId,
    indexes::LeadIndexes,
    open::{ColumnFault, LeadOpener, OpenedLead},
    record::{LeadRecord, StoredColumn, StoredValue},
    unique::UniqueFields,
    view::{LeadView, View},
};

//! What is recorded: the event, and the leaf that it becomes.
//!
//! No value can be put into an event. Actions, fields, types of resources and codes are constants of the program; ids
//! are parsed, and screened for personal data; what people typed is [`Personal`] and leaves a commitment alone.

mod actor;
mod builder;
mod cursor;
mod event_error;
mod event_id;
mod hex_id;
mod id;
mod label;
mod leaf;
mod leaf_error;
mod leaf_lists;
mod personal;
mod pruned;
mod reason;
mod timestamp;
mod word;
mod write;

pub(crate) use self::pruned::{PRUNED, first_entry, first_entry_of};
pub use self::{
    actor::{Actor, ActorType},
    builder::{Event, EventBuilder, Stamp},
    event_error::EventError,
    event_id::EventId,
    hex_id::{SpanId, TraceId},
    id::{Id, InvalidId, Screen},
    label::{Action, Code, Field, ResourceType},
    leaf::{Leaf, LeafNumbers},
    leaf_error::LeafError,
    leaf_lists::Items,
    personal::{Commitment, InvalidPersonal, Personal, PersonalText, Salt},
    reason::{Reason, Resource},
    timestamp::Timestamp,
    word::{Activity, Delivery, Outcome},
};

/// Whether a text has the form of an [`Id`].
pub(crate) const fn is_id(text: &str) -> bool {
    id::check(text.as_bytes()).is_ok()
}

/// Whether a text has the form of a label, as [`Action`] and [`Field`].
pub(crate) const fn is_label(text: &str) -> bool {
    label::is_label(text.as_bytes())
}

/// The most bytes of a leaf.
pub const MAX_LEAF_BYTES: usize = 16 * 1024;

/// The most resources of one event. What concerns more is several events of one trace.
pub const MAX_RESOURCES: usize = 128;

#[cfg(test)]
mod tests;

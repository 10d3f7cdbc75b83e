//! Leads: their personal data on the way in and on the way out.

pub(crate) mod personal;
pub(crate) mod view;

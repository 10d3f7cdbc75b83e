//! What is recognised, a file for each kind: pure functions of a text and a position in it.

pub(crate) mod card;
mod digits;
pub(crate) mod email;
pub(crate) mod phone;
pub(crate) mod secret;

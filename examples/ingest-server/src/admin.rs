//! What operators do, for the admin listener and the command line alike.

pub(crate) mod api_keys;

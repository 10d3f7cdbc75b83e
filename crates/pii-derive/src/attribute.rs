//! What all attributes have in common.

use syn::{Error, meta::ParseNestedMeta};

/// An attribute that is not known, and those that are.
pub(crate) fn unknown(meta: &ParseNestedMeta<'_>, known: &str) -> Error {
    let name = meta.path.get_ident();
    let name = name.map_or_else(|| "this".to_owned(), |name| format!("`{name}`"));
    meta.error(format!("{name} is not known here: expected {known}"))
}

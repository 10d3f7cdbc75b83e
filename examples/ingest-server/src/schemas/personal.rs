//! Where a schema says that personal data stands, and where it says that there is none: `"x-pii"` with
//! the name of a kind on string schemas, or with `"none"` on those of text and numbers.
//!
//! The places are found once, when the schema is loaded, by walking the keywords that apply to
//! every instance: `properties`, `items`, `prefixItems`, `allOf` and `$ref`. Under a keyword that
//! applies only to some instances an annotation would depend on the data, so there it is refused; so
//! is one under a keyword that is not applied at all, and one that is misspelt. References are
//! resolved by what resolves them for the validator.

mod keyword;
mod path;
mod walk;

use portcullis_pii_crypto::PiiKind;
use serde_json::Value;

pub(crate) use self::path::DataPath;
pub(super) use self::{keyword::mentions, walk::find};

/// What a schema declares about its places.
#[derive(Debug, Default)]
pub(super) struct Declarations {
    pub(super) personal: Vec<PersonalPath>,
    /// Values that are known to be no personal data, whatever they look like.
    pub(super) harmless: Vec<DataPath>,
}

/// A place of personal data, and the kind it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersonalPath {
    pub(crate) kind: PiiKind,
    path: DataPath,
}

/// An `x-pii` that cannot be honoured.
#[derive(Debug)]
pub(super) struct Misplaced {
    pub(super) at: String,
    pub(super) why: String,
}

impl PersonalPath {
    /// Calls `found` with the JSON pointer of every text at this place, the value, and its text.
    pub(crate) fn visit<'a>(
        &self,
        data: &'a Value,
        found: &mut impl FnMut(&str, &'a Value, &'a str),
    ) {
        self.path.visit(data, &mut |pointer, value| {
            if let Value::String(text) = value {
                found(pointer, value, text);
            }
        });
    }
}

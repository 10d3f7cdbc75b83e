//! Where a schema says that personal data stands: `"x-pii"` on string schemas.
//!
//! The places are found once, when the schema is loaded, by walking the keywords that apply to
//! every instance: `properties`, `items`, `prefixItems`, `allOf` and `$ref`. Under a keyword that
//! applies only to some instances an annotation would depend on the data, so there it is refused; so
//! is one under a keyword that is not applied at all, and one that is misspelt. References are
//! resolved by what resolves them for the validator.

mod keyword;
mod walk;

use portcullis_pii_crypto::PiiKind;
use serde_json::Value;

pub(super) use self::{keyword::mentions, walk::find};

/// A place of personal data, as steps from the root of the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersonalPath {
    pub(crate) kind: PiiKind,
    steps: Vec<Step>,
}

/// An `x-pii` that cannot be honoured.
#[derive(Debug)]
pub(super) struct Misplaced {
    pub(super) at: String,
    pub(super) why: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Property(String),
    Item(usize),
    ItemsFrom(usize),
}

impl PersonalPath {
    /// Calls `found` with the JSON pointer and text of every value at this place.
    pub(crate) fn visit<'a>(&self, data: &'a Value, found: &mut impl FnMut(String, &'a str)) {
        visit(&self.steps, data, String::new(), found);
    }
}

fn visit<'a>(
    steps: &[Step],
    value: &'a Value,
    pointer: String,
    found: &mut impl FnMut(String, &'a str),
) {
    let Some((step, rest)) = steps.split_first() else {
        if let Value::String(text) = value {
            found(pointer, text);
        }
        return;
    };
    match (step, value) {
        (Step::Property(name), Value::Object(members)) => {
            if let Some(member) = members.get(name) {
                visit(rest, member, format!("{pointer}/{}", escape(name)), found);
            }
        }
        (Step::Item(index), Value::Array(items)) => {
            if let Some(item) = items.get(*index) {
                visit(rest, item, format!("{pointer}/{index}"), found);
            }
        }
        (Step::ItemsFrom(first), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate().skip(*first) {
                visit(rest, item, format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// RFC 6901.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

//! Where a schema says that personal data stands: `"x-pii"` on string schemas.
//!
//! The places are found once, when the schema is loaded, by walking the keywords that apply to
//! every instance: `properties`, `items`, `prefixItems`, `allOf` and local `$ref`s. Under a
//! keyword that applies only to some instances an annotation would depend on the data, so there
//! it is refused. So is, in a document that declares personal data, every keyword that would make
//! a reference mean another place than its JSON pointer says.

use std::sync::LazyLock;

use portcullis_pii_crypto::{PiiKind, PiiKinds};
use serde_json::{Map, Value};

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
    pub(super) why: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Property(String),
    Item(usize),
    ItemsFrom(usize),
}

const KEYWORD: &str = "x-pii";

/// The kinds a schema can declare, by name.
static KINDS: LazyLock<PiiKinds> = LazyLock::new(PiiKinds::built_in);

/// `must be email, …, address or text`
static UNKNOWN_KIND: LazyLock<String> = LazyLock::new(|| {
    let names: Vec<_> = KINDS.iter().map(PiiKind::name).collect();
    let (last, others) = names.split_last().expect("there are kinds");
    format!("must be {} or {last}", others.join(", "))
});

impl PersonalPath {
    /// Calls `found` with the JSON pointer and text of every value at this place.
    pub(crate) fn visit<'a>(&self, data: &'a Value, found: &mut impl FnMut(String, &'a str)) {
        visit(&self.steps, data, String::new(), found);
    }
}

/// Finds every declared place.
pub(super) fn find(schema: &Value) -> Result<Vec<PersonalPath>, Misplaced> {
    if mentions(schema) {
        followable(schema, "#")?;
    }
    let mut walk = Walk {
        root: schema,
        refs: Vec::new(),
        found: Vec::new(),
    };
    walk.schema(schema, &mut Vec::new(), "#")?;
    Ok(walk.found)
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

/// Refuses what the walk would follow elsewhere than the validator: references that the way to them
/// decides, and subschemas with a base or a dialect of their own.
fn followable(value: &Value, at: &str) -> Result<(), Misplaced> {
    match value {
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            let below_root = at != "#";
            let at = format!("{at}/{}", escape(name));
            match (name.as_str(), member) {
                ("$dynamicRef" | "$recursiveRef", Value::String(_)) => Err(misplaced(
                    &at,
                    "only `$ref` can be followed to personal data",
                )),
                ("$id" | "$schema", Value::String(_)) if below_root => Err(misplaced(
                    &at,
                    "stands below the root of a schema that declares personal data",
                )),
                _ => followable(member, &at),
            }
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| followable(item, &format!("{at}/{index}"))),
        _ => Ok(()),
    }
}

struct Walk<'a> {
    root: &'a Value,
    refs: Vec<&'a str>,
    found: Vec<PersonalPath>,
}

impl<'a> Walk<'a> {
    fn schema(
        &mut self,
        schema: &'a Value,
        steps: &mut Vec<Step>,
        at: &str,
    ) -> Result<(), Misplaced> {
        let Value::Object(keywords) = schema else {
            return Ok(());
        };
        if let Some(kind) = keywords.get(KEYWORD) {
            let kind = declared(kind, keywords).map_err(|why| misplaced(at, why))?;
            self.found.push(PersonalPath {
                kind,
                steps: steps.clone(),
            });
        }
        let mut prefix = 0;
        if let Some(Value::Array(items)) = keywords.get("prefixItems") {
            prefix = items.len();
        }
        for (keyword, value) in keywords {
            let at = format!("{at}/{}", escape(keyword));
            match (keyword.as_str(), value) {
                ("properties", Value::Object(members)) => {
                    for (name, member) in members {
                        let at = format!("{at}/{}", escape(name));
                        self.step(Step::Property(name.clone()), member, steps, &at)?;
                    }
                }
                ("items", items) => self.step(Step::ItemsFrom(prefix), items, steps, &at)?,
                ("prefixItems", Value::Array(items)) => {
                    for (index, item) in items.iter().enumerate() {
                        self.step(Step::Item(index), item, steps, &format!("{at}/{index}"))?;
                    }
                }
                ("allOf", Value::Array(parts)) => {
                    for (index, part) in parts.iter().enumerate() {
                        self.schema(part, steps, &format!("{at}/{index}"))?;
                    }
                }
                ("$ref", Value::String(target)) => self.reference(target, steps, &at)?,
                // Only reached through references, and never applied, respectively.
                ("$defs" | "definitions" | "const" | "enum" | "examples" | "default", _) => {}
                (_, value) => self.refuse(value, &at)?,
            }
        }
        Ok(())
    }

    fn step(
        &mut self,
        step: Step,
        schema: &'a Value,
        steps: &mut Vec<Step>,
        at: &str,
    ) -> Result<(), Misplaced> {
        steps.push(step);
        let walked = self.schema(schema, steps, at);
        steps.pop();
        walked
    }

    fn reference(
        &mut self,
        target: &'a str,
        steps: &mut Vec<Step>,
        at: &str,
    ) -> Result<(), Misplaced> {
        let resolved = target
            .strip_prefix('#')
            .and_then(|pointer| self.root.pointer(pointer));
        let Some(schema) = resolved else {
            return Err(misplaced(
                at,
                "only references within the document can be followed",
            ));
        };
        if self.refs.contains(&target) {
            return if mentions(schema) {
                Err(misplaced(
                    at,
                    "a recursive schema cannot declare personal data",
                ))
            } else {
                Ok(())
            };
        }
        self.refs.push(target);
        let walked = self.schema(schema, steps, at);
        self.refs.pop();
        walked
    }

    /// Refuses annotations, also through references, below a keyword that is not always applied.
    fn refuse(&mut self, value: &'a Value, at: &str) -> Result<(), Misplaced> {
        match value {
            Value::Object(members) => {
                if members.contains_key(KEYWORD) {
                    return Err(misplaced(
                        at,
                        "stands where it applies only to some instances",
                    ));
                }
                if let Some(Value::String(target)) = members.get("$ref")
                    && !self.refs.contains(&target.as_str())
                {
                    let before = self.found.len();
                    self.reference(target, &mut Vec::new(), at)?;
                    if self.found.len() > before {
                        return Err(misplaced(
                            at,
                            "stands where it applies only to some instances",
                        ));
                    }
                }
                members
                    .values()
                    .try_for_each(|member| self.refuse(member, at))
            }
            Value::Array(items) => items.iter().try_for_each(|item| self.refuse(item, at)),
            _ => Ok(()),
        }
    }
}

fn declared(kind: &Value, keywords: &Map<String, Value>) -> Result<PiiKind, &'static str> {
    if keywords.get("type").and_then(Value::as_str) != Some("string") {
        return Err("stands on a schema whose type is not `string`");
    }
    let known = kind.as_str().and_then(|name| KINDS.find(name));
    known.ok_or(UNKNOWN_KIND.as_str())
}

fn mentions(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.contains_key(KEYWORD) || members.values().any(mentions),
        Value::Array(items) => items.iter().any(mentions),
        _ => false,
    }
}

fn misplaced(at: &str, why: &'static str) -> Misplaced {
    Misplaced {
        at: at.to_owned(),
        why,
    }
}

//! Finds every place that a schema declares, or what cannot be honoured.

use std::{collections::HashSet, ptr};

use referencing::{Draft, Resolver};
use serde_json::{Map, Value};

use super::{
    Declarations, Misplaced, PersonalPath,
    keyword::{Declared, KEYWORD, Role, declared, is_meant},
    path::{DataPath, Step},
};
use crate::{json::escaped, schemas::MAX_POINTER};

/// Personal data is declared in this draft alone: older ones ignore what stands beside a `$ref`.
const DRAFT: Draft = Draft::Draft202012;

const CONDITIONAL: &str = "stands where it applies only to some instances";

const CONTRADICTED: &str = "contradicts another declaration for the same place";

/// Finds every declared place of the document that `root` resolves.
pub(in crate::schemas) fn find(root: &Resolver<'_>) -> Result<Declarations, Misplaced> {
    let document = root
        .lookup("#")
        .map_err(|error| misplaced("#", error.to_string()))?;
    let document = Site {
        schema: document.contents(),
        resolver: document.resolver().clone(),
        at: "#".to_owned(),
    };
    one_dialect(document.schema, &document.at)?;
    let mut walk = Walk {
        dynamic: dynamic_targets(&document)?,
        open: Vec::new(),
        walked: HashSet::new(),
        unapplied: Vec::new(),
        found: Vec::new(),
    };
    walk.schema(&document, &mut Vec::new())?;
    for (value, at) in &walk.unapplied {
        walk.refuse_unwalked(value, at)?;
    }
    declarations(&walk.found)
}

/// Declarations, none of which may contradict another.
fn declarations(found: &[Declaration]) -> Result<Declarations, Misplaced> {
    let mut declarations = Declarations::default();
    for (index, found_here) in found.iter().enumerate() {
        let Declaration { declared, path, at } = found_here;
        let contradicts =
            |earlier: &Declaration| earlier.declared != *declared && earlier.path.overlaps(path);
        if found[..index].iter().any(contradicts) {
            return Err(misplaced(at, CONTRADICTED));
        }
        let path = path.clone();
        match *declared {
            Declared::Personal(_) if path.longest_pointer() > MAX_POINTER => {
                let why =
                    format!("stands where a JSON pointer takes more than {MAX_POINTER} bytes");
                return Err(misplaced(at, why));
            }
            Declared::Personal(kind) => declarations.personal.push(PersonalPath { kind, path }),
            Declared::Harmless => declarations.harmless.push(path),
        }
    }
    Ok(declarations)
}

/// What is declared, for which values, and where the schema does it.
#[derive(Debug)]
struct Declaration {
    declared: Declared,
    path: DataPath,
    at: String,
}

/// A schema, what references in it mean, and its place.
#[derive(Debug, Clone)]
struct Site<'r> {
    schema: &'r Value,
    resolver: Resolver<'r>,
    at: String,
}

#[derive(Debug)]
struct Walk<'r> {
    /// The schemas that a `$dynamicRef` may mean, with their names.
    dynamic: Vec<(String, Site<'r>)>,
    /// The schemas that the present one stands in, by their address.
    open: Vec<*const Value>,
    /// Every schema that was walked, by its address.
    walked: HashSet<*const Value>,
    /// What stands under keywords that apply nothing.
    unapplied: Vec<(&'r Value, String)>,
    found: Vec<Declaration>,
}

impl<'r> Site<'r> {
    fn root_of(schema: &'r Value, resolver: Resolver<'r>, at: String) -> Self {
        Self {
            schema,
            resolver,
            at,
        }
    }

    /// A schema below this one.
    fn below(&self, schema: &'r Value, at: String) -> Result<Self, Misplaced> {
        let resolver = self
            .resolver
            .in_subresource(DRAFT.create_resource_ref(schema));
        let resolver = resolver.map_err(|error| misplaced(&at, error.to_string()))?;
        Ok(Self::root_of(schema, resolver, at))
    }

    /// The schema that a reference in this one means. Its place is that of the reference.
    fn target(&self, reference: &str, at: &str) -> Result<Self, Misplaced> {
        let target = self.resolver.lookup(reference);
        let target = target.map_err(|error| misplaced(at, error.to_string()))?;
        let (schema, resolver, _) = target.into_inner();
        Ok(Self::root_of(schema, resolver, at.to_owned()))
    }
}

impl<'r> Walk<'r> {
    /// Walks a schema that every value at `steps` has to keep to.
    fn schema(&mut self, site: &Site<'r>, steps: &mut Vec<Step>) -> Result<(), Misplaced> {
        let Value::Object(keywords) = site.schema else {
            return Ok(());
        };
        if self.open.contains(&ptr::from_ref(site.schema)) {
            return if self.reaches(site, &mut HashSet::new())? {
                Err(misplaced(
                    &site.at,
                    "a recursive schema cannot declare personal data",
                ))
            } else {
                Ok(())
            };
        }
        self.walked.insert(site.schema);
        self.open.push(site.schema);
        let walked = self.keywords(site, keywords, steps);
        self.open.pop();
        walked
    }

    fn keywords(
        &mut self,
        site: &Site<'r>,
        keywords: &'r Map<String, Value>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Misplaced> {
        let prefix = keywords.get("prefixItems").and_then(Value::as_array);
        let prefix = prefix.map_or(0, Vec::len);
        for (keyword, value) in keywords {
            let at = format!("{}/{}", site.at, escaped(keyword));
            match (Role::of(keyword), value) {
                (Role::Properties, Value::Object(members)) => {
                    for (name, member) in members {
                        let member = site.below(member, format!("{at}/{}", escaped(name)))?;
                        self.step(Step::Property(name.clone()), &member, steps)?;
                    }
                }
                (Role::Items, items) => {
                    self.step(Step::ItemsFrom(prefix), &site.below(items, at)?, steps)?;
                }
                (Role::PrefixItems, Value::Array(items)) => {
                    for (index, item) in items.iter().enumerate() {
                        let item = site.below(item, format!("{at}/{index}"))?;
                        self.step(Step::Item(index), &item, steps)?;
                    }
                }
                (Role::AllOf, Value::Array(parts)) => {
                    for (index, part) in parts.iter().enumerate() {
                        self.schema(&site.below(part, format!("{at}/{index}"))?, steps)?;
                    }
                }
                (Role::Reference, Value::String(reference)) => {
                    let target = site.target(reference, &at)?;
                    if self.is_dynamic(reference) {
                        self.refuse(&target, "depends on the way to it")?;
                    } else {
                        self.schema(&target, steps)?;
                    }
                }
                (Role::DynamicReference, Value::String(_))
                | (Role::Conditional | Role::ConditionalByName, _) => {
                    if self.reaches_below(site, keyword, value, &mut HashSet::new())? {
                        return Err(misplaced(&at, CONDITIONAL));
                    }
                }
                (Role::Definitions | Role::Data, _) => {}
                (Role::Other, kind) if keyword == KEYWORD => {
                    let declared = declared(kind, keywords);
                    self.found.push(Declaration {
                        declared: declared.map_err(|why| misplaced(&site.at, why))?,
                        path: DataPath::new(steps),
                        at: site.at.clone(),
                    });
                }
                (Role::Other, _) if is_meant(keyword) => {
                    return Err(misplaced(&at, "is no keyword: `x-pii` is"));
                }
                (_, value) => self.unapplied.push((value, at)),
            }
        }
        Ok(())
    }

    fn step(
        &mut self,
        step: Step,
        site: &Site<'r>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Misplaced> {
        steps.push(step);
        let walked = self.schema(site, steps);
        steps.pop();
        walked
    }

    /// Whether a reference by name could mean one of several schemas.
    fn is_dynamic(&self, reference: &str) -> bool {
        let (_, name) = reference.rsplit_once('#').unwrap_or_default();
        let named = self.dynamic.iter().filter(|(dynamic, _)| dynamic == name);
        named.count() > 1
    }

    fn refuse(&self, site: &Site<'r>, why: &str) -> Result<(), Misplaced> {
        if self.reaches(site, &mut HashSet::new())? {
            return Err(misplaced(&site.at, why));
        }
        Ok(())
    }

    /// Whether a schema, or any that it refers to, declares personal data or is meant to.
    fn reaches(
        &self,
        site: &Site<'r>,
        seen: &mut HashSet<*const Value>,
    ) -> Result<bool, Misplaced> {
        let Value::Object(keywords) = site.schema else {
            return Ok(false);
        };
        if !seen.insert(site.schema) {
            return Ok(false);
        }
        for (keyword, value) in keywords {
            if is_meant(keyword) || self.reaches_below(site, keyword, value, seen)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same of one keyword's value.
    fn reaches_below(
        &self,
        site: &Site<'r>,
        keyword: &str,
        value: &'r Value,
        seen: &mut HashSet<*const Value>,
    ) -> Result<bool, Misplaced> {
        let role = Role::of(keyword);
        let at = format!("{}/{}", site.at, escaped(keyword));
        match (role, value) {
            (Role::Data, _) => Ok(false),
            (Role::Reference | Role::DynamicReference, Value::String(reference)) => {
                if role == Role::DynamicReference || self.is_dynamic(reference) {
                    for (_, target) in &self.dynamic {
                        if self.reaches(target, seen)? {
                            return Ok(true);
                        }
                    }
                }
                self.reaches(&site.target(reference, &at)?, seen)
            }
            (role, Value::Object(named)) if role.is_by_name() => any(named.values(), |schema| {
                self.reaches(&site.below(schema, at.clone())?, seen)
            }),
            (_, Value::Array(items)) => any(items, |schema| {
                self.reaches(&site.below(schema, at.clone())?, seen)
            }),
            (_, value) => self.reaches(&site.below(value, at)?, seen),
        }
    }

    /// Refuses what nothing applies, but for schemas that a reference has led to.
    fn refuse_unwalked(&self, value: &Value, at: &str) -> Result<(), Misplaced> {
        match value {
            Value::Object(_) if self.walked.contains(&ptr::from_ref(value)) => Ok(()),
            Value::Object(members) => members.iter().try_for_each(|(name, member)| {
                let at = format!("{at}/{}", escaped(name));
                if is_meant(name) {
                    return Err(misplaced(
                        &at,
                        "stands under a keyword that applies nothing",
                    ));
                }
                self.refuse_unwalked(member, &at)
            }),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| self.refuse_unwalked(item, &format!("{at}/{index}"))),
            _ => Ok(()),
        }
    }
}

/// Every schema of the document that a `$dynamicRef` may come to mean, with its name.
fn dynamic_targets<'r>(root: &Site<'r>) -> Result<Vec<(String, Site<'r>)>, Misplaced> {
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(site) = open.pop() {
        if let Some(Value::String(name)) = site.schema.get("$dynamicAnchor") {
            found.push((name.clone(), site.clone()));
        }
        for schema in DRAFT.subresources_of(site.schema) {
            open.push(site.below(schema, site.at.clone())?);
        }
    }
    Ok(found)
}

/// Refuses a schema with a dialect of its own, which may read its keywords in other ways.
fn one_dialect(schema: &Value, at: &str) -> Result<(), Misplaced> {
    for inner in DRAFT.subresources_of(schema) {
        if inner.get("$schema").is_some() {
            let why = "a schema below the root has a `$schema` beside personal data";
            return Err(misplaced(at, why));
        }
        one_dialect(inner, at)?;
    }
    Ok(())
}

fn any<'r>(
    schemas: impl IntoIterator<Item = &'r Value>,
    mut reaches: impl FnMut(&'r Value) -> Result<bool, Misplaced>,
) -> Result<bool, Misplaced> {
    for schema in schemas {
        if reaches(schema)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn misplaced(at: &str, why: impl Into<String>) -> Misplaced {
    Misplaced {
        at: at.to_owned(),
        why: why.into(),
    }
}

//! Places in limits that an operator gives, and what is wrong there.

use serde_json::{Map, Value};

/// Why limits cannot be used; the text says where and what is known there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{why}", shown(.at))]
pub(crate) struct InvalidLimits {
    why: String,
    /// The names that lead there.
    at: Vec<String>,
    /// A name there that is not known.
    unknown: Option<String>,
}

/// A place in the document: the names that lead to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct DocumentPath<'a>(pub(super) &'a [&'a str]);

impl InvalidLimits {
    /// Something that no place in it has.
    pub(in crate::limits::document) const fn whole(why: String) -> Self {
        Self {
            why,
            at: Vec::new(),
            unknown: None,
        }
    }

    /// The names that lead to what is wrong, and end with it if that is a name itself.
    pub(in crate::limits::document) fn path(&self) -> impl Iterator<Item = &str> {
        let names = self.at.iter().chain(&self.unknown);
        names.map(String::as_str)
    }
}

impl DocumentPath<'_> {
    pub(super) fn table<'v>(
        &self,
        value: &'v Value,
    ) -> Result<&'v Map<String, Value>, InvalidLimits> {
        value
            .as_object()
            .ok_or_else(|| self.invalid("must be a table (in JSON, an object)"))
    }

    pub(super) fn names(
        &self,
        members: &Map<String, Value>,
        what: &str,
        known: &[&str],
    ) -> Result<(), InvalidLimits> {
        let unknown = members.keys().find(|name| !known.contains(&name.as_str()));
        unknown.map_or(Ok(()), |unknown| {
            let known = known.join(", ");
            Err(InvalidLimits {
                unknown: Some(unknown.clone()),
                ..self.invalid(format!(
                    "there is a {what} that is not known; known are {known}"
                ))
            })
        })
    }

    pub(super) fn number(
        &self,
        members: &Map<String, Value>,
        name: &str,
    ) -> Result<Option<u32>, InvalidLimits> {
        let Some(value) = members.get(name).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|number| number.try_into().ok());
        let number: u32 = number.ok_or_else(|| {
            self.invalid(format!(
                "`{name}` must be a whole number below {}",
                1_u64 << 32
            ))
        })?;
        Ok(Some(number))
    }

    pub(super) fn text(
        &self,
        members: &Map<String, Value>,
        name: &str,
        what: &str,
        is_one: impl Fn(&str) -> bool,
    ) -> Result<(), InvalidLimits> {
        match members.get(name).filter(|value| !value.is_null()) {
            Some(value) if !value.as_str().is_some_and(is_one) => {
                Err(self.invalid(format!("`{name}` must be {what}")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn invalid(&self, why: impl Into<String>) -> InvalidLimits {
        InvalidLimits {
            why: why.into(),
            at: self.0.iter().map(|name| (*name).to_owned()).collect(),
            unknown: None,
        }
    }
}

fn shown(at: &[String]) -> String {
    if at.is_empty() {
        String::new()
    } else {
        format!("`{}`: ", at.join("."))
    }
}

//! The keyword itself, what is mistaken for it, and where keywords stand.

use std::sync::LazyLock;

use portcullis_pii_crypto::{PiiKind, PiiKinds};
use serde_json::{Map, Value};

use crate::spelling;

pub(super) const KEYWORD: &str = "x-pii";

/// The kinds a schema can declare, by name.
static KINDS: LazyLock<PiiKinds> = LazyLock::new(PiiKinds::built_in);

/// What a schema says of a value that is no personal data.
const NONE: &str = "none";

/// `must be email, …, text or none`
static UNKNOWN_KIND: LazyLock<String> = LazyLock::new(|| {
    let names: Vec<_> = KINDS.iter().map(PiiKind::name).collect();
    format!("must be {} or {NONE}", names.join(", "))
});

/// What a schema declares of the values at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    Personal(PiiKind),
    Harmless,
}

/// What the value of a keyword is, to the one question of where personal data stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Properties,
    Items,
    PrefixItems,
    AllOf,
    Reference,
    /// A reference whose target depends on the way to it.
    DynamicReference,
    /// Schemas by name that nothing but a reference applies.
    Definitions,
    /// A schema, or several in an array, that only some values have to keep to.
    Conditional,
    /// The same by name.
    ConditionalByName,
    /// Values, not schemas.
    Data,
    /// Nothing that is applied.
    Other,
}

impl Role {
    pub(super) fn of(keyword: &str) -> Self {
        match keyword {
            "properties" => Self::Properties,
            "items" => Self::Items,
            "prefixItems" => Self::PrefixItems,
            "allOf" => Self::AllOf,
            "$ref" => Self::Reference,
            "$dynamicRef" | "$recursiveRef" => Self::DynamicReference,
            "$defs" | "definitions" => Self::Definitions,
            "anyOf"
            | "oneOf"
            | "not"
            | "if"
            | "then"
            | "else"
            | "additionalProperties"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "contains"
            | "propertyNames"
            | "contentSchema" => Self::Conditional,
            "patternProperties" | "dependentSchemas" => Self::ConditionalByName,
            "const" | "enum" | "examples" | "default" => Self::Data,
            _ => Self::Other,
        }
    }

    /// Whether the names in its value are names of members and not keywords.
    pub(super) const fn is_by_name(self) -> bool {
        matches!(
            self,
            Self::Properties | Self::Definitions | Self::ConditionalByName
        )
    }
}

/// What a schema declares.
pub(super) fn declared(
    kind: &Value,
    keywords: &Map<String, Value>,
) -> Result<Declared, &'static str> {
    let types = keywords.get("type");
    if kind == NONE {
        return if types.is_some_and(is_text_or_number) {
            Ok(Declared::Harmless)
        } else {
            Err("is `none` on a schema whose type is not `string`, `integer` or `number`")
        };
    }
    if types.and_then(Value::as_str) != Some("string") {
        return Err("stands on a schema whose type is not `string`");
    }
    let known = kind.as_str().and_then(|name| KINDS.find(name));
    known.map(Declared::Personal).ok_or(UNKNOWN_KIND.as_str())
}

/// Whether a `type` allows text or numbers, and nothing in which something else could stand. Several
/// may be named, unlike where something is to be sealed: of a null there is nothing to look at.
fn is_text_or_number(types: &Value) -> bool {
    let one = |name: &Value| {
        let name = name.as_str();
        name.is_some_and(|name| matches!(name, "string" | "integer" | "number"))
    };
    match types {
        Value::Array(names) => {
            names.iter().any(one) && names.iter().all(|name| name == "null" || one(name))
        }
        name => one(name),
    }
}

/// Whether a keyword is [`KEYWORD`], or is as good as surely meant to be.
pub(super) fn is_meant(keyword: &str) -> bool {
    let plain = |text: &str| text.replace(['-', '_', ' '], "").to_lowercase();
    let (keyword, meant) = (plain(keyword), plain(KEYWORD));
    spelling::nearest(&keyword, [&meant].into_iter()).is_some()
}

/// Whether any schema in there declares personal data, or is meant to.
pub(in crate::schemas) fn mentions(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => keywords.iter().any(|(keyword, value)| {
            let role = Role::of(keyword);
            match value {
                _ if is_meant(keyword) => true,
                _ if role == Role::Data => false,
                Value::Object(named) if role.is_by_name() => named.values().any(mentions),
                value => mentions(value),
            }
        }),
        Value::Array(items) => items.iter().any(mentions),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_recognised() {
        for keyword in [
            "x-pii", "x-PII", "X-Pii", "x_pii", "xpii", "xPii", "x-pi", "x-piii", "pii", "x-pil",
        ] {
            assert!(is_meant(keyword), "{keyword}");
        }
        for keyword in [
            "x-ui",
            "type",
            "x-order",
            "pi",
            "",
            "x-description",
            "min",
            "if",
        ] {
            assert!(!is_meant(keyword), "{keyword}");
        }
    }
}

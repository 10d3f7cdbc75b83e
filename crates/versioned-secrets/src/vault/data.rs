//! What Vault answers with.

use std::{collections::BTreeMap, fmt};

use secrecy::SecretString;
use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// The data of an answer, by name. All texts count as secrets: they are wiped when it is dropped, and
/// `Debug` prints the names alone.
#[derive(Default)]
pub struct VaultData(BTreeMap<String, Value>);

enum Value {
    Text(SecretString),
    Number(u64),
    Flag(bool),
    Object(VaultData),
    Other,
}

impl VaultData {
    /// The text of that name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&SecretString> {
        match self.0.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of that name, if it is whole and not negative.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.0.get(name)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean of that name.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The object of that name.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&Self> {
        match self.0.get(name)? {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Every text by its name, if there is nothing else.
    pub(super) fn texts(&self) -> Option<BTreeMap<String, SecretString>> {
        let text = |(name, value): (&String, &Value)| match value {
            Value::Text(text) => Some((name.clone(), text.clone())),
            _ => None,
        };
        self.0.iter().map(text).collect()
    }
}

impl fmt::Debug for VaultData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultData")
            .field("names", &self.0.keys())
            .finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for VaultData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(SecretString::from(text)))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(SecretString::from(text)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            object.insert(name, value);
        }
        Ok(Value::Object(VaultData(object)))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn values_are_read_by_name_and_kind() {
        let json =
            r#"{"a":"x","b":7,"c":true,"d":{"e":"y"},"f":[1,{"g":[]}],"h":null,"i":-1,"j":0.5}"#;
        let data: VaultData = serde_json::from_str(json).unwrap();
        // EXPOSE: compared with what was read, in a test.
        assert_eq!(data.text("a").unwrap().expose_secret(), "x");
        assert_eq!(data.number("b"), Some(7));
        assert_eq!(data.flag("c"), Some(true));
        assert!(data.object("d").unwrap().text("e").is_some());
        for name in ["b", "f", "h", "i", "j", "z"] {
            assert!(
                data.text(name).is_none() && data.flag(name).is_none(),
                "{name}"
            );
        }
        assert!(data.texts().is_none());
        assert_eq!(data.object("d").unwrap().texts().unwrap().len(), 1);
    }

    #[test]
    fn debug_prints_names_alone() {
        let data: VaultData = serde_json::from_str(r#"{"a":"canary","b":{"c":"canary"}}"#).unwrap();
        assert_eq!(
            format!("{data:?}"),
            r#"VaultData { names: ["a", "b"], .. }"#
        );
    }
}

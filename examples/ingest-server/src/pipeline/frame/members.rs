//! The members of an event, or of a lead, before they are looked at.

use serde_json::{Map, Value};

use crate::json;

/// The members that CloudEvents defines, in the order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defined {
    Data,
    DataBase64,
    DataContentType,
    DataSchema,
    Id,
    Source,
    SpecVersion,
    Subject,
    Time,
    Type,
}

/// Every event has most of the defined members and hardly any other: those have a place each, which takes
/// neither a copy of their names nor a search for them.
#[derive(Debug, Default)]
pub(crate) struct Members {
    defined: [Option<Value>; Defined::ALL.len()],
    others: Map<String, Value>,
}

/// The name of a member.
#[derive(Debug)]
pub(crate) enum Name {
    Defined(Defined),
    Other(String),
}

impl Defined {
    pub(crate) const ALL: [Self; 10] = [
        Self::Data,
        Self::DataBase64,
        Self::DataContentType,
        Self::DataSchema,
        Self::Id,
        Self::Source,
        Self::SpecVersion,
        Self::Subject,
        Self::Time,
        Self::Type,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::DataBase64 => "data_base64",
            Self::DataContentType => "datacontenttype",
            Self::DataSchema => "dataschema",
            Self::Id => "id",
            Self::Source => "source",
            Self::SpecVersion => "specversion",
            Self::Subject => "subject",
            Self::Time => "time",
            Self::Type => "type",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "data" => Self::Data,
            "data_base64" => Self::DataBase64,
            "datacontenttype" => Self::DataContentType,
            "dataschema" => Self::DataSchema,
            "id" => Self::Id,
            "source" => Self::Source,
            "specversion" => Self::SpecVersion,
            "subject" => Self::Subject,
            "time" => Self::Time,
            "type" => Self::Type,
            _ => return None,
        })
    }
}

impl Members {
    pub(crate) const fn get(&self, member: Defined) -> Option<&Value> {
        self.defined[member as usize].as_ref()
    }

    pub(crate) const fn take(&mut self, member: Defined) -> Option<Value> {
        self.defined[member as usize].take()
    }

    /// Those that CloudEvents does not define.
    pub(crate) fn into_others(self) -> Map<String, Value> {
        self.others
    }

    /// All of them by name.
    pub(crate) fn into_map(self) -> Map<String, Value> {
        let mut all = self.others;
        for (member, value) in Defined::ALL.into_iter().zip(self.defined) {
            if let Some(value) = value {
                all.insert(member.as_str().to_owned(), value);
            }
        }
        all
    }

    /// Leaves out what is null, but for the data, whose null is a value.
    pub(crate) fn drop_nulls(&mut self) {
        for member in Defined::ALL {
            let place = &mut self.defined[member as usize];
            if member != Defined::Data && place.as_ref().is_some_and(Value::is_null) {
                *place = None;
            }
        }
        if !self.others.is_empty() {
            self.others.retain(|_, value| !value.is_null());
        }
    }

    /// Puts a member where there may be one of its name.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        match Defined::named(name) {
            Some(member) => self.defined[member as usize] = Some(value),
            None => {
                self.others.insert(name.to_owned(), value);
            }
        }
    }
}

/// Boxed, because many of them stand in one list that grows.
impl json::Members for Box<Members> {
    type Name = Name;

    fn name(text: &str) -> Name {
        Defined::named(text).map_or_else(|| Name::Other(text.to_owned()), Name::Defined)
    }

    fn insert(&mut self, name: Name, value: Value) -> Result<(), json::Repeated> {
        match name {
            Name::Other(name) => json::Members::insert(&mut self.others, name, value),
            Name::Defined(member) => match &mut self.defined[member as usize] {
                Some(_) => Err(json::Repeated),
                place => {
                    *place = Some(value);
                    Ok(())
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Box<Members> {
        let object = json::Reader::new(text.as_bytes()).unwrap().into_object();
        object.unwrap().value.unwrap().unwrap()
    }

    #[test]
    fn each_defined_member_has_a_place_and_others_their_names() {
        let names = Defined::ALL.map(Defined::as_str);
        assert!(names.is_sorted());
        let mut all = Map::new();
        for name in names.into_iter().chain(["email", "Data", "ids", ""]) {
            all.insert(name.to_owned(), json!({ "is": name }));
        }
        let members = read(&Value::Object(all.clone()).to_string());
        for member in Defined::ALL {
            assert_eq!(members.get(member), all.get(member.as_str()));
        }
        assert_eq!(members.into_map(), all);
    }

    #[test]
    fn a_name_that_comes_again_is_refused_wherever_it_stands() {
        for text in [
            r#"{"id":1,"id":1}"#,
            r#"{"id":null,"x":1,"\u0069d":2}"#,
            r#"{"x":1,"id":2,"x":3}"#,
        ] {
            let object = json::Reader::new(text.as_bytes()).unwrap();
            let object = object.into_object::<Box<Members>>().unwrap();
            let error = object.value.unwrap_err();
            assert_eq!(error.fault, json::Fault::RepeatedName, "{text}");
        }
    }

    #[test]
    fn of_nulls_only_that_of_the_data_is_kept() {
        let mut members = read(r#"{"data":null,"time":null,"id":"1","x":null,"y":2}"#);
        members.drop_nulls();
        let kept = json!({ "data": null, "id": "1", "y": 2 });
        assert_eq!(Value::Object(members.into_map()), kept);
    }
}

//! Builds values while it reads them.

use std::ops::Range;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};
use serde_json::{Map, Value, map::Entry};

use super::{
    MAX_DEPTH,
    error::{Fault, JsonError},
    number,
};

/// A text in UTF-8 that is going to be read. Whether it is JSON is found out on the way.
#[derive(Debug)]
pub(crate) struct Reader<'t> {
    text: &'t [u8],
    /// Says which sign of the grammar comes next; what is built from it, and how deep, is said here.
    json: Jiter<'t>,
    /// Where the part of the text begins that `json` reads.
    base: usize,
    /// How many objects and arrays may stand within each other.
    levels: usize,
    /// The first thing wrong with the present element that leaves its end to be found.
    flaw: Option<Flaw>,
}

/// What was read of a value, and where that stands in the text.
#[derive(Debug)]
pub(crate) struct Element<T = Value> {
    pub(crate) range: Range<usize>,
    /// An error here is one that leaves the rest of the text readable: a repeated name, or a number
    /// that is not kept.
    pub(crate) value: Result<T, JsonError>,
}

/// What the members of an object are put into as they are read.
pub(crate) trait Members: Default {
    type Name;

    fn name(text: &str) -> Self::Name;

    /// Takes a member, unless there is one of its name.
    fn insert(&mut self, name: Self::Name, value: Value) -> Result<(), Repeated>;
}

/// There is a member of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeated;

/// What comes out of the elements of an array, read one at a time. Nothing comes after an error.
#[derive(Debug)]
pub(crate) struct Elements<'t, T> {
    reader: Reader<'t>,
    next: Next,
    read: Read<Reader<'t>, T>,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    First,
    Further,
    Nothing,
}

/// Reads what is to come out of an element, which begins with this sign, within so many levels.
type Read<R, T> = fn(&mut R, Peek, usize) -> Result<T, Flaw>;

/// A fault, and the byte at which it was found: of the whole text where it is noted, of the part that
/// is being read where it ends the reading.
#[derive(Debug, Clone, Copy)]
struct Flaw(Fault, usize);

impl<'t> Reader<'t> {
    /// # Errors
    /// The text is not UTF-8.
    pub(crate) fn new(text: &'t [u8]) -> Result<Self, JsonError> {
        Self::within(text, MAX_DEPTH)
    }

    /// Reads what is to stand within something else, which has taken the other levels.
    ///
    /// # Errors
    /// The text is not UTF-8.
    pub(super) fn within(text: &'t [u8], levels: usize) -> Result<Self, JsonError> {
        match std::str::from_utf8(text) {
            Ok(_) => Ok(Self {
                text,
                json: Jiter::new(text),
                base: 0,
                levels,
                flaw: None,
            }),
            Err(error) => Err(Fault::NotUtf8.at(text, error.valid_up_to())),
        }
    }

    /// The first byte of the value: `{` of an object, `[` of an array. None of a blank text.
    pub(crate) fn first(&mut self) -> Option<u8> {
        self.json.peek().ok().map(Peek::into_inner)
    }

    /// Reads the one value that the text is.
    ///
    /// # Errors
    /// The text is not JSON, or nested too deeply.
    pub(crate) fn into_element(mut self) -> Result<Element, JsonError> {
        let element = self.whole(Self::value);
        element.map_err(|flaw| self.locate(flaw))
    }

    /// Reads the one value that the text is, which may be an object.
    ///
    /// # Errors
    /// The text is not JSON, or nested too deeply.
    pub(crate) fn into_object<M: Members>(mut self) -> Result<Element<Option<M>>, JsonError> {
        let element = self.whole(Self::object);
        element.map_err(|flaw| self.locate(flaw))
    }

    /// Reads the elements of the array that the text is.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn into_elements(self) -> Elements<'t, Value> {
        self.each(Self::value)
    }

    /// Reads the elements of the array that the text is, which may be objects.
    pub(crate) fn into_objects<M: Members>(self) -> Elements<'t, Option<M>> {
        self.each(Self::object)
    }

    fn each<T>(self, read: Read<Self, T>) -> Elements<'t, T> {
        Elements {
            reader: self,
            next: Next::First,
            read,
        }
    }

    fn whole<T>(&mut self, read: Read<Self, T>) -> Result<Element<T>, Flaw> {
        let peek = self.json.peek()?;
        let element = self.element(peek, read)?;
        self.json.finish()?;
        Ok(element)
    }

    fn element<T>(&mut self, peek: Peek, read: Read<Self, T>) -> Result<Element<T>, Flaw> {
        let start = self.index();
        let value = read(self, peek, self.levels)?;
        Ok(Element {
            range: start..self.index(),
            value: match self.flaw.take() {
                None => Ok(value),
                Some(Flaw(fault, at)) => Err(fault.at(self.text, at)),
            },
        })
    }

    /// `levels` is how many objects and arrays may still be opened within each other.
    fn value(&mut self, peek: Peek, levels: usize) -> Result<Value, Flaw> {
        Ok(match peek {
            Peek::Object => Value::Object(self.members(self.descend(levels)?)?),
            Peek::Array => self.array(self.descend(levels)?)?,
            Peek::String => Value::String(self.json.known_str()?.to_owned()),
            Peek::Null => {
                self.json.known_null()?;
                Value::Null
            }
            Peek::True | Peek::False => Value::Bool(self.json.known_bool(peek)?),
            peek => self.number(peek)?,
        })
    }

    fn descend(&self, levels: usize) -> Result<usize, Flaw> {
        let too_deep = Flaw(Fault::TooDeep, self.json.current_index());
        levels.checked_sub(1).ok_or(too_deep)
    }

    fn array(&mut self, levels: usize) -> Result<Value, Flaw> {
        let mut items = Vec::new();
        let mut next = self.json.known_array()?;
        while let Some(peek) = next {
            items.push(self.value(peek, levels)?);
            next = self.json.array_step()?;
        }
        Ok(Value::Array(items))
    }

    fn object<M: Members>(&mut self, peek: Peek, levels: usize) -> Result<Option<M>, Flaw> {
        if matches!(peek, Peek::Object) {
            return Ok(Some(self.members(self.descend(levels)?)?));
        }
        self.value(peek, levels)?;
        Ok(None)
    }

    fn members<M: Members>(&mut self, levels: usize) -> Result<M, Flaw> {
        let mut members = M::default();
        let mut before = self.index();
        let mut next = self.json.known_object()?.map(M::name);
        while let Some(name) = next {
            let peek = self.json.peek()?;
            let value = self.value(peek, levels)?;
            if members.insert(name, value) == Err(Repeated) {
                self.note(Fault::RepeatedName, self.quote_after(before));
            }
            before = self.index();
            next = self.json.next_key()?.map(M::name);
        }
        Ok(members)
    }

    fn number(&mut self, peek: Peek) -> Result<Value, Flaw> {
        let start = self.index();
        let kept = match self.json.known_number_bytes(peek) {
            Ok(digits) => std::str::from_utf8(digits).ok().and_then(number::exact),
            // More digits than jiter reads on from. None of them is kept, but what follows is read.
            Err(error) if is_out_of_range(&error) => {
                let end = number::end(self.text, start);
                let end = end.map_err(|at| Flaw(Fault::Broken, at - self.base))?;
                self.json = Jiter::new(&self.text[end..]);
                self.base = end;
                None
            }
            Err(error) => return Err(error.into()),
        };
        Ok(kept.map_or_else(
            || {
                self.note(Fault::InexactNumber, start);
                Value::Null
            },
            Value::Number,
        ))
    }

    /// Where a member's name begins: nothing but blanks and a comma stand before it.
    fn quote_after(&self, before: usize) -> usize {
        let name = self.text[before..].iter().position(|byte| *byte == b'"');
        before + name.unwrap_or_default()
    }

    fn note(&mut self, fault: Fault, at: usize) {
        self.flaw.get_or_insert(Flaw(fault, at));
    }

    /// The byte of the text that comes next.
    fn index(&self) -> usize {
        self.base + self.json.current_index()
    }

    /// A flaw that ended the reading, which counts from the part that was being read.
    fn locate(&self, Flaw(fault, at): Flaw) -> JsonError {
        fault.at(self.text, self.base + at)
    }
}

impl Members for Map<String, Value> {
    type Name = String;

    fn name(text: &str) -> String {
        text.to_owned()
    }

    fn insert(&mut self, name: String, value: Value) -> Result<(), Repeated> {
        match self.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(value);
                Ok(())
            }
            Entry::Occupied(_) => Err(Repeated),
        }
    }
}

impl<T> Elements<'_, T> {
    fn step(&mut self) -> Result<Option<Element<T>>, Flaw> {
        let json = &mut self.reader.json;
        let peek = match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::First => json.next_array()?,
            Next::Further => json.array_step()?,
            Next::Nothing => return Ok(None),
        };
        let Some(peek) = peek else {
            json.finish()?;
            return Ok(None);
        };
        let element = self.reader.element(peek, self.read)?;
        self.next = Next::Further;
        Ok(Some(element))
    }
}

impl<T> Iterator for Elements<'_, T> {
    type Item = Result<Element<T>, JsonError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        step.map_err(|flaw| self.reader.locate(flaw)).transpose()
    }
}

const fn is_out_of_range(error: &JiterError) -> bool {
    let JiterErrorType::JsonError(error) = &error.error_type else {
        return false;
    };
    matches!(error, JsonErrorType::NumberOutOfRange)
}

impl From<JiterError> for Flaw {
    fn from(error: JiterError) -> Self {
        use JsonErrorType::{
            EofWhileParsingList, EofWhileParsingObject, EofWhileParsingString, EofWhileParsingValue,
        };
        let fault = match error.error_type {
            JiterErrorType::JsonError(
                EofWhileParsingList
                | EofWhileParsingObject
                | EofWhileParsingString
                | EofWhileParsingValue,
            ) => Fault::EndsEarly,
            _ => Fault::Broken,
        };
        Self(fault, error.index)
    }
}

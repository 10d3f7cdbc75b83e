//! One step after another through a JSON text.

use std::{fmt::Write, mem, str};

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};

use super::{JsonError, JsonPart, MAX_JSON_DEPTH};

/// What is left to read.
#[derive(Debug)]
pub(super) struct Walk<'j> {
    text: &'j [u8],
    json: Jiter<'j>,
    /// Where the part of the text begins that `json` reads.
    base: usize,
    levels: Levels,
    next: Next,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    /// The value that the text is.
    First,
    /// A value that begins with this sign.
    Value(Peek),
    /// What follows a value.
    Further,
    Nothing,
}

/// The arrays and objects around what is read, from the outermost to the innermost.
#[derive(Debug)]
pub(super) struct Levels(Vec<Level>);

#[derive(Debug)]
enum Level {
    Array { index: usize },
    Object { key: String },
}

enum Fault {
    Json(JiterError),
    TooDeep,
}

impl<'j> Walk<'j> {
    pub(super) fn new(text: &'j [u8]) -> Self {
        Self {
            text,
            json: Jiter::new(text),
            base: 0,
            levels: Levels(Vec::new()),
            next: Next::First,
        }
    }

    /// Reads on, and shows the key, text or number that it comes by, if it is one; `None` at the end
    /// of the text, and after an error.
    pub(super) fn step(
        &mut self,
        show: impl FnOnce(&Levels, JsonPart, &str),
    ) -> Option<Result<(), JsonError>> {
        let step = match mem::replace(&mut self.next, Next::Nothing) {
            Next::First => self.json.peek().map(Next::Value).map_err(Fault::from),
            Next::Value(peek) => self.value(peek, show),
            Next::Further => self.further(show),
            Next::Nothing => return None,
        };
        let step = step.map(|next| self.next = next);
        Some(step.map_err(|fault| match fault {
            Fault::Json(error) => JsonError::Malformed {
                offset: self.base + error.index,
            },
            Fault::TooDeep => JsonError::TooDeep {
                offset: self.base + self.json.current_index(),
            },
        }))
    }

    fn value(
        &mut self,
        peek: Peek,
        show: impl FnOnce(&Levels, JsonPart, &str),
    ) -> Result<Next, Fault> {
        match peek {
            Peek::Object | Peek::Array if self.levels.0.len() == MAX_JSON_DEPTH => {
                return Err(Fault::TooDeep);
            }
            Peek::Object => {
                if let Some(key) = self.json.known_object()? {
                    let key = key.to_owned();
                    self.levels.0.push(Level::Object { key });
                    return self.member(show);
                }
            }
            Peek::Array => {
                if let Some(peek) = self.json.known_array()? {
                    self.levels.0.push(Level::Array { index: 0 });
                    return Ok(Next::Value(peek));
                }
            }
            Peek::String => show(&self.levels, JsonPart::Text, self.json.known_str()?),
            Peek::Null => self.json.known_null()?,
            Peek::True | Peek::False => {
                self.json.known_bool(peek)?;
            }
            _ => self.number(peek, show)?,
        }
        Ok(Next::Further)
    }

    fn further(&mut self, show: impl FnOnce(&Levels, JsonPart, &str)) -> Result<Next, Fault> {
        match self.levels.0.last_mut() {
            None => {
                self.json.finish()?;
                return Ok(Next::Nothing);
            }
            Some(Level::Array { index }) => {
                if let Some(peek) = self.json.array_step()? {
                    *index += 1;
                    return Ok(Next::Value(peek));
                }
            }
            Some(Level::Object { key }) => {
                if let Some(next) = self.json.next_key()? {
                    key.clear();
                    key.push_str(next);
                    return self.member(show);
                }
            }
        }
        self.levels.0.pop();
        Ok(Next::Further)
    }

    /// The key that was read last.
    fn member(&mut self, show: impl FnOnce(&Levels, JsonPart, &str)) -> Result<Next, Fault> {
        if let Some(Level::Object { key }) = self.levels.0.last() {
            show(&self.levels, JsonPart::Key, key);
        }
        Ok(Next::Value(self.json.peek()?))
    }

    fn number(
        &mut self,
        peek: Peek,
        show: impl FnOnce(&Levels, JsonPart, &str),
    ) -> Result<(), Fault> {
        let start = self.base + self.json.current_index();
        let digits = match self.json.known_number_bytes(peek) {
            Ok(digits) => digits,
            // More digits than jiter reads on from.
            Err(error) if is_out_of_range(&error) => {
                let rest = &self.text[start..];
                let is_part = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let length = rest.iter().take_while(is_part).count();
                self.base = start + length;
                self.json = Jiter::new(&rest[length..]);
                &rest[..length]
            }
            Err(error) => return Err(error.into()),
        };
        if let Ok(digits) = str::from_utf8(digits) {
            show(&self.levels, JsonPart::Number, digits);
        }
        Ok(())
    }
}

impl Levels {
    /// The key of the nearest member around a part; empty if there is none.
    pub(super) fn name(&self, part: JsonPart) -> &str {
        let itself = usize::from(part == JsonPart::Key);
        let mut keys = self.0.iter().rev().skip(itself).filter_map(Level::key);
        keys.next().unwrap_or_default()
    }

    pub(super) fn pointer(&self) -> String {
        let mut pointer = String::new();
        for level in &self.0 {
            pointer.push('/');
            match level {
                Level::Array { index } => {
                    write!(pointer, "{index}").expect("a string takes all that is written to it");
                }
                Level::Object { key } => {
                    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                }
            }
        }
        pointer
    }
}

impl Level {
    fn key(&self) -> Option<&str> {
        match self {
            Self::Array { .. } => None,
            Self::Object { key } => Some(key),
        }
    }
}

impl From<JiterError> for Fault {
    fn from(error: JiterError) -> Self {
        Self::Json(error)
    }
}

fn is_out_of_range(error: &JiterError) -> bool {
    error.error_type == JiterErrorType::JsonError(JsonErrorType::NumberOutOfRange)
}

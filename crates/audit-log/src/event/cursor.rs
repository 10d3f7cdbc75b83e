//! Goes through a leaf from its first byte to its last.

use super::{LeafError, id, label::is_label};

#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Of an ASCII text, in which every byte is a character.
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) const fn wanted(&self, expected: &'static str) -> LeafError {
        let at = self.at;
        LeafError { at, expected }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// What lies behind `start`.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Goes past `expected` if it stands here.
    pub(super) fn skip(&mut self, expected: &str) -> bool {
        let stands_here = self.rest().starts_with(expected);
        if stands_here {
            self.at += expected.len();
        }
        stands_here
    }

    pub(super) fn literal(&mut self, expected: &'static str) -> Result<(), LeafError> {
        if self.skip(expected) {
            Ok(())
        } else {
            Err(self.wanted(expected))
        }
    }

    /// A number without leading zeros.
    pub(super) fn number(&mut self) -> Result<u64, LeafError> {
        let rest = self.rest();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let text = rest.get(..digits).unwrap_or_default();
        if digits > 1 && text.starts_with('0') {
            return Err(self.wanted("a number without leading zeros"));
        }
        let number = text
            .parse()
            .map_err(|_| self.wanted("a number of 64 bits"))?;
        self.at += digits;
        Ok(number)
    }

    /// What stands before the next quotation mark, as `parse` understands it; the mark is passed too.
    pub(super) fn quoted<T>(
        &mut self,
        expected: &'static str,
        parse: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, LeafError> {
        let text = self.rest().split_once('"').map(|(text, _)| text);
        let (text, value) = text
            .and_then(|text| Some((text, parse(text)?)))
            .ok_or_else(|| self.wanted(expected))?;
        self.at += text.len() + 1;
        Ok(value)
    }

    pub(super) fn label(&mut self, expected: &'static str) -> Result<&'a str, LeafError> {
        self.quoted(expected, |text| is_label(text.as_bytes()).then_some(text))
    }

    pub(super) fn id(&mut self, expected: &'static str) -> Result<&'a str, LeafError> {
        self.quoted(expected, |text| {
            id::check(text.as_bytes()).is_ok().then_some(text)
        })
    }

    /// A list up to its closing bracket, the opening one being passed; the number of items.
    pub(super) fn list(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), LeafError>,
    ) -> Result<usize, LeafError> {
        if self.skip("]") {
            return Ok(0);
        }
        let mut count = 0;
        loop {
            item(self)?;
            count += 1;
            if self.skip("]") {
                return Ok(count);
            }
            self.literal(",")?;
        }
    }
}

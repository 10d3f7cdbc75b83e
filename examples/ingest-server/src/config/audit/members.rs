//! A document of TOML, of which each member is read once, so that what nobody reads is told.

use std::{collections::BTreeSet, fmt::Display};

use toml::de::{DeTable, DeValue};

/// What is wrong, and where the text has it. It repeats nothing of the text, as that may be a secret in the wrong place.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) offset: usize,
    pub(super) why: String,
}

/// A table whose members are read.
#[derive(Debug)]
pub(super) struct Members<'a> {
    table: &'a DeTable<'a>,
    offset: usize,
    read: BTreeSet<&'static str>,
}

/// A member, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<T> {
    name: &'static str,
    offset: usize,
    pub(super) value: T,
}

/// Reads a document. What is wrong with it is told by its line.
pub(super) fn document<T>(
    text: &[u8],
    read: impl FnOnce(&DeTable<'_>) -> Result<T, Wrong>,
) -> Result<T, String> {
    let told = |offset: usize, why: &str| {
        let before = text.get(..offset).unwrap_or(text);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        format!("line {line}: {why}")
    };
    let utf8 = std::str::from_utf8(text)
        .map_err(|error| told(error.valid_up_to(), "is not UTF-8 text"))?;
    let table = DeTable::parse(utf8).map_err(|error| {
        let why = format!("is not TOML: {}", error.message());
        told(error.span().unwrap_or_default().start, &why)
    })?;
    read(table.get_ref()).map_err(|Wrong { offset, why }| told(offset, &why))
}

impl Wrong {
    pub(super) fn at(offset: usize, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { offset, why }
    }
}

impl<T> Member<T> {
    pub(super) fn wrong(&self, why: impl Display) -> Wrong {
        Wrong::at(self.offset, format!("`{}` {why}", self.name))
    }
}

impl<'a> Members<'a> {
    pub(super) const fn new(table: &'a DeTable<'a>, offset: usize) -> Self {
        let read = BTreeSet::new();
        Self {
            table,
            offset,
            read,
        }
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<Member<&'a str>>, Wrong> {
        let Some(member) = self.member(name) else {
            return Ok(None);
        };
        let DeValue::String(text) = member.value else {
            return Err(member.wrong("must be a text"));
        };
        let value = text.as_ref();
        let Member { name, offset, .. } = member;
        Ok(Some(Member {
            name,
            offset,
            value,
        }))
    }

    pub(super) fn required(&mut self, name: &'static str) -> Result<Member<&'a str>, Wrong> {
        let missing = Wrong::at(self.offset, format!("`{name}` is missing"));
        self.text(name)?.ok_or(missing)
    }

    pub(super) fn texts(&mut self, name: &'static str) -> Result<Vec<Member<&'a str>>, Wrong> {
        let Some(member) = self.member(name) else {
            return Ok(Vec::new());
        };
        let wrong = || member.wrong("must be a list of texts");
        let items = member.value.as_array().ok_or_else(wrong)?;
        let texts = items.iter().map(|item| {
            let value = item.get_ref().as_str().ok_or_else(wrong)?;
            let offset = item.span().start;
            Ok(Member {
                name,
                offset,
                value,
            })
        });
        texts.collect()
    }

    /// False if it is not there.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, Wrong> {
        let Some(member) = self.member(name) else {
            return Ok(false);
        };
        let wrong = || member.wrong("must be `true` or `false`");
        member.value.as_bool().ok_or_else(wrong)
    }

    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<u32>, Wrong> {
        let Some(member) = self.member(name) else {
            return Ok(None);
        };
        let number = member.value.as_integer();
        let number = number.and_then(|it| u32::from_str_radix(it.as_str(), it.radix()).ok());
        let wrong = || member.wrong("must be a number from 0 to 4294967295");
        number.map(Some).ok_or_else(wrong)
    }

    /// Fails if there is a member that nobody has read, of what is called so.
    pub(super) fn end(self, what: &str) -> Result<(), Wrong> {
        let is_unread = |name: &str| !self.read.contains(name);
        let mut names = self.table.iter().map(|(name, _)| name);
        match names.find(|name| is_unread(name.get_ref())) {
            Some(name) => {
                let why = format!("is nothing that {what} has");
                Err(Wrong::at(name.span().start, why))
            }
            None => Ok(()),
        }
    }

    fn member(&mut self, name: &'static str) -> Option<Member<&'a DeValue<'a>>> {
        self.read.insert(name);
        let (key, value) = self.table.get_key_value(name)?;
        Some(Member {
            name,
            offset: key.span().start,
            value: value.get_ref(),
        })
    }
}

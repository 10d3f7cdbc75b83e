//! The file that says where entries of the audit log are delivered to.

mod receiver;

use std::path::PathBuf;

use toml::de::{DeTable, DeValue};

use super::members::{Members, Wrong, document};
use crate::files::FilePolicy;

pub(crate) use self::receiver::{Receiver, WebhookTexts};

/// The sinks that an operator gave, in the order of their names.
#[derive(Debug)]
pub(crate) struct GivenSinks {
    pub(crate) sinks: Vec<AuditSink>,
    /// The files that hold their secrets.
    pub(crate) secret_files: Vec<PathBuf>,
}

/// One that takes entries.
#[derive(Debug)]
pub(crate) struct AuditSink {
    /// 1 to 32 of `a-z`, `0-9` and `-`.
    pub(crate) name: String,
    pub(crate) receiver: Receiver,
}

const MOST_SINKS: usize = 16;
const MOST_NAME: usize = 32;

impl FilePolicy for GivenSinks {
    fn from_text(text: &[u8]) -> Result<Self, String> {
        document(text, read)
    }
}

fn read(document: &DeTable<'_>) -> Result<GivenSinks, Wrong> {
    let mut given = GivenSinks {
        sinks: Vec::new(),
        secret_files: Vec::new(),
    };
    for (key, value) in document.iter() {
        let offset = key.span().start;
        let (true, DeValue::Table(sinks)) = (key.get_ref() == "sink", value.get_ref()) else {
            return Err(Wrong::at(offset, "must be a table `[sink.NAME]`"));
        };
        for (name, sink) in sinks.iter() {
            let offset = name.span().start;
            let name = name.get_ref();
            if !is_name(name) {
                let why = "the name of a sink must be 1 to 32 of `a` to `z`, digits and `-`";
                return Err(Wrong::at(offset, why));
            }
            let DeValue::Table(table) = sink.get_ref() else {
                return Err(Wrong::at(offset, "must be a table `[sink.NAME]`"));
            };
            let mut members = Members::new(table, offset);
            let receiver = Receiver::read(&mut members, &mut given.secret_files)?;
            members.end("a sink of this kind")?;
            let name = name.to_string();
            given.sinks.push(AuditSink { name, receiver });
        }
    }
    given.sinks.sort_by(|one, other| one.name.cmp(&other.name));
    if given.sinks.len() > MOST_SINKS {
        let why = format!("has more than {MOST_SINKS} sinks");
        return Err(Wrong::at(0, why));
    }
    Ok(given)
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MOST_NAME).contains(&name.len()) && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests;

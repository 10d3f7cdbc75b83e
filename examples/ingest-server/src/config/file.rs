//! The file of settings: TOML, one level, without secrets.

use std::{collections::BTreeMap, path::Path};

use toml::de::{DeTable, DeValue};

use super::{given::Given, origin::Origin, problems::Problems, setting::Setting, settings};
use crate::{files, spelling};

/// Far more than every setting with a comment takes.
const MAX_BYTES: usize = 256 * 1024;

/// A longer key is no name of a setting.
const MAX_NAME_CHARS: usize = 40;

/// Reads the settings that the file gives, by variable.
pub(super) fn read(path: &Path, problems: &mut Problems) -> BTreeMap<&'static str, Given> {
    let mut values = BTreeMap::new();
    let Some(text) = read_text(path, problems) else {
        return values;
    };
    let lines = Lines { path, text: &text };
    let mut entries = match DeTable::parse(&text) {
        Ok(table) => table.into_inner().into_iter().collect::<Vec<_>>(),
        Err(error) => {
            let at = error.span().unwrap_or_default();
            // Without a word of what stands there: it may be a secret in the wrong place.
            let what = match error.message() {
                "duplicate key" => "sets a key again",
                _ => "is not TOML",
            };
            problems.add(&lines.position(at.start), what);
            return values;
        }
    };
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let at = key.span().start;
        let Some((setting, name)) = settings::of_key(key.get_ref()) else {
            problems.add(&lines.position(at), unknown_key(key.get_ref()));
            continue;
        };
        let origin = lines.key(at, name);
        match as_text(setting, value.get_ref()) {
            Ok(text) => {
                values.insert(setting.variable, Given { text, origin });
            }
            Err(expected) => problems.add(&origin, format!("must be {expected}")),
        }
    }
    values
}

fn read_text(path: &Path, problems: &mut Problems) -> Option<String> {
    let bytes = match files::read(path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => {
            problems.add(&Origin::Flag("config"), format!("names what {error}"));
            return None;
        }
    };
    let valid = match std::str::from_utf8(&bytes) {
        Ok(text) => return Some(text.to_owned()),
        Err(error) => error.valid_up_to(),
    };
    let text = &String::from_utf8_lossy(&bytes[..valid]);
    problems.add(&Lines { path, text }.position(valid), "is not UTF-8 text");
    None
}

/// A value as it would stand in the environment, or what it must be instead.
fn as_text(setting: &Setting, value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Integer(number) if setting.takes_number => Ok(number.to_string()),
        DeValue::Float(number) if setting.takes_number => Ok(number.as_str().to_owned()),
        _ if setting.takes_number => Err("a number"),
        _ => Err("text in quotes"),
    }
}

/// Finds lines and columns, both from 1.
struct Lines<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Lines<'_> {
    fn key(&self, offset: usize, key: &'static str) -> Origin {
        Origin::Key {
            path: self.path.to_owned(),
            line: self.line(offset),
            key,
        }
    }

    fn position(&self, offset: usize) -> Origin {
        let before = self.before(offset);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Origin::Position {
            path: self.path.to_owned(),
            line: self.line(offset),
            column: 1 + before[start..].chars().count(),
        }
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.before(offset).matches('\n').count()
    }

    fn before(&self, offset: usize) -> &str {
        self.text.get(..offset).unwrap_or(self.text)
    }
}

fn unknown_key(key: &str) -> String {
    if let Some(variable) = secret_variable(key) {
        return format!("secrets do not belong in the file: set {variable} in the environment");
    }
    let name = if looks_like_a_name(key) {
        format!("`{key}` is not a setting")
    } else {
        "the key is not a setting".to_owned()
    };
    let meant = key.to_ascii_lowercase().replace('-', "_");
    let meant = meant.strip_prefix("ingest_").unwrap_or(&meant);
    match spelling::nearest(meant, settings::keys()) {
        Some(known) => format!("{name}; did you mean `{known}`?"),
        None => {
            let known: Vec<_> = settings::keys().collect();
            format!("{name}; known are {}", known.join(", "))
        }
    }
}

/// The variable of a secret that somebody set in the file, with or without its prefix.
fn secret_variable(key: &str) -> Option<String> {
    let upper = key.to_ascii_uppercase().replace('-', "_");
    let mut variables = settings::secrets().flat_map(Setting::variables);
    variables.find(|variable| {
        let (_, name) = variable.split_once('_').unwrap_or(("", variable));
        *variable == upper || name == upper
    })
}

/// Whether a key may be repeated in a message. Anything that does not look like a name may be a
/// secret that was pasted into the wrong place.
pub(super) fn looks_like_a_name(key: &str) -> bool {
    let of_one_case = |is_case: fn(&u8) -> bool| {
        key.bytes()
            .all(|byte| is_case(&byte) || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'))
    };
    let bytes = key.as_bytes();
    bytes.len() <= MAX_NAME_CHARS
        && bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && (of_one_case(u8::is_ascii_lowercase) || of_one_case(u8::is_ascii_uppercase))
        && !bytes
            .windows(2)
            .any(|pair| pair.iter().all(u8::is_ascii_digit))
}

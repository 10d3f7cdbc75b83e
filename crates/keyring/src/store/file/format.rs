//! The text of a file of keys, version 1.
//!
//! ```text
//! portcullis-keys 1 <stamp> <changes> <number of keys> <number of erased tenants> <sum>
//! key <id> <state> <made, ms> <in this state since, ms> <tenant> <purpose> <wrapped> <sum>
//! erased <tenant> <sum>
//! ```
//! Each line ends with the first 8 bytes of the SHA-256 of what stands before it, space excluded. Keys come by
//! their ids, then erased tenants by their names. There is one way to write each line, and no other is read.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
    str::FromStr,
    time::SystemTime,
};

use ring::digest::{SHA256, digest};

use crate::{
    KeyId, KeyState, Purpose, TenantId,
    kek::{KekContext, WrappedKey},
    store::{
        StoreError, StoredKey,
        row::{self, milliseconds},
        tables::Tables,
    },
};

/// Another in each file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(pub(super) [u8; 8]);

/// Where a file is not what this module writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) line: usize,
    pub(super) what: &'static str,
}

#[derive(Debug, thiserror::Error)]
#[error("{}, line {line}: {what}", path.display())]
struct DamagedFile {
    path: PathBuf,
    line: usize,
    what: &'static str,
}

impl Damage {
    pub(super) fn in_file(self, path: &Path) -> StoreError {
        let Self { line, what } = self;
        let path = path.to_owned();
        let damaged = DamagedFile { path, line, what };
        if what == LATER {
            StoreError::Migration(damaged.into())
        } else {
            StoreError::Corrupt(damaged.into())
        }
    }
}

pub(super) fn write(tables: &Tables, stamp: Stamp) -> String {
    let mut text = String::new();
    let (keys, erased) = (tables.all(), tables.erased());
    let head = Head {
        stamp,
        changes: tables.changes(),
        keys: keys.len(),
        erased: erased.len(),
    };
    finish(&mut text, head.line());
    for key in keys {
        finish(&mut text, key_line(key));
    }
    for tenant in erased {
        finish(&mut text, erased_line(tenant));
    }
    text
}

/// The stamp of a file that begins so.
pub(super) fn stamp(begins: &[u8]) -> Result<Stamp, Damage> {
    let line = begins.split(|byte| *byte == b'\n').next();
    Ok(Head::parse(line.unwrap_or_default())?.stamp)
}

pub(super) fn parse(text: &[u8]) -> Result<Tables, Damage> {
    let at = |line: usize| move |what| Damage { line, what };
    let mut lines = (1..).zip(text.split_inclusive(|byte| *byte == b'\n'));
    let (_, first) = lines.next().unwrap_or((1, b""));
    let head = Head::parse(first.strip_suffix(b"\n").unwrap_or(first))?;
    if !first.ends_with(b"\n") {
        return Err(at(1)(CUT));
    }
    // A line whose end is missing is not whole.
    let mut whole_line = || lines.next()?.1.strip_suffix(b"\n");

    let mut tables = Tables::default();
    let mut last = None;
    let first_erased = head.keys.saturating_add(2);
    for number in 2..first_erased {
        let line = whole_line().ok_or(CUT).map_err(at(number))?;
        let key = parse_key(line).map_err(at(number))?;
        if last.is_some_and(|last| last >= key.id()) {
            return Err(at(number)("its key does not come after the one before"));
        }
        last = Some(key.id());
        let inserted = tables.insert(&key);
        inserted.map_err(|_| at(number)("its tenant and purpose have a key in this state"))?;
    }
    let mut erased = BTreeSet::new();
    for number in first_erased..first_erased.saturating_add(head.erased) {
        let line = whole_line().ok_or(CUT).map_err(at(number))?;
        let tenant = parse_erased(line).map_err(at(number))?;
        if erased.last() >= Some(&tenant) {
            return Err(at(number)("its tenant does not come after the one before"));
        }
        erased.insert(tenant);
    }
    if let Some((number, _)) = lines.next() {
        return Err(at(number)("there are more lines than the first one says"));
    }
    tables.restore(erased, head.changes);
    Ok(tables)
}

struct Head {
    stamp: Stamp,
    changes: u64,
    keys: usize,
    erased: usize,
}

impl Head {
    fn line(&self) -> String {
        let stamp = hex(&self.stamp.0);
        let Self {
            changes,
            keys,
            erased,
            ..
        } = self;
        format!("{MAGIC} {VERSION} {stamp} {changes} {keys} {erased}")
    }

    fn parse(line: &[u8]) -> Result<Self, Damage> {
        let damage = |what| Damage { line: 1, what };
        let text = str::from_utf8(line).map_err(|_| damage(NO_KEYS))?;
        let version = text
            .strip_prefix(MAGIC)
            .and_then(|rest| rest.strip_prefix(' '));
        let version = version.and_then(|rest| rest.split(' ').next());
        match version {
            None => return Err(damage(NO_KEYS)),
            Some(VERSION) => {}
            Some(other) if other.parse::<u32>().is_ok_and(|number| number > 1) => {
                return Err(damage(LATER));
            }
            Some(_) => return Err(damage(NO_KEYS)),
        }
        let text = checked(line).map_err(damage)?;
        let parts = text.split(' ').collect::<Vec<_>>();
        let [_, _, stamp, changes, keys, erased] = parts[..] else {
            return Err(damage(MALFORMED));
        };
        let head = || {
            Some(Self {
                stamp: Stamp(unhex(stamp)?.try_into().ok()?),
                changes: changes.parse().ok()?,
                keys: keys.parse().ok()?,
                erased: erased.parse().ok()?,
            })
        };
        let head = head().filter(|head| head.line() == text);
        head.ok_or_else(|| damage(MALFORMED))
    }
}

fn key_line(key: &StoredKey) -> String {
    let wrapped = key.wrapped().map(|wrapped| hex(wrapped.as_bytes()));
    format!(
        "key {:08x} {} {} {} {} {} {}",
        key.id().value(),
        key.state(),
        milliseconds(key.created_at()),
        milliseconds(key.state_since()),
        escape(key.tenant().as_str()),
        escape(key.purpose().as_str()),
        wrapped.as_deref().unwrap_or("-"),
    )
}

fn parse_key(line: &[u8]) -> Result<StoredKey, &'static str> {
    let text = checked(line)?;
    let parts = text.split(' ').collect::<Vec<_>>();
    let ["key", id, state, made, since, tenant, purpose, wrapped] = parts[..] else {
        return Err(MALFORMED);
    };
    let key = || {
        let context = KekContext::new(
            TenantId::new(&unescape(tenant)?).ok()?,
            Purpose::new(&unescape(purpose)?).ok()?,
            KeyId::new(u32::from_str_radix(id, 16).ok()?),
        );
        let state = KeyState::from_str(state).ok()?;
        let key = match wrapped {
            "-" => StoredKey::tombstone(context, time(made)?),
            wrapped => {
                let wrapped = WrappedKey::from_bytes(unhex(wrapped)?);
                StoredKey::new(context, state, wrapped, time(made)?)
            }
        };
        Some(key.since(time(since)?))
    };
    // A tombstone in another state, or another way to write the same, is nothing that was written here.
    let key = key().filter(|key| key_line(key) == text);
    key.ok_or(MALFORMED)
}

fn erased_line(tenant: &TenantId) -> String {
    format!("erased {}", escape(tenant.as_str()))
}

fn parse_erased(line: &[u8]) -> Result<TenantId, &'static str> {
    let text = checked(line)?;
    let tenant = text.strip_prefix("erased ").and_then(unescape);
    let tenant = tenant.and_then(|tenant| TenantId::new(&tenant).ok());
    let tenant = tenant.filter(|tenant| erased_line(tenant) == text);
    tenant.ok_or(MALFORMED)
}

fn finish(text: &mut String, line: String) {
    let sum = sum(&line);
    text.push_str(&line);
    text.push(' ');
    text.push_str(&sum);
    text.push('\n');
}

fn checked(line: &[u8]) -> Result<&str, &'static str> {
    let line = str::from_utf8(line).map_err(|_| SUM)?;
    let (text, found) = line.rsplit_once(' ').ok_or(SUM)?;
    if found == sum(text) {
        Ok(text)
    } else {
        Err(SUM)
    }
}

fn sum(line: &str) -> String {
    hex(&digest(&SHA256, line.as_bytes()).as_ref()[..8])
}

/// Names may have any characters; these stay as they are.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:@/".contains(&byte)
}

fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if is_plain(byte) {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02x}").expect("a string takes all");
        }
    }
    escaped
}

fn unescape(escaped: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            bytes.extend(unhex(str::from_utf8(digits).ok()?)?);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes all");
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8; 2]| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok();
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

fn time(milliseconds: &str) -> Option<SystemTime> {
    row::time(milliseconds.parse().ok()?)
}

const MAGIC: &str = "portcullis-keys";
const VERSION: &str = "1";

const NO_KEYS: &str = "this is not a file of data keys";
const LATER: &str = "a later version of the program has written the file: use that one";
const MALFORMED: &str = "the line is not one of a file of data keys";
const SUM: &str = "its checksum is not that of the line";
const CUT: &str = "the file ends here, before all that the first line says";

#[cfg(test)]
mod tests;

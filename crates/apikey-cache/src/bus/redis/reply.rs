//! What a server answers, in either protocol.

use std::collections::HashMap;

use redis::{FromRedisValue as _, Value};

use super::{
    entry::{self, Entry},
    entry_id::EntryId,
    failure::Failure,
};
use crate::bus::BusError;

pub(super) const NO_STREAM: BusError =
    BusError::Malformed("what should be a stream of notices is another thing");

/// Of a field and of its value, in bytes; the longest that a cache writes has 170.
const LONGEST: usize = 256;

/// From an answer to `XREAD` of one stream, in either protocol.
pub(super) fn entries(read: Value) -> Result<Vec<(EntryId, Entry)>, BusError> {
    let read = read.extract_error().map_err(Failure::from)?;
    let entries = match read {
        Value::Nil => return Ok(Vec::new()),
        Value::Array(streams) => match streams.into_iter().next() {
            Some(Value::Array(stream)) => stream.into_iter().nth(1),
            _ => None,
        },
        Value::Map(streams) => streams.into_iter().next().map(|(_, entries)| entries),
        _ => None,
    };
    let Some(Value::Array(entries)) = entries else {
        return Err(NO_STREAM);
    };
    entries.into_iter().map(entry_of).collect()
}

fn entry_of(entry: Value) -> Result<(EntryId, Entry), BusError> {
    let Value::Array(entry) = entry else {
        return Err(NO_STREAM);
    };
    let mut entry = entry.into_iter();
    let id = id(entry.next())?;
    let fields = entry.next().ok_or(NO_STREAM)?;
    // What others wrote has no MAC, whatever it is, and nothing of it is kept.
    let fields = is_short(&fields).then(|| HashMap::<String, String>::from_redis_value(fields));
    let mut fields = fields.and_then(Result::ok).unwrap_or_default();
    let mut field = |name: &str| fields.remove(name).unwrap_or_default();
    let entry = Entry {
        notice: field(entry::NOTICE),
        mac: field(entry::MAC),
    };
    Ok((id, entry))
}

/// Whether there are two fields, of about the size that those of a notice have.
fn is_short(fields: &Value) -> bool {
    let Value::Array(fields) = fields else {
        return false;
    };
    let is_short =
        |field: &Value| matches!(field, Value::BulkString(bytes) if bytes.len() <= LONGEST);
    fields.len() == 4 && fields.iter().all(is_short)
}

pub(super) fn id(value: Option<Value>) -> Result<EntryId, BusError> {
    let text = String::from_redis_value(value.ok_or(NO_STREAM)?).map_err(|_| NO_STREAM)?;
    text.parse().map_err(|()| NO_STREAM)
}

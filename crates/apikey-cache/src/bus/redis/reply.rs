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
    // What others wrote has no MAC, whatever it is.
    let mut fields = HashMap::<String, String>::from_redis_value(fields).unwrap_or_default();
    let mut field = |name: &str| fields.remove(name).unwrap_or_default();
    let entry = Entry {
        notice: field(entry::NOTICE),
        mac: field(entry::MAC),
    };
    Ok((id, entry))
}

pub(super) fn id(value: Option<Value>) -> Result<EntryId, BusError> {
    let text = String::from_redis_value(value.ok_or(NO_STREAM)?).map_err(|_| NO_STREAM)?;
    text.parse().map_err(|()| NO_STREAM)
}

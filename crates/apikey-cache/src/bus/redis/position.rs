//! How far a listener has come in a stream, and how it finds out that it missed something.

use std::collections::HashMap;

use redis::{FromRedisValue as _, Value};

use super::{
    entry_id::EntryId,
    failure::Failure,
    reply::{self, NO_STREAM},
};
use crate::bus::BusError;

const GONE: BusError = BusError::Malformed("the stream of notices is gone");
const WENT_BACK: BusError = BusError::Malformed("the stream of notices is an older one");
const TRIMMED: BusError =
    BusError::Malformed("notices were trimmed from the stream before they were heard");

/// How far a listener has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    /// The last entry heard, or where the stream ended; the start if there was no stream.
    pub(super) last: EntryId,
    /// Whether the stream held an entry up to there: as long as it does, nothing after it was trimmed.
    is_held: bool,
}

impl Position {
    /// Where a stream ends.
    pub(super) fn at_end(stream: Option<Extent>) -> Self {
        stream.map_or_else(Self::default, |stream| stream.position_at(stream.last))
    }

    /// The position after entries were read, of which this was the last, unless something was lost.
    pub(super) fn moved_to(
        self,
        last: Option<EntryId>,
        stream: Option<Extent>,
    ) -> Result<Self, BusError> {
        let last = last.unwrap_or(self.last);
        let Some(stream) = stream else {
            // Perhaps nobody has told anything yet.
            return if last == EntryId::START {
                Ok(self)
            } else {
                Err(GONE)
            };
        };
        if stream.last < last {
            return Err(WENT_BACK);
        }
        let was_trimmed = match stream.first {
            Some(first) => self.is_held && first > self.last,
            None => stream.last > self.last,
        };
        if was_trimmed {
            Err(TRIMMED)
        } else {
            Ok(stream.position_at(last))
        }
    }
}

/// What a stream holds.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// None if it holds nothing.
    first: Option<EntryId>,
    /// The last it has ever held.
    last: EntryId,
}

impl Extent {
    /// From an answer to `XINFO STREAM`; none if there is no stream.
    pub(super) fn read(info: Value) -> Result<Option<Self>, BusError> {
        let info = match info.extract_error() {
            Ok(info) => info,
            Err(error) if error.detail() == Some("no such key") => return Ok(None),
            Err(error) => return Err(Failure::from(error).into()),
        };
        let fields = HashMap::<String, Value>::from_redis_value(info);
        let mut fields = fields.map_err(|_| NO_STREAM)?;
        let mut field = |name: &str| fields.remove(name).ok_or(NO_STREAM);
        let first = match field("first-entry")? {
            Value::Nil => None,
            Value::Array(entry) => Some(reply::id(entry.into_iter().next())?),
            _ => return Err(NO_STREAM),
        };
        let last = reply::id(Some(field("last-generated-id")?))?;
        Ok(Some(Self { first, last }))
    }

    fn position_at(self, last: EntryId) -> Position {
        let is_held = self.first.is_some_and(|first| first <= last);
        Position { last, is_held }
    }
}

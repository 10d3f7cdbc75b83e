//! Which events are asked for.

use std::{borrow::Cow, num::NonZeroU16};

use portcullis_audit_log::{
    event::Timestamp,
    search::{Filter, PageSize, Query, SearchCursor, TermKind},
};

use crate::timestamp;

/// What is asked for, as text. What is left out is everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditRequest {
    /// Whose log, of the processes of this machine; none for this one's.
    pub(crate) log: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) field: Option<String>,
    pub(crate) outcome: Option<String>,
    /// RFC 3339, included.
    pub(crate) from: Option<String>,
    /// RFC 3339, not included.
    pub(crate) to: Option<String>,
    pub(crate) limit: Option<String>,
    pub(crate) cursor: Option<String>,
}

/// A parameter that nothing can be found with. The text names it and repeats nothing of its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{parameter}` {expected}")]
pub(crate) struct InvalidRequest {
    pub(crate) parameter: &'static str,
    pub(crate) expected: &'static str,
}

impl AuditRequest {
    /// As the log takes it.
    ///
    /// # Errors
    /// [`InvalidRequest`] names the first parameter that is malformed.
    pub(crate) fn query(&self) -> Result<Query, InvalidRequest> {
        let mut filter = Filter::new();
        for (kind, value, expected) in [
            (TermKind::Tenant, &self.tenant, "must be a tenant's name"),
            (TermKind::Actor, &self.actor, "must be the id of an actor"),
            (
                TermKind::Action,
                &self.action,
                "must be an action, such as `lead.read`",
            ),
            (
                TermKind::Resource,
                &self.resource,
                "must be the id of a resource",
            ),
            (
                TermKind::Field,
                &self.field,
                "must be a field, such as `lead.email`",
            ),
            (
                TermKind::Outcome,
                &self.outcome,
                "must be one of success, denied, failure, unknown",
            ),
        ] {
            if let Some(value) = value {
                let with = match kind {
                    TermKind::Resource => filter.with(kind, &resource(value)),
                    _ => filter.with(kind, value),
                };
                let parameter = kind.as_str();
                filter = with.map_err(|_| InvalidRequest {
                    parameter,
                    expected,
                })?;
            }
        }
        let from = time("from", self.from.as_deref())?;
        let to = time("to", self.to.as_deref())?;
        if to.is_some_and(|to| !is_period(from, to)) {
            return Err(InvalidRequest {
                parameter: "from",
                expected: "must be earlier than `to`, which is not included",
            });
        }
        if let Some(from) = from {
            filter = filter.from(from);
        }
        if let Some(to) = to {
            filter = filter.to(to);
        }
        let size = self.size()?;
        let cursor = self.cursor.as_deref();
        let cursor = cursor.map(|text| SearchCursor::parse(text, &filter));
        let cursor = cursor.transpose().map_err(|_| InvalidRequest {
            parameter: "cursor",
            expected: "must be the `next` of an earlier answer to the same question",
        })?;
        let query = Query::new(filter, size);
        Ok(match cursor {
            Some(cursor) => query.after(cursor),
            None => query,
        })
    }

    /// The time from which on events are asked for, if there is one.
    pub(super) fn since(&self) -> Result<Option<Timestamp>, InvalidRequest> {
        time("from", self.from.as_deref())
    }

    fn size(&self) -> Result<PageSize, InvalidRequest> {
        let Some(limit) = &self.limit else {
            return Ok(PageSize::default());
        };
        let limit: Option<NonZeroU16> = limit.parse().ok();
        let size = limit.and_then(|limit| PageSize::new(limit.get()));
        size.ok_or(InvalidRequest {
            parameter: "limit",
            expected: "must be a number, 1 to 500",
        })
    }
}

/// Whether there is any time between the two, of which the second is not included.
pub(super) fn is_period(from: Option<Timestamp>, to: Timestamp) -> bool {
    from.is_none_or(|from| from < to)
}

/// As the log has it: ids of leads are UUIDs, which others write in upper case too.
fn resource(id: &str) -> Cow<'_, str> {
    match id.as_bytes() {
        bytes if bytes.len() == 36 && uuid::Uuid::try_parse_ascii(bytes).is_ok() => {
            Cow::Owned(id.to_ascii_lowercase())
        }
        _ => Cow::Borrowed(id),
    }
}

/// A time, or the beginning of a day in UTC.
pub(super) fn time_or_day(
    parameter: &'static str,
    text: Option<&str>,
) -> Result<Option<Timestamp>, InvalidRequest> {
    let day = text.filter(|text| !text.contains(['T', 't']));
    let day = day.map(|day| format!("{day}T00:00:00Z"));
    let invalid = InvalidRequest {
        parameter,
        expected: "must be a time, RFC 3339, or a day, such as 2026-05-01",
    };
    time(parameter, day.as_deref().or(text)).map_err(|_| invalid)
}

fn time(parameter: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, InvalidRequest> {
    let Some(text) = text else {
        return Ok(None);
    };
    let micros = timestamp::parse(text).map(|at| at.unix_timestamp_nanos() / 1_000);
    let micros = micros.and_then(|micros| u64::try_from(micros).ok());
    let time = micros.and_then(Timestamp::from_unix_micros);
    time.map(Some).ok_or(InvalidRequest {
        parameter,
        expected: "must be a time, RFC 3339",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_that_has_ended_before_it_begins_is_refused_by_the_name_of_its_beginning() {
        let asked = |from: &str, to: &str| {
            let request = AuditRequest {
                from: Some(from.to_owned()),
                to: Some(to.to_owned()),
                ..AuditRequest::default()
            };
            request.query().map(drop)
        };
        let (one, two) = ("2026-05-01T00:00:00Z", "2026-05-01T00:00:00.000001Z");
        assert_eq!(asked(one, two), Ok(()));
        for (from, to) in [(two, one), (one, one)] {
            assert_eq!(asked(from, to).unwrap_err().parameter, "from");
        }
    }

    #[test]
    fn a_lead_is_found_by_its_id_in_upper_case_and_any_other_id_only_as_it_is() {
        let asked = |id: &str| {
            let request = AuditRequest {
                resource: Some(id.to_owned()),
                ..AuditRequest::default()
            };
            request.query().unwrap().filter().clone()
        };
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(asked(id), asked(&id.to_ascii_uppercase()));
        assert_ne!(asked("Key"), asked("key"));
    }
}

//! Errors as RFC 9457 problem details: what went wrong, never what was sent or how it works inside.

use std::{borrow::Cow, time::Duration};

use axum::{
    extract::rejection::PathRejection,
    response::{IntoResponse, Response},
};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use portcullis_ratelimit::Decision;
use portcullis_telemetry::current_trace_id;
use serde_json::{Map, Value, json};

use super::json_text::json_text;
use crate::{
    pipeline::{
        CONTENT_CODINGS,
        rejection::{self, Rejection, RequestRejection},
    },
    quality::Reason,
};

/// How soon to come back when the service itself is the reason, or what the sender has under way.
const RETRY: Duration = Duration::from_secs(1);

/// The longest that a dependency which is back is left alone.
const RETRY_OUTAGE: Duration = Duration::from_secs(30);

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: Kind,
    status: StatusCode,
    detail: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
    members: Map<String, Value>,
}

/// What kind of problem; each has one status and one type URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rejected(Reason),
    NothingAcceptable,
    BadRequest,
    UnusableField,
    NotFound,
    Conflict,
    AuditHeld,
    MethodNotAllowed,
    AdminUnauthorized,
    QuotaExceeded,
    ReducedCapacity(Reason),
}

impl Problem {
    /// A record that does not exist, or is another tenant's: the same answer.
    pub(crate) fn not_found() -> Self {
        Self::of(Kind::NotFound, "there is no such resource")
    }

    /// What an operator asks for is not there; `detail` says what it is.
    pub(crate) fn not_found_because(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Kind::NotFound, detail)
    }

    /// What is asked for does not go with how the resource is; `detail` says how it is.
    pub(crate) fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Kind::Conflict, detail)
    }

    /// A legal hold keeps what was to be erased; `detail` says which setting that is.
    pub(crate) fn audit_held(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Kind::AuditHeld, detail)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::of(
            Kind::MethodNotAllowed,
            "the resource does not have this method",
        )
    }

    /// A parameter that cannot be used; `detail` names it and what it must be.
    pub(crate) fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Kind::BadRequest, detail)
    }

    /// A field of the right form with a value that cannot be used here; `detail` names it and what can be.
    pub(crate) fn unusable_field(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Kind::UnusableField, detail)
    }

    pub(crate) fn admin_unauthorized() -> Self {
        Self::of(
            Kind::AdminUnauthorized,
            "send the admin token as `Authorization: Bearer …`",
        )
    }

    /// A limit without room; the fields say which, and when it has some. If it is the part of a limit that an
    /// outage leaves, the service is to blame.
    fn limited(decision: &Decision) -> Self {
        let kind = rejection::reduced(decision).map_or(Kind::QuotaExceeded, Kind::ReducedCapacity);
        let mut problem = Self::of(kind, "the quota is used up for now");
        if let Decision::Refused(refused) = decision {
            let parts = refused.problem();
            problem.detail = Cow::Borrowed(parts.detail);
            problem = problem.with("violated-policies", json!(parts.violated_policies));
        }
        problem.headers.extend(limit_fields(decision));
        if problem.status == StatusCode::SERVICE_UNAVAILABLE && !problem.has(&RETRY_AFTER) {
            // Too much for what is left of the limit, and not for the whole of it.
            problem
                .headers
                .push((RETRY_AFTER, HeaderValue::from(RETRY_OUTAGE.as_secs())));
        }
        problem
    }

    fn has(&self, field: &HeaderName) -> bool {
        self.headers.iter().any(|(name, _)| name == field)
    }

    /// A failure of the service, logged here in full and answered without any of it.
    pub(crate) fn internal(error: &(dyn std::error::Error + 'static), what: &'static str) -> Self {
        tracing::error!(error, "{what}");
        Rejection::plain(Reason::Internal).into()
    }

    /// The answer to a well-formed request all of whose items were rejected. If the service failed
    /// one of them, it is to blame, and the sender is told to try again; else what is wrong with
    /// the only one, or with them all, is not for trying again.
    pub(crate) fn of_items(rejections: impl IntoIterator<Item = Rejection>) -> Self {
        let mut rejections: Vec<Rejection> = rejections.into_iter().collect();
        let failed = |rejection: &Rejection| rejection.reason.status().is_server_error();
        match (rejections.iter().position(failed), rejections.len()) {
            (Some(failed), _) => rejections.swap_remove(failed).into(),
            (None, 1) => Self {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                ..rejections.remove(0).into()
            },
            (None, _) => Self::of(
                Kind::NothingAcceptable,
                "no event of the batch is acceptable, see `rejected`",
            ),
        }
    }

    /// Adds an extension member.
    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// Where the media type was at fault, tells which ones are read (RFC 9110, 15.5.16).
    pub(crate) fn accepting(mut self, media_types: &'static str) -> Self {
        if self.reason() == Some(Reason::TransportContentType) {
            let media_types = HeaderValue::from_static(media_types);
            self.headers.push((ACCEPT, media_types));
        }
        self
    }

    /// The reason, where something was rejected.
    const fn reason(&self) -> Option<Reason> {
        match self.kind {
            Kind::Rejected(reason) | Kind::ReducedCapacity(reason) => Some(reason),
            _ => None,
        }
    }

    fn of(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        let (status, detail) = (kind.status(), detail.into());
        Self {
            kind,
            status,
            detail,
            headers: Vec::new(),
            members: Map::new(),
        }
    }

    /// The whole body.
    fn body(&self) -> Value {
        let status = self.status;
        let mut body = json!({
            "type": self.kind.uri(),
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.detail,
        });
        if let Value::Object(members) = &mut body {
            if let Some(reason) = self.reason() {
                members.insert("reason".to_owned(), json!(reason));
            }
            if let Some(trace) = current_trace_id() {
                members.insert("trace_id".to_owned(), json!(trace.to_string()));
            }
            members.extend(self.members.clone());
        }
        body
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let mut problem = Self::of(Kind::Rejected(rejection.reason), rejection.detail);
        if rejection.reason == Reason::TransportEncoding {
            // RFC 9110, 12.5.3: tells that the coding was at fault, and not the media type.
            let codings = HeaderValue::from_static(CONTENT_CODINGS);
            problem.headers.push((ACCEPT_ENCODING, codings));
        }
        match problem.status {
            // It is as it is until somebody does something about the file.
            _ if rejection.reason == Reason::CapacityPolicyFile => {}
            StatusCode::UNAUTHORIZED => {
                let challenge = HeaderValue::from_static("Bearer");
                problem.headers.push((WWW_AUTHENTICATE, challenge));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                problem
                    .headers
                    .push((RETRY_AFTER, HeaderValue::from(RETRY.as_secs())));
            }
            _ => {}
        }
        problem
    }
}

impl From<RequestRejection> for Problem {
    fn from(refusal: RequestRejection) -> Self {
        match refusal {
            RequestRejection::Rejected(rejection) => rejection.into(),
            RequestRejection::Limited(decision) => Self::limited(&decision),
        }
    }
}

/// A path whose parameter is no text names nothing.
impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        Self::not_found()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json_text(&self.body()).expect("a JSON value is written into memory");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.kind == Kind::AdminUnauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers.extend(self.headers);
        response
    }
}

/// The header fields that tell how limits stand.
pub(crate) fn limit_fields(
    decision: &Decision,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> + '_ {
    decision.fields().filter_map(|(name, value)| {
        Some((
            HeaderName::from_static(name),
            HeaderValue::try_from(value).ok()?,
        ))
    })
}

impl Kind {
    /// Registered for limits, this service's own for everything else.
    fn uri(self) -> String {
        match self {
            Self::QuotaExceeded => {
                "https://iana.org/assignments/http-problem-types#quota-exceeded".to_owned()
            }
            Self::ReducedCapacity(_) => {
                "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
                    .to_owned()
            }
            kind => format!("urn:portcullis:problem:{}", kind.name()),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Rejected(reason) | Self::ReducedCapacity(reason) => reason.as_str(),
            Self::NothingAcceptable => "nothing_acceptable",
            Self::BadRequest => "bad_request",
            Self::UnusableField => "unusable_field",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::AuditHeld => "audit_held",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::AdminUnauthorized => "admin_unauthorized",
            Self::QuotaExceeded => "quota_exceeded",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Rejected(reason) | Self::ReducedCapacity(reason) => reason.status(),
            Self::NothingAcceptable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::UnusableField => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict | Self::AuditHeld => StatusCode::CONFLICT,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::AdminUnauthorized => StatusCode::UNAUTHORIZED,
            Self::QuotaExceeded => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_of(reasons: &[Reason]) -> StatusCode {
        Problem::of_items(reasons.iter().map(|reason| Rejection::plain(*reason))).status
    }

    #[test]
    fn a_sender_is_told_to_try_again_only_when_the_service_failed() {
        let bad = Reason::ParseJson;
        assert_eq!(status_of(&[bad]), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(status_of(&[bad, bad]), StatusCode::UNPROCESSABLE_ENTITY);
        let failed = Reason::CapacityOverloaded;
        assert_eq!(status_of(&[failed]), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status_of(&[bad, failed]), StatusCode::SERVICE_UNAVAILABLE);
    }
}

//! `/admin/audit`, and `/audit/log`: what is on record, for operators.

pub(super) mod erasures;
pub(super) mod findings;
mod proof_file;
pub(super) mod report;
pub(super) mod stream;

use std::num::NonZeroU16;

use axum::{
    Extension,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, Request, StatusCode, Uri, header::CONTENT_TYPE};

use super::admin::{AdminState, read_optional_json};
use crate::{
    admin::{
        Actor, AuditError, AuditPage, AuditRequest, AuditStatus, EarlierPage, EarlierRequest,
        MAX_EARLIER, OneEvent, VerificationRequest,
    },
    audit::Unrecorded,
    http::{
        answer::Json,
        problem::Problem,
        query::{NoQuery, Query},
    },
    pipeline::rejection::Rejection,
    quality::Reason,
};

pub(super) use self::proof_file::ProofFile;

/// What there is to ask for.
const PARAMETERS: [&str; 11] = [
    "log", "tenant", "actor", "action", "resource", "field", "outcome", "from", "to", "limit",
    "cursor",
];

/// `GET /admin/audit/events`: who did what, newest first.
pub(super) async fn find(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Json<AuditPage>, Problem> {
    let request = read_request(Query::read(&target, &PARAMETERS)?);
    Ok(Json(state.use_cases.audit.find(&actor, &request).await?))
}

pub(super) fn read_request(mut query: Query) -> AuditRequest {
    AuditRequest {
        log: query.take("log"),
        tenant: query.take("tenant"),
        actor: query.take("actor"),
        action: query.take("action"),
        resource: query.take("resource"),
        field: query.take("field"),
        outcome: query.take("outcome"),
        from: query.take("from"),
        to: query.take("to"),
        limit: query.take("limit"),
        cursor: query.take("cursor"),
    }
}

/// `GET /admin/audit/events/{n}`: one of them, with what lies beside it.
pub(super) async fn read(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    n: Result<Path<u64>, PathRejection>,
) -> Result<Json<OneEvent>, Problem> {
    let n = number(n)?;
    Ok(Json(state.use_cases.audit.read(&actor, n).await?))
}

/// `GET /admin/audit/events/{n}/proof`: that it is in the log, for a third party.
pub(super) async fn proof(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    n: Result<Path<u64>, PathRejection>,
) -> Result<ProofFile, Problem> {
    let n = number(n)?;
    Ok(ProofFile(state.use_cases.audit.proof(&actor, n).await?))
}

/// The number of an entry.
pub(super) fn number(n: Result<Path<u64>, PathRejection>) -> Result<u64, Problem> {
    let n = n.map(|Path(n)| n);
    n.map_err(|_| Problem::bad_request("`n` must be the number of an entry, from 0"))
}

/// `GET /admin/audit/status`.
pub(super) async fn status(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
) -> Result<Json<AuditStatus>, Problem> {
    Ok(Json(state.use_cases.audit.status(&actor).await?))
}

/// `POST /admin/audit/verify`: whether it is what it has signed, all of it or a part.
pub(super) async fn verify(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let value = read_optional_json(request).await?;
    let request: VerificationRequest = serde_json::from_value(value).map_err(|_| {
        Problem::bad_request("send {\"from\"?: number, \"to\"?: number} or no body")
    })?;
    let status = state.use_cases.audit.verify(&actor, request).await?;
    let code = if status.state == "running" {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    Ok((code, Json(status)).into_response())
}

/// `GET /audit/log/…`: the files that a third party verifies.
pub(super) async fn file(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(path) = path.map_err(|_| Problem::not_found())?;
    let bytes = state.use_cases.audit.file(&actor, &path).await?;
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(CONTENT_TYPE, kind)], bytes).into_response())
}

/// `GET /admin/audit/earlier`: what a version before this one put on record.
pub(super) async fn earlier(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Json<EarlierPage>, Problem> {
    let known = ["tenant", "actor", "action", "outcome", "limit", "cursor"];
    let mut query = Query::read(&target, &known)?;
    let limit: Result<Option<NonZeroU16>, _> =
        query.take("limit").map(|text| text.parse()).transpose();
    let limit = limit
        .ok()
        .filter(|limit| limit.is_none_or(|limit| limit <= MAX_EARLIER));
    let limit = limit.ok_or_else(|| Problem::bad_request("`limit` is a number, 1 to 1000"))?;
    let before = query.take("cursor").map(|text| text.parse()).transpose();
    let request = EarlierRequest {
        tenant: query.take("tenant"),
        actor: query.take("actor"),
        action: query.take("action"),
        outcome: query.take("outcome"),
        limit,
        before: before
            .map_err(|_| Problem::bad_request("`cursor` is the `next` of an earlier answer"))?,
    };
    Ok(Json(state.use_cases.audit.earlier(&actor, &request).await?))
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Invalid(error) => Self::bad_request(error.to_string()),
            AuditError::NoSuchRange(error) => Self::bad_request(error.to_string()),
            AuditError::NotFound => Self::not_found(),
            AuditError::Unrecorded(error) => error.into(),
            AuditError::UnderWay(error) => Self::conflict(error.to_string()),
            AuditError::Held(error) => Self::audit_held(error.to_string()),
            AuditError::Closed => Self::conflict(error.to_string()),
            AuditError::Reporting => Self::conflict(error.to_string()),
            AuditError::TooMuch => Self::bad_request(error.to_string()),
            AuditError::Store(error) => Rejection::from(error).into(),
            AuditError::Log(_)
            | AuditError::Erase(_)
            | AuditError::Proof(_)
            | AuditError::Damaged => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the audit log was not read");
                Rejection::plain(Reason::CapacityAuditUnavailable).into()
            }
        }
    }
}

impl From<Unrecorded> for Problem {
    fn from(_: Unrecorded) -> Self {
        Rejection::plain(Reason::CapacityAuditUnavailable).into()
    }
}

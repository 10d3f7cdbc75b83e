//! `GET /admin/audit/events`.

use std::{
    collections::BTreeMap,
    num::{NonZeroU16, NonZeroU64},
};

use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
};

use super::admin::AdminState;
use crate::{
    admin::{Actor, AuditError, AuditPage, AuditRequest},
    http::{answer::Json, problem::Problem},
    pipeline::rejection::Rejection,
    quality::Reason,
    store::{AuditOutcome, Unrecorded},
};

/// `?tenant=&actor=&action=&outcome=&limit=&cursor=`: who did what, newest first.
pub(super) async fn find(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    parameters: Result<Query<BTreeMap<String, String>>, QueryRejection>,
) -> Result<Json<AuditPage>, Problem> {
    let Query(parameters) = parameters?;
    let request = read(parameters)?;
    Ok(Json(state.use_cases.audit.find(&actor, &request).await?))
}

fn read(parameters: BTreeMap<String, String>) -> Result<AuditRequest, Problem> {
    let mut request = AuditRequest::default();
    for (name, value) in parameters {
        match name.as_str() {
            "tenant" => request.tenant = Some(value),
            "actor" => request.actor = Some(value),
            "action" => request.action = Some(value),
            "outcome" => {
                let mut known = AuditOutcome::ALL.into_iter();
                let outcome = known.find(|outcome| outcome.as_str() == value);
                request.outcome = Some(outcome.ok_or_else(|| {
                    let known = AuditOutcome::ALL.map(AuditOutcome::as_str).join(", ");
                    Problem::bad_request(format!("`outcome` is one of {known}"))
                })?);
            }
            "limit" => {
                let limit: Option<NonZeroU16> = value.parse().ok();
                let limit = limit.filter(|limit| limit.get() <= 1_000);
                request.limit = Some(
                    limit.ok_or_else(|| Problem::bad_request("`limit` is a number, 1 to 1000"))?,
                );
            }
            "cursor" => {
                let before: Option<NonZeroU64> = value.parse().ok();
                request.before = Some(before.ok_or_else(|| {
                    Problem::bad_request("`cursor` is the `next` of an earlier answer")
                })?);
            }
            _ => {
                return Err(Problem::bad_request(
                    "`tenant`, `actor`, `action`, `outcome`, `limit` and `cursor` are known",
                ));
            }
        }
    }
    Ok(request)
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Unrecorded(error) => error.into(),
            AuditError::Store(error) => Rejection::from(error).into(),
        }
    }
}

impl From<Unrecorded> for Problem {
    fn from(_: Unrecorded) -> Self {
        Rejection::plain(Reason::CapacityAuditUnavailable).into()
    }
}

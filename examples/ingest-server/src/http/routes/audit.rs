//! `GET /admin/audit/events`.

use std::num::{NonZeroU16, NonZeroU64};

use axum::{Extension, extract::State};
use http::Uri;

use super::admin::AdminState;
use crate::{
    admin::{Actor, AuditError, AuditPage, AuditRequest},
    http::{answer::Json, problem::Problem, query::Query},
    pipeline::rejection::Rejection,
    quality::Reason,
    store::{AuditOutcome, Unrecorded},
};

/// What there is to ask for.
const PARAMETERS: [&str; 6] = ["tenant", "actor", "action", "outcome", "limit", "cursor"];

/// `?tenant=&actor=&action=&outcome=&limit=&cursor=`: who did what, newest first.
pub(super) async fn find(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Json<AuditPage>, Problem> {
    let request = read(Query::read(&target, &PARAMETERS)?)?;
    Ok(Json(state.use_cases.audit.find(&actor, &request).await?))
}

fn read(mut query: Query) -> Result<AuditRequest, Problem> {
    let outcome = |text: String| {
        let mut known = AuditOutcome::ALL.into_iter();
        let outcome = known.find(|outcome| outcome.as_str() == text);
        outcome.ok_or_else(|| {
            let known = AuditOutcome::ALL.map(AuditOutcome::as_str).join(", ");
            Problem::bad_request(format!("`outcome` is one of {known}"))
        })
    };
    let limit = |text: String| {
        let limit = text.parse().ok();
        let limit = limit.filter(|limit: &NonZeroU16| limit.get() <= 1_000);
        limit.ok_or_else(|| Problem::bad_request("`limit` is a number, 1 to 1000"))
    };
    let before = |text: String| {
        let before: Option<NonZeroU64> = text.parse().ok();
        before.ok_or_else(|| Problem::bad_request("`cursor` is the `next` of an earlier answer"))
    };
    Ok(AuditRequest {
        tenant: query.take("tenant"),
        actor: query.take("actor"),
        action: query.take("action"),
        outcome: query.take("outcome").map(outcome).transpose()?,
        limit: query.take("limit").map(limit).transpose()?,
        before: query.take("cursor").map(before).transpose()?,
    })
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

//! `/admin/keys` and `/admin/reencryption`: data keys, and the rows that need them.

use axum::{
    Extension,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
};
use http::{Request, StatusCode, Uri};
use serde::de::DeserializeOwned;

use super::admin::{AdminState, read_optional_json};
use crate::{
    admin::{
        Actor, DataKeyError, DataKeyPage, DataKeyRequest, DataKeyRotation, DataKeySelection,
        JobStatus, Reencrypted, ReencryptionRequest, RetiredDataKey, RewrappedDataKeys,
        RotatedDataKeys, SweepPace, VerifiedRows,
    },
    http::{
        answer::Json,
        problem::Problem,
        query::{NoQuery, Query},
        run_detached::finish,
    },
    pipeline::rejection::Rejection,
    quality::Reason,
};

/// `GET /admin/keys?tenant=&purpose=&state=&after=&limit=`.
pub(super) async fn list(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Json<DataKeyPage>, Problem> {
    let known = ["tenant", "purpose", "state", "after", "limit"];
    let mut query = Query::read(&target, &known)?;
    let limit = query.take("limit").map(|text| text.parse());
    let limit = limit.transpose();
    let request = DataKeyRequest {
        selection: DataKeySelection {
            tenant: query.take("tenant"),
            purpose: query.take("purpose"),
        },
        state: query.take("state"),
        after: query.take("after"),
        limit: limit.map_err(|_| Problem::bad_request("`limit` must be a number, 1 to 1000"))?,
    };
    Ok(Json(
        state.use_cases.data_keys.list(&actor, &request).await?,
    ))
}

/// Answers when the new keys seal: after about 15 seconds.
pub(super) async fn rotate(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<Json<RotatedDataKeys>, Problem> {
    let help =
        "send {\"tenant\"?: text, \"purpose\"?: text, \"older_than_seconds\"?: number}, or no body";
    let rotation: DataKeyRotation = read(request, help).await?;
    let keys = state.use_cases.data_keys;
    let rotated = finish(async move { keys.rotate(&actor, rotation, &mut |_, _| {}).await });
    Ok(Json(rotated.await??))
}

pub(super) async fn rewrap(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<Json<RewrappedDataKeys>, Problem> {
    let pace: SweepPace = read(request, PACE).await?;
    let keys = state.use_cases.data_keys;
    let rewrapped = finish(async move { keys.rewrap(&actor, pace, &mut |_, _| {}).await });
    Ok(Json(rewrapped.await??))
}

/// Answers when every row was opened.
pub(super) async fn verify(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
) -> Result<Json<VerifiedRows>, Problem> {
    let keys = state.use_cases.data_keys;
    let verified = finish(async move { keys.verify(&actor, &mut |_, _| {}).await });
    Ok(Json(verified.await??))
}

pub(super) async fn disable(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    key: Result<Path<String>, PathRejection>,
) -> Result<Json<RetiredDataKey>, Problem> {
    let Path(key) = key?;
    let keys = state.use_cases.data_keys;
    let disabled = finish(async move { keys.disable(&actor, &key, &mut |_, _| {}).await });
    Ok(Json(disabled.await??))
}

pub(super) async fn destroy(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    key: Result<Path<String>, PathRejection>,
) -> Result<Json<RetiredDataKey>, Problem> {
    let Path(key) = key?;
    let keys = state.use_cases.data_keys;
    let destroyed = finish(async move { keys.destroy(&actor, &key, &mut |_, _| {}).await });
    Ok(Json(destroyed.await??))
}

pub(super) async fn restore(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    key: Result<Path<String>, PathRejection>,
) -> Result<Json<RetiredDataKey>, Problem> {
    let Path(key) = key?;
    let keys = state.use_cases.data_keys;
    let restored = finish(async move { keys.restore(&actor, &key).await });
    Ok(Json(restored.await??))
}

pub(super) async fn reencryption(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
) -> Result<Json<JobStatus<Reencrypted>>, Problem> {
    Ok(Json(state.use_cases.reencryption.status(&actor).await?))
}

/// Answers when it has begun; [`reencryption`] says how far it has come.
pub(super) async fn reencrypt(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<(StatusCode, Json<JobStatus<Reencrypted>>), Problem> {
    let help = "send {\"tenant\"?: text, \"purpose\"?: text, \"rows_per_second\"?: number from 1}, or \
                no body";
    let request: ReencryptionRequest = read(request, help).await?;
    let status = state.use_cases.reencryption.start(&actor, request).await?;
    Ok((StatusCode::ACCEPTED, Json(status)))
}

const PACE: &str = "send {\"rows_per_second\"?: number from 1}, or no body";

/// The request, if it was sent in the form that `help` says.
pub(super) async fn read<T: DeserializeOwned>(
    request: Request<Body>,
    help: &'static str,
) -> Result<T, Problem> {
    let value = read_optional_json(request).await?;
    serde_json::from_value(value).map_err(|_| Problem::bad_request(help))
}

impl From<DataKeyError> for Problem {
    fn from(error: DataKeyError) -> Self {
        match error {
            DataKeyError::Invalid(detail) => Self::bad_request(detail),
            DataKeyError::NotConfigured(detail) => Self::unusable_field(detail),
            DataKeyError::UnknownTenant(_) | DataKeyError::NothingToRotate => {
                Self::not_found_because(error.to_string())
            }
            DataKeyError::NotFound | DataKeyError::NoLead | DataKeyError::NoTenant => {
                Self::not_found()
            }
            DataKeyError::RowsLeft { .. }
            | DataKeyError::RowsRefused { .. }
            | DataKeyError::NeededByAudit
            | DataKeyError::TooSoon { .. }
            | DataKeyError::Illegal(_)
            | DataKeyError::Changed
            | DataKeyError::Conflict(_)
            | DataKeyError::UnderWay { .. } => Self::conflict(error.to_string()),
            DataKeyError::Held(error) => Self::audit_held(error.to_string()),
            DataKeyError::Unrecorded(error) => error.into(),
            DataKeyError::Store(error) => Rejection::from(error).into(),
            DataKeyError::Index(error) => Rejection::from(error).into(),
            DataKeyError::Keys(_) => failed(&error, Reason::CapacityStoreUnavailable),
            DataKeyError::Sweep(_) => failed(&error, Reason::CapacityStoreUnavailable),
            DataKeyError::Unnoted(_) => failed(&error, Reason::CapacityErasuresUnavailable),
            DataKeyError::Prepare(_) => failed(&error, Reason::CapacityKeysUnavailable),
            error @ DataKeyError::Other(_) => {
                Self::internal(&error, "what an operator asked for was not done")
            }
        }
    }
}

fn failed(error: &DataKeyError, reason: Reason) -> Problem {
    let error: &dyn std::error::Error = error;
    tracing::error!(error, "what an operator asked for was not done");
    Rejection::plain(reason).into()
}

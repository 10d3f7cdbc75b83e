//! `/admin/detection`.

use axum::{Extension, body::Body, extract::State};
use http::{Request, StatusCode};
use serde_json::Value;

use super::admin::{AdminState, read_json};
use crate::{
    admin::{Actor, DetectionError},
    http::{answer::Json, problem::Problem, query::NoQuery, run_detached::finish},
    pipeline::rejection::Rejection,
    quality::Reason,
};

/// `GET`: the policy in force.
pub(super) async fn read(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
) -> Result<Json<Value>, Problem> {
    Ok(Json(state.use_cases.detection.read(&actor).await?))
}

/// `PUT`: another policy, in the form in which `GET` gives it.
pub(super) async fn replace(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<StatusCode, Problem> {
    let given = read_json(request).await?;
    let use_cases = state.use_cases;
    finish(async move { use_cases.detection.replace(&actor, given).await }).await??;
    Ok(StatusCode::NO_CONTENT)
}

impl From<DetectionError> for Problem {
    fn from(error: DetectionError) -> Self {
        match error {
            DetectionError::Invalid(_) | DetectionError::TooLarge => {
                Self::bad_request(error.to_string())
            }
            DetectionError::Unrecorded(error) => error.into(),
            DetectionError::Store(error) => Rejection::from(error).into(),
            DetectionError::File(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the detection policy was not replaced"
                );
                let detail = "the file of `INGEST_DETECTION_FILE` cannot be written; the policy is as before";
                Rejection::new(Reason::CapacityStoreUnavailable, detail).into()
            }
        }
    }
}

//! `/admin/slo`.

use axum::{Extension, extract::State};

use super::admin::AdminState;
use crate::{
    admin::{Actor, ObjectivesError},
    http::{answer::Json, problem::Problem, query::NoQuery},
    pipeline::rejection::Rejection,
    slo::SloReport,
};

/// `GET`: each objective, how much of it was kept, and how fast what may fail is used up.
pub(super) async fn read(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
) -> Result<Json<SloReport>, Problem> {
    Ok(Json(state.use_cases.objectives.report(&actor).await?))
}

impl From<ObjectivesError> for Problem {
    fn from(error: ObjectivesError) -> Self {
        match error {
            ObjectivesError::Unrecorded(error) => error.into(),
            ObjectivesError::History(error) => Rejection::from(error).into(),
        }
    }
}

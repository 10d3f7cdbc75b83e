//! How much an operator may ask for.

use axum::{
    Extension,
    body::Body,
    extract::State,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::Request;
use portcullis_ratelimit::Decision;

use super::admin::AdminState;
use crate::{
    admin::Actor,
    http::problem::{Problem, limit_fields},
};

/// Lets a request of an operator pass within its limits, whose state the answer tells.
pub(super) async fn limit_operators(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    request: Request<Body>,
    next: Next,
) -> Response {
    match state.use_cases.admission.admit(&actor).await {
        Ok(admitted) => {
            let mut answer = next.run(request).await;
            if let Some(admitted) = admitted {
                let decision = Decision::Admitted(admitted);
                answer.headers_mut().extend(limit_fields(&decision));
            }
            answer
        }
        Err(rejection) => Problem::from(rejection).into_response(),
    }
}

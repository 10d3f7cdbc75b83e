//! Answers in JSON. Axum's own `Json` brings a feature of `serde_json` that this service does
//! without: see docs/adr/0010.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header::CONTENT_TYPE};
use serde::Serialize;

use super::{json_text::json_text, problem::Problem};

/// A value as `application/json`.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match json_text(&self.0) {
            Ok(body) => {
                let media_type = HeaderValue::from_static("application/json");
                ([(CONTENT_TYPE, media_type)], body).into_response()
            }
            Err(error) => Problem::internal(&error, "an answer was not written").into_response(),
        }
    }
}

//! A proof as a file.

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use portcullis_audit_log::proof::TlogProof;

/// A `.tlog-proof`, for which no media type is registered: it is lines of text.
#[derive(Debug)]
pub(in crate::http::routes) struct ProofFile(pub(in crate::http::routes) TlogProof);

impl IntoResponse for ProofFile {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        let name = format!("attachment; filename=\"{}.tlog-proof\"", self.0.index());
        let mut response = ([(CONTENT_TYPE, kind)], self.0.to_string()).into_response();
        if let Ok(name) = HeaderValue::try_from(name) {
            response.headers_mut().insert(CONTENT_DISPOSITION, name);
        }
        response
    }
}

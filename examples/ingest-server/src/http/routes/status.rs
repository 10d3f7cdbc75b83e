//! `GET /v1/status`, which takes no key.

use axum::extract::State;
use serde::Serialize;

use crate::{
    degradation::{Degradations, DegradedSince},
    http::{answer::Json, query::NoQuery},
    timestamp,
};

/// How the service does, in words for its callers.
#[derive(Debug, Serialize)]
pub(super) struct ServiceStatus {
    status: &'static str,
    degraded: Vec<LimitedPart>,
}

/// A part that does less for now. Nothing of how the service is built.
#[derive(Debug, Serialize)]
struct LimitedPart {
    component: &'static str,
    /// RFC 3339.
    since: String,
    limited: &'static str,
}

/// What callers notice by now: 200, also while something is degraded.
pub(super) async fn status(
    State(degradations): State<Degradations>,
    _: NoQuery,
) -> Json<ServiceStatus> {
    let degraded = degradations.now();
    Json(ServiceStatus {
        status: if degraded.is_empty() {
            "operational"
        } else {
            "degraded"
        },
        degraded: degraded.into_iter().map(LimitedPart::from).collect(),
    })
}

impl From<DegradedSince> for LimitedPart {
    fn from(DegradedSince { part, since }: DegradedSince) -> Self {
        Self {
            component: part.as_str(),
            since: timestamp::format(since),
            limited: part.limited(),
        }
    }
}

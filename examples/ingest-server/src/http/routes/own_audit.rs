//! `GET /v1/audit`: what is on record of a tenant, for the tenant.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{Extensions, HeaderMap, Uri};

use super::{audit::read_request, leads::answer_within};
use crate::{
    admin::{AuditPage, AuditRequest},
    http::{problem::Problem, query::Query},
    pipeline::{self, services::Services},
};

/// What there is to ask for; whose it is, is known.
const PARAMETERS: [&str; 9] = [
    "actor", "action", "resource", "field", "outcome", "from", "to", "limit", "cursor",
];

pub(super) async fn find(
    State(services): State<Arc<Services>>,
    target: Uri,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let admitted = pipeline::admit_auditor(&services, &extensions, &headers).await?;
    let (caller, admitted) = admitted;
    let answer = async {
        let request = AuditRequest {
            tenant: Some(caller.tenant.as_str().to_owned()),
            ..read_request(Query::read(&target, &PARAMETERS)?)
        };
        let query = request.query();
        let query = query.map_err(|error| Problem::bad_request(error.to_string()))?;
        let page = pipeline::audit_page(&services, &caller, &query).await?;
        AuditPage::new(&page).map_err(Problem::from)
    };
    Ok(answer_within(admitted, answer.await))
}

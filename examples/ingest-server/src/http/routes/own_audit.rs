//! `/v1/audit`: what is on record of a tenant, for the tenant.

use std::sync::Arc;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use http::{Extensions, HeaderMap, Uri};

use super::{
    audit::{ProofFile, number, read_request},
    leads::answer_within,
};
use crate::{
    admin::{AuditPage, AuditRequest},
    http::{
        answer::Json,
        problem::Problem,
        query::{NoQuery, Query},
    },
    pipeline::{self, services::Services},
};

/// What there is to ask for; whose it is, is known.
const PARAMETERS: [&str; 9] = [
    "actor", "action", "resource", "field", "outcome", "from", "to", "limit", "cursor",
];

/// `GET /v1/audit`: a page, newest first.
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
        AuditPage::new(&page).map(Json).map_err(Problem::from)
    };
    Ok(answer_within(admitted, answer.await))
}

/// `GET /v1/audit/{n}/proof`: that one of them is in the log. An entry of another tenant is none.
pub(super) async fn proof(
    State(services): State<Arc<Services>>,
    target: Uri,
    n: Result<Path<u64>, PathRejection>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let admitted = pipeline::admit_auditor(&services, &extensions, &headers).await?;
    let (caller, admitted) = admitted;
    let answer = async {
        NoQuery::read(&target)?;
        let n = number(n)?;
        let proof = pipeline::audit_proof(&services, &caller, n).await?;
        proof.map(ProofFile).ok_or_else(Problem::not_found)
    };
    Ok(answer_within(admitted, answer.await))
}
